import { defineConfig, type Keys, type ValuesOf } from '@tributary/config'
import { REGISTRY_KEYS, REGISTRY_PREFIXES } from '@tributary/schema-registry'
import { CONVERTER_TYPE } from '../plugin.ts'

const GROUP = 'Avro'
const flag = (value: boolean, importance: 'medium' | 'low', displayName: string, doc: string) =>
  ({ type: 'boolean', default: value, importance, group: GROUP, displayName, doc }) as const

const AVRO_KEYS = {
  'enhanced.avro.schema.support': flag(
    false,
    'medium',
    'Keep enums and packages',
    'Write texts whose schema names an enum as that enum, and use full names for the fields of a union.',
  ),
  'scrub.invalid.names': flag(
    false,
    'medium',
    'Mend names',
    'Replace characters that Avro does not allow in names. false: such a name is an error.',
  ),
  'connect.meta.data': flag(
    true,
    'low',
    'Keep what Avro cannot say',
    "Write names, versions, docs and parameters of Connect's schemas as `connect.*` properties, and read them.",
  ),
  'generalized.sum.type.support': flag(
    false,
    'medium',
    'Unions and enums of all formats',
    'Represent unions and enums in the way that the converters of all formats share.',
  ),
  'ignore.default.for.nullables': flag(
    false,
    'medium',
    'Write null where the default is',
    'Write null for a field that has no value. false: its default, if it has one.',
  ),
  'allow.optional.map.keys': flag(
    false,
    'low',
    'Maps with optional keys',
    'Write a map with optional text keys as a map. false: as a list of entries.',
  ),
  'flatten.singleton.union': flag(true, 'low', 'Flatten unions of one', 'Read a union of one type as that type.'),
  'schemas.cache.config': {
    type: 'int',
    default: 1000,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    group: GROUP,
    displayName: 'Schema cache size',
    doc: 'Has no effect: schemas are kept as long as records use them. See `max.schemas.per.subject`.',
  },
} as const satisfies Keys

export const AVRO_SPEC = defineConfig(
  { ...CONVERTER_TYPE, ...REGISTRY_KEYS, ...AVRO_KEYS },
  { prefixes: REGISTRY_PREFIXES },
)

/** What the settings say of the translation of schemas and values. */
export interface AvroOptions {
  readonly enhanced: boolean
  readonly scrub: boolean
  readonly metaData: boolean
  readonly sumTypes: boolean
  readonly ignoreDefaults: boolean
  readonly optionalKeys: boolean
  readonly flatten: boolean
}

export function readOptions(config: Readonly<Record<string, string>>): AvroOptions {
  return optionsOf(AVRO_SPEC.parse(config))
}

function optionsOf(settings: ValuesOf<typeof AVRO_KEYS>): AvroOptions {
  return {
    enhanced: settings['enhanced.avro.schema.support'],
    scrub: settings['scrub.invalid.names'],
    metaData: settings['connect.meta.data'],
    sumTypes: settings['generalized.sum.type.support'],
    ignoreDefaults: settings['ignore.default.for.nullables'],
    optionalKeys: settings['allow.optional.map.keys'],
    flatten: settings['flatten.singleton.union'],
  }
}

/** Those of a converter without settings. */
export const DEFAULT_OPTIONS = optionsOf(defineConfig(AVRO_KEYS).parse({}))
