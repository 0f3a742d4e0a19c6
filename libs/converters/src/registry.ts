import type { ConfigSpecData, Keys } from '@tributary/config'
import type { Converter, HeaderConverter } from '@tributary/connect-api'
import { converterErrors } from './errors.ts'
import { JsonConverter } from './json-converter.ts'
import { ByteArrayConverter, PlainConverter, SimpleHeaderConverter, StringConverter } from './simple-converters.ts'

/** By the class names of Kafka, so that existing configurations work unchanged. The simple class name works too. */
const CONVERTERS: Readonly<Record<string, () => Converter>> = {
  'org.apache.kafka.connect.storage.StringConverter': () => new StringConverter(),
  'org.apache.kafka.connect.converters.ByteArrayConverter': () => new ByteArrayConverter(),
  'org.apache.kafka.connect.json.JsonConverter': () => new JsonConverter(),
  'io.tributary.connect.converters.PlainConverter': () => new PlainConverter(),
}
const HEADER_CONVERTERS: Readonly<Record<string, () => HeaderConverter>> = {
  'org.apache.kafka.connect.storage.SimpleHeaderConverter': () => new SimpleHeaderConverter(),
}

export const DEFAULT_CONVERTER = 'io.tributary.connect.converters.PlainConverter'
export const DEFAULT_HEADER_CONVERTER = 'org.apache.kafka.connect.storage.SimpleHeaderConverter'
export const CONVERTER_CLASSES: readonly string[] = Object.keys(CONVERTERS)
export const HEADER_CONVERTER_CLASSES: readonly string[] = Object.keys(HEADER_CONVERTERS)

/**
 * Creates the converter that the setting `key` (`key.converter`, `value.converter`) names, configured with the settings
 * under that prefix. Throws ConfigError on the field when the class is not known.
 */
export function createConverter(key: string, config: Readonly<Record<string, string>>, isKey: boolean): Converter {
  const converter = find(CONVERTERS, key, config[key] ?? DEFAULT_CONVERTER)()
  converter.configure(withPrefix(config, `${key}.`), isKey)
  return converter
}

export function createHeaderConverter(key: string, config: Readonly<Record<string, string>>): HeaderConverter {
  const converter = find(HEADER_CONVERTERS, key, config[key] ?? DEFAULT_HEADER_CONVERTER)()
  converter.configure(withPrefix(config, `${key}.`))
  return converter
}

function find<T>(classes: Readonly<Record<string, () => T>>, key: string, name: string): () => T {
  const wanted = name.trim()
  const known = Object.keys(classes).find((c) => c === wanted || c.slice(c.lastIndexOf('.') + 1) === wanted)
  if (known) return classes[known]!
  throw converterErrors.CONVERTER_UNKNOWN(
    `Invalid value ${wanted} for configuration ${key}: Class ${wanted} could not be found. Known here: ${Object.keys(classes).join(', ')}`,
    { field: key },
  )
}

function withPrefix(config: Readonly<Record<string, string>>, prefix: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  )
}

/** A converter as `/connector-plugins` shows it. */
export interface ConverterPlugin {
  readonly class: string
  readonly type: 'converter' | 'header_converter'
  readonly spec: ConfigSpecData
}

/** The setting that every converter of Connect has. The worker sets it. */
const CONVERTER_TYPE: Keys = {
  'converter.type': {
    type: 'string',
    validator: { kind: 'oneOf', values: ['key', 'value', 'header'] },
    importance: 'low',
    doc: 'What it converts; the worker sets it.',
  },
}

/**
 * The settings of single converters. Users write them with the prefix of the converter:
 * `value.converter.schemas.enable`.
 */
const KEYS: Readonly<Record<string, Keys>> = {
  'org.apache.kafka.connect.json.JsonConverter': {
    'schemas.enable': {
      type: 'boolean',
      default: true,
      importance: 'high',
      group: 'Schemas',
      order: 0,
      width: 'medium',
      displayName: 'Enable Schemas',
      doc: 'Write {"schema":…,"payload":…}, and take nothing else. false: the bare value.',
    },
  },
}

export const CONVERTER_PLUGINS: readonly ConverterPlugin[] = [
  ...CONVERTER_CLASSES.map((name) => plugin(name, 'converter')),
  ...HEADER_CONVERTER_CLASSES.map((name) => plugin(name, 'header_converter')),
]

function plugin(name: string, type: ConverterPlugin['type']): ConverterPlugin {
  // Header converters need no such setting, and those of Connect have none at all.
  return { class: name, type, spec: { keys: type === 'header_converter' ? {} : { ...CONVERTER_TYPE, ...KEYS[name] } } }
}
