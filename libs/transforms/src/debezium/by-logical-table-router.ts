import { defineConfig, type ValuesOf } from '@tributary/config'
import {
  type ConnectRecord,
  type Field,
  fieldOf,
  fieldValue,
  javaClass,
  type Schema,
  STRING_SCHEMA,
  type Transformation,
} from '@tributary/connect-api'
import { defineTransformation } from '../define.ts'
import { transformErrors } from '../errors.ts'
import { BySchema, fieldsOf, structOf } from '../kafka/support/build.ts'
import { requireStruct, setOwn } from '../kafka/support/require.ts'
import { write } from '../kafka/support/struct.ts'
import { envelopeName, isEnvelope, isTombstone } from './envelope.ts'
import { type Adjustment, adjustedName, ADJUSTMENTS } from './schema-names.ts'
import { nameReplacement } from './topic-replacement.ts'
import { DEBEZIUM_VERSION } from './version.ts'

const PURPOSE = 'Updating schema'

type Struct = Readonly<Record<string, unknown>>

const spec = defineConfig({
  'topic.regex': {
    type: 'string',
    validator: { kind: 'all', of: [{ kind: 'nonEmpty' }, { kind: 'regex' }] },
    importance: 'low',
    doc: 'The regular expression that the whole topic must match. Records of other topics stay as they are.',
    example: '(.*)customers_shard(.*)',
  },
  'topic.replacement': {
    type: 'string',
    validator: { kind: 'nonEmpty' },
    importance: 'low',
    doc: 'The new topic, in which `$1` stands for the first group of `topic.regex`.',
    example: '$1customers_all_shards',
  },
  'key.enforce.uniqueness': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether a field with the name of the table is added to the key. Without it rows of two tables with the same key are one to Kafka.',
  },
  'key.field.name': {
    type: 'string',
    default: '__dbz__physicalTableIdentifier',
    importance: 'low',
    doc: 'The name of that field.',
  },
  'key.field.regex': {
    type: 'string',
    default: null,
    untrimmed: true,
    validator: { kind: 'regex' },
    importance: 'low',
    doc: 'A regular expression by which the content of that field is made of the old topic. Without it, and for topics that do not match, the content is the old topic.',
  },
  'key.field.replacement': {
    type: 'string',
    default: null,
    untrimmed: true,
    importance: 'low',
    doc: 'The content of that field, in which `$1` stands for the first group of `key.field.regex`. Required with it.',
  },
  'schema.name.adjustment.mode': {
    type: 'string',
    default: 'none',
    validator: { kind: 'oneOf', values: ADJUSTMENTS, ignoreCase: true },
    importance: 'low',
    doc: 'How the names of schemas, which are made of the new topic, are made fit for Avro: not at all, with `_` for each other character, or with `_u` and the number of the character.',
  },
  'logical.table.cache.size': {
    type: 'int',
    default: 16,
    importance: 'low',
    doc: 'Read and not used: derived schemas live as long as those they are derived of.',
  },
})

/** Brings the events of several tables to one topic. */
export const byLogicalTableRouter = defineTransformation({
  class: 'io.debezium.transforms.ByLogicalTableRouter',
  version: DEBEZIUM_VERSION,
  spec,
  create: (config) => new ByLogicalTableRouter(config),
})

class ByLogicalTableRouter implements Transformation {
  readonly #newTopic: (topic: string) => string | null
  readonly #identifier: (topic: string) => string | null
  readonly #enforce: boolean
  readonly #fieldName: string
  readonly #adjustment: Adjustment
  /** By the new topic, whose name the schemas get. Topics are few. */
  readonly #tables = new Map<string, { readonly keys: BySchema<Schema>; readonly envelopes: BySchema<Schema> }>()

