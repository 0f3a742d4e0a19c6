import { ConfigException, parseConfig } from '@tributary/config'
import type { Converter, HeaderConverter } from '@tributary/connect-api'
import { AVRO_CONVERTERS } from './avro/index.ts'
import { CLOUD_EVENTS_CONVERTERS } from './cloudevents/index.ts'
import { converterErrors } from './errors.ts'
import { HEADER_CONVERTERS } from './headers/index.ts'
import { JSON_CONVERTERS } from './json/index.ts'
import { JSON_SCHEMA_CONVERTERS } from './json-schema/index.ts'
import type { ConverterPlugin } from './plugin.ts'
import { PROTOBUF_CONVERTERS } from './protobuf/index.ts'
import { SIMPLE_CONVERTERS } from './simple/index.ts'

/** Every class, by the names of Kafka, so that existing configurations work unchanged. */
export const CONVERTER_PLUGINS: readonly ConverterPlugin[] = [
  ...SIMPLE_CONVERTERS,
  ...JSON_CONVERTERS,
  ...PROTOBUF_CONVERTERS,
  ...JSON_SCHEMA_CONVERTERS,
  ...CLOUD_EVENTS_CONVERTERS,
  ...HEADER_CONVERTERS,
  ...AVRO_CONVERTERS,
]

export const DEFAULT_CONVERTER = 'io.tributary.connect.converters.PlainConverter'
export const DEFAULT_HEADER_CONVERTER = 'org.apache.kafka.connect.storage.SimpleHeaderConverter'

type Props = Readonly<Record<string, string>>
type PluginOf<T extends ConverterPlugin['type']> = Extract<ConverterPlugin, { readonly type: T }>

/**
 * Creates the converter that the setting `key` (`key.converter`, `value.converter`) names, configured with the settings
 * under that prefix. Throws ConfigError on the field when the class is not known or a setting does not fit.
 */
export function createConverter(key: string, config: Props, isKey: boolean): Converter {
  const plugin = find('converter', key, config[key] ?? DEFAULT_CONVERTER)
  const converter = plugin.create()
  configured(plugin, key, config, isKey ? 'key' : 'value', (settings) => converter.configure(settings, isKey))
  return converter
}

export function createHeaderConverter(key: string, config: Props): HeaderConverter {
  const plugin = find('header_converter', key, config[key] ?? DEFAULT_HEADER_CONVERTER)
  const converter = plugin.create()
  configured(plugin, key, config, 'header', (settings) => converter.configure(settings))
  return converter
}

function find<T extends ConverterPlugin['type']>(type: T, key: string, name: string): PluginOf<T> {
  const wanted = name.trim()
  const known = CONVERTER_PLUGINS.filter((plugin): plugin is PluginOf<T> => plugin.type === type)
  const found = known.find((plugin) => namesOf(plugin).includes(wanted))
  if (found) return found
  throw converterErrors.CONVERTER_UNKNOWN(
    `Invalid value ${wanted} for configuration ${key}: Class ${wanted} could not be found. Known here: ${known.map((plugin) => plugin.class).join(', ')}`,
    { field: key },
  )
}

/** The class, its simple name, and as in Connect the simple name without the name of its kind: `Json`, `Simple`. */
function namesOf({ class: name, aliases, type }: ConverterPlugin): string[] {
  const kind = type === 'converter' ? 'Converter' : 'HeaderConverter'
  return [name, ...aliases].flatMap((each) => {
    const simple = each.slice(each.lastIndexOf('.') + 1)
    return [each, simple, ...(simple.endsWith(kind) && simple !== kind ? [simple.slice(0, -kind.length)] : [])]
  })
}

/** Checks the settings with the spec, and configures with them. A ConfigError names the setting by its whole key. */
function configured(
  { spec }: ConverterPlugin,
  key: string,
  config: Props,
  use: 'key' | 'value' | 'header',
  configure: (settings: Props) => void,
): void {
  const prefix = `${key}.`
  const entries = Object.entries(config).filter(([name]) => name.startsWith(prefix))
  const given = entries.map(([name, value]): [string, string] => [name.slice(prefix.length), value])
  const settings = Object.fromEntries(given)
  if (Object.hasOwn(spec.keys, 'converter.type')) settings['converter.type'] = use
  try {
    parseConfig(spec, settings, (problems) => problems[0]!.message)
    configure(settings)
  } catch (error) {
    const field = error instanceof ConfigException ? error.errors[0]!.name : (error as { field?: string }).field
    if (field === undefined) throw error
    const { message } = error as Error
    throw converterErrors.CONVERTER_CONFIG_INVALID(message, { field: prefix + field, cause: error })
  }
}
