import { type ConfigSpec, ConfigException, type ConfigSpecData, type Keys, type ValuesOf } from '@tributary/config'
import type {
  ConnectRecord,
  Predicate,
  PredicatePlugin,
  Props,
  Schema,
  Transformation,
  TransformationPlugin,
} from '@tributary/connect-api'
import { transformErrors } from './errors.ts'

/** What a plugin has beside its class. `K`: the keys of its spec. */
interface Definition<K extends Keys, I> {
  readonly class: string
  readonly aliases?: readonly string[]
  /** Default: the version of Kafka Connect whose behaviour the plugins have. */
  readonly version?: string
  readonly spec: ConfigSpec<K>
  /** `config`: the parsed settings. `props`: the same as text, for families of keys (`spec.prefixed`). Throws ConfigError. */
  readonly create: (config: ValuesOf<K>, props: Props) => I
}

/** The Kafka Connect whose plugins these equal, and whose version they publish. */
export const KAFKA_VERSION = '3.9.1'

/**
 * Makes a plugin of a transform.
 *
 *     export const drop = defineTransformation({
 *       class: 'com.example.Drop',
 *       spec: defineConfig({ topic: { type: 'string', importance: 'high', doc: 'Topic whose records are dropped.' } }),
 *       create: ({ topic }) => ({ apply: (record) => (record.topic === topic ? null : record) }),
 *     })
 */
export function defineTransformation<K extends Keys>(definition: Definition<K, Transformation>): TransformationPlugin {
  return plugin('transformation', definition)
}

/** As `defineTransformation`, for a predicate. */
export function definePredicate<K extends Keys>(definition: Definition<K, Predicate>): PredicatePlugin {
  return plugin('predicate', definition)
}

function plugin<T extends 'transformation' | 'predicate', K extends Keys, I>(
  type: T,
  { class: name, aliases, version, spec, create }: Definition<K, I>,
): {
  type: T
  class: string
  aliases?: readonly string[]
  version: string
  spec: ConfigSpecData
  create(props: Props): I
} {
  return {
    type,
    class: name,
    ...(aliases && { aliases }),
    version: version ?? KAFKA_VERSION,
    spec: spec.data,
    create: (props) => create(parsed(spec, props), props),
  }
}

/** Throws ConfigError TRANSFORM_CONFIG with Kafka's texts of all errors, on the key of the first. */
function parsed<K extends Keys>(spec: ConfigSpec<K>, props: Props): ValuesOf<K> {
  try {
    return spec.parse(props)
  } catch (cause) {
    if (!(cause instanceof ConfigException)) throw cause
    const text = cause.errors.map(({ message }) => message).join('\n')
    throw transformErrors.TRANSFORM_CONFIG(text, { cause, field: cause.errors[0]!.name })
  }
}

/** The key or the value of a record. */
export interface Side {
  readonly isKey: boolean
  schema(record: ConnectRecord): Schema | null
  /** null for none. */
  value(record: ConnectRecord): unknown
  /** The record with this schema and value on the side. */
  with<R extends ConnectRecord>(record: R, schema: Schema | null, value: unknown): R
}

export const KEY: Side = {
  isKey: true,
  schema: (record) => record.keySchema ?? null,
  value: (record) => record.key ?? null,
  with: (record, keySchema, key) => ({ ...record, keySchema, key }),
}

export const VALUE: Side = {
  isKey: false,
  schema: (record) => record.valueSchema ?? null,
  value: (record) => record.value ?? null,
  with: (record, valueSchema, value) => ({ ...record, valueSchema, value }),
}

/** The record with another schema and value on the side. */
export function withSide<R extends ConnectRecord>(side: Side, record: R, schema: Schema | null, value: unknown): R {
  return side.with(record, schema, value)
}

/** The plugins `<class>$Key` and `<class>$Value` of one transform. `create` makes the one for a side. */
export function keyAndValue<K extends Keys>(
  classPrefix: string,
  spec: ConfigSpec<K>,
  create: (side: Side, config: ValuesOf<K>, props: Props) => Transformation,
  version?: string,
): readonly [key: TransformationPlugin, value: TransformationPlugin] {
  const of = (side: Side, suffix: string): TransformationPlugin =>
    defineTransformation({
      class: `${classPrefix}$${suffix}`,
      spec,
      ...(version !== undefined && { version }),
      create: (config, props) => create(side, config, props),
    })
  return [of(KEY, 'Key'), of(VALUE, 'Value')]
}
