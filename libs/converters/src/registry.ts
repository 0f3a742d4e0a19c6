import { type Converter, type HeaderConverter } from '@tributary/connect-api'
import { ByteArrayConverter } from './byte-array-converter.ts'
import { JsonConverter } from './json-converter.ts'
import { PlainConverter } from './plain-converter.ts'
import { SimpleHeaderConverter } from './simple-header-converter.ts'
import { StringConverter } from './string-converter.ts'
import { converterErrors } from './errors.ts'

/** Kafka's class names, so that existing configs work unchanged; the simple name does too. */
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
 * The converter that `key` (`key.converter`, `value.converter`) names, configured with what stands behind its prefix.
 * Throws ConfigError on the field when the class is not known.
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
