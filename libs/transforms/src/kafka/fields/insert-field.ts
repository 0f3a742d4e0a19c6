import { defineConfig, type KeySpec, type ValuesOf } from '@tributary/config'
import {
  type ConnectRecord,
  type Field,
  LOGICAL,
  OPTIONAL_STRING_SCHEMA,
  type Schema,
  STRING_SCHEMA,
  type Transformation,
} from '@tributary/connect-api'
import { keyAndValue, type Side } from '../../define.ts'
import { transformErrors } from '../../errors.ts'
import { basicsOf, BySchema, fieldsOf, structOf } from '../support/build.ts'
import { KAFKA, REPLACE_NULL } from '../support/keys.ts'
import { copyOf, type MutableEntries, requireMap, requireStruct, setEntry } from '../support/require.ts'
import { copyStruct, type Slot, slotOf } from '../support/struct.ts'

const PURPOSE = 'field insertion'
const OPTIONALITY = 'Suffix with `!` to make this a required field, or `?` to keep it optional (the default).'

const fieldKey = (doc: string): KeySpec & { type: 'string'; default: null } => ({
  type: 'string',
  default: null,
  importance: 'medium',
  doc,
})

const spec = defineConfig({
  'topic.field': fieldKey(`Field name for Kafka topic. ${OPTIONALITY}`),
  'partition.field': fieldKey(`Field name for Kafka partition. ${OPTIONALITY}`),
  'offset.field': fieldKey(`Field name for Kafka offset - only applicable to sink connectors. ${OPTIONALITY}`),
  'timestamp.field': fieldKey(`Field name for record timestamp. ${OPTIONALITY}`),
  'static.field': fieldKey(`Field name for static data field. ${OPTIONALITY}`),
  'static.value': fieldKey('Static field value, if field name configured.'),
  'replace.null.with.default': REPLACE_NULL,
})

/** Adds fields with what is known of the record, or with a fixed value. */
export const insertField = keyAndValue(`${KAFKA}.InsertField`, spec, (side, config) => new InsertField(side, config))

const INT32: Schema = { type: 'int32' }
const INT64: Schema = { type: 'int64' }
const TIMESTAMP: Schema = { type: 'int64', name: LOGICAL.Timestamp, version: 1 }

/** `name?` and `name`: an optional field; `name!`: a required one. */
function insertion(
  text: string | null,
  schema: Schema,
  optional: Schema = { ...schema, optional: true },
): Field | null {
  if (text === null) return null
  const name = /[?!]$/.test(text) ? text.slice(0, -1) : text
  return { name, schema: text.endsWith('!') ? schema : optional }
}

class InsertField implements Transformation {
  readonly #side: Side
  readonly #topic: Field | null
  readonly #partition: Field | null
  readonly #offset: Field | null
  readonly #timestamp: Field | null
  readonly #static: Field | null
  readonly #staticValue: string | null
  readonly #replaceNull: boolean
  readonly #plans = new BySchema((schema) => this.#plan(schema))

  constructor(side: Side, config: ValuesOf<typeof spec.keys>) {
    this.#side = side
    this.#topic = insertion(config['topic.field'], STRING_SCHEMA, OPTIONAL_STRING_SCHEMA)
    this.#partition = insertion(config['partition.field'], INT32)
    this.#offset = insertion(config['offset.field'], INT64)
    this.#timestamp = insertion(config['timestamp.field'], TIMESTAMP)
    this.#static = insertion(config['static.field'], STRING_SCHEMA, OPTIONAL_STRING_SCHEMA)
    this.#staticValue = config['static.value']
    this.#replaceNull = config['replace.null.with.default']
    if (this.#inserted().length === 0) {
      throw transformErrors.TRANSFORM_CONFIG('No field insertion configured', { field: 'topic.field' })
    }
    if (this.#static !== null && this.#staticValue === null) {
      const text = `Invalid value null for configuration static.value: No value specified for static field: ${this.#static.name}`
      throw transformErrors.TRANSFORM_CONFIG(text, { field: 'static.value' })
    }
  }

  apply<R extends ConnectRecord>(record: R): R {
    const value = this.#side.value(record)
    if (value === null) return record
    const schema = this.#side.schema(record)
    if (schema === null) {
      const updated = copyOf(requireMap(value, PURPOSE))
      this.#insert(record, updated, false)
      return this.#side.with(record, null, updated)
    }
    const struct = requireStruct(schema, value, PURPOSE)
    const plan = this.#plans.get(schema)
    const updated = copyStruct(struct, plan.slots)
    this.#insert(record, updated, true)
    return this.#side.with(record, plan.schema, updated)
  }

  #insert(record: ConnectRecord, to: MutableEntries, typed: boolean): void {
    const { partition, timestamp } = record
    if (this.#topic !== null) setEntry(to, this.#topic.name, record.topic)
    if (this.#partition !== null && partition !== undefined) setEntry(to, this.#partition.name, partition)
    if (this.#offset !== null) {
      const found = 'org.apache.kafka.connect.source.SourceRecord'
      throw transformErrors.TRANSFORM_DATA(`Only SinkRecord supported for [${PURPOSE}], found: ${found}`)
    }
    if (this.#timestamp !== null && timestamp !== null) {
      setEntry(to, this.#timestamp.name, typed ? new Date(timestamp) : timestamp)
    }
    if (this.#static !== null) setEntry(to, this.#static.name, this.#staticValue)
  }

  #inserted(): Field[] {
    const all = [this.#topic, this.#partition, this.#offset, this.#timestamp, this.#static]
    return all.filter((field) => field !== null)
  }

  #plan(schema: Schema): { readonly schema: Schema; readonly slots: readonly Slot[] } {
    const fields = fieldsOf(schema)
    return {
      schema: structOf(basicsOf(schema), [...fields, ...this.#inserted()]),
      slots: fields.map((field) => slotOf(field, this.#replaceNull)),
    }
  }
}