  constructor(config: ValuesOf<typeof spec.keys>) {
    this.#newTopic = nameReplacement(
      { key: 'topic.regex', value: config['topic.regex'] },
      { key: 'topic.replacement', value: config['topic.replacement'] },
    )
    this.#enforce = config['key.enforce.uniqueness']
    this.#fieldName = config['key.field.name']
    this.#adjustment = config['schema.name.adjustment.mode'].toLowerCase() as Adjustment
    const [regex, replacement] = [config['key.field.regex'] ?? '', config['key.field.replacement'] ?? '']
    if (regex.trim() !== '' && replacement.trim() === '') {
      throw transformErrors.TRANSFORM_CONFIG(
        'Invalid value null for configuration key.field.replacement: key.field.replacement must be non-empty if key.field.regex is set.',
        { field: 'key.field.replacement' },
      )
    }
    this.#identifier =
      regex.trim() === ''
        ? () => null
        : nameReplacement(
            { key: 'key.field.regex', value: regex },
            { key: 'key.field.replacement', value: replacement },
          )
  }

  apply<R extends ConnectRecord>(record: R): R {
    const topic = this.#newTopic(record.topic)
    // Neither a topic that does not match nor an empty name.
    if (topic === null || topic === '') return record
    const { keys, envelopes } = this.#table(topic)
    let routed: R = { ...record, topic, key: null, keySchema: null }
    if (record.key !== null && record.key !== undefined) {
      const old = requireStruct(keySchemaOf(record), record.key, PURPOSE)
      const keySchema = keys.get(record.keySchema!)
      routed = { ...routed, key: this.#keyOf(record, old, keySchema), keySchema }
    }
    if (isTombstone(record) || !isEnvelope(record)) return routed
    const event = requireStruct(record.valueSchema!, record.value, PURPOSE)
    const valueSchema = envelopes.get(record.valueSchema!)
    return { ...routed, value: eventOf(event, record.valueSchema!, valueSchema), valueSchema }
  }

  #table(topic: string): { readonly keys: BySchema<Schema>; readonly envelopes: BySchema<Schema> } {
    let table = this.#tables.get(topic)
    if (table === undefined) {
      if (this.#tables.size >= MAX_TABLES) this.#tables.clear()
      table = {
        keys: new BySchema((schema) => this.#keySchemaOf(schema, topic)),
        envelopes: new BySchema((schema) => this.#envelopeOf(schema, topic)),
      }
      this.#tables.set(topic, table)
    }
    return table
  }

  #keySchemaOf(schema: Schema, topic: string): Schema {
    const added: Field[] = this.#enforce ? [{ name: this.#fieldName, schema: STRING_SCHEMA }] : []
    return this.#renamed(schema, `${topic}.Key`, [...fieldsOf(schema), ...added])
  }

  #keyOf(record: ConnectRecord, old: Struct, schema: Schema): Struct {
    const key = structWith(old, fieldsOf(record.keySchema!), schema)
    if (this.#enforce) setOwn(key, this.#fieldName, this.#identifier(record.topic) ?? record.topic)
    return key
  }

  #envelopeOf(schema: Schema, topic: string): Schema {
    const before = fieldOf(schema, 'before')?.schema
    if (before === undefined) {
      throw transformErrors.TRANSFORM_DATA(
        'the change event has no field before, of which the schema of the rows is made',
      )
    }
    const row = this.#renamed(before, `${topic}.Value`, fieldsOf(before))
    const fields = fieldsOf(schema).map(({ name, schema: own }) => ({
      name,
      schema: name === 'before' || name === 'after' ? row : own,
    }))
    return this.#renamed(schema, envelopeName(topic), fields)
  }

  #renamed(schema: Schema, name: string, fields: readonly Field[]): Schema {
    const { version, doc, parameters, optional } = schema
    const basics = {
      name: adjustedName(name, this.#adjustment),
      ...(version !== undefined && { version }),
      ...(doc !== undefined && { doc }),
      ...(parameters !== undefined && { parameters }),
    }
    return { ...structOf(basics, fields), ...(optional === true && { optional: true }) }
  }
}

const MAX_TABLES = 1000

function keySchemaOf({ keySchema, key }: ConnectRecord): Schema {
  if (!keySchema) {
    const found = javaClass(key, null).slice('class '.length)
    throw transformErrors.TRANSFORM_DATA(`Only Struct objects supported for [${PURPOSE}], found: ${found}`)
  }
  return keySchema
}

/** A struct with the values of another one. A field without a value gets its default, as Struct.get gives it. */
function structWith(old: Struct, fields: readonly Field[], schema: Schema): Record<string, unknown> {
  const struct: Record<string, unknown> = {}
  for (const field of fields) write(struct, field.name, fieldOf(schema, field.name)!.schema, fieldValue(old, field))
  return struct
}

function eventOf(event: Struct, from: Schema, schema: Schema): Struct {
  const changed = structWith(event, fieldsOf(from), schema)
  for (const name of ['before', 'after']) {
    const own = fieldOf(from, name)?.schema
    const row = changed[name]
    if (own !== undefined && row !== null && row !== undefined) {
      changed[name] = structWith(requireStruct(own, row, PURPOSE), fieldsOf(own), fieldOf(schema, name)!.schema)
    }
  }
  return changed
}
