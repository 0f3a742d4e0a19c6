import { defineConfig, type ValuesOf } from '@tributary/config'
import { type ConnectRecord, fieldOf, type Header, type Schema, type Transformation } from '@tributary/connect-api'
import { keyAndValue, type Side } from '../../define.ts'
import { transformErrors } from '../../errors.ts'
import { basicsOf, BySchema, fieldsOf, structOf } from '../support/build.ts'
import { KAFKA, NOT_EMPTY, REPLACE_NULL } from '../support/keys.ts'
import { copyOf, entryOf, removeEntry, requireMap, requireStruct } from '../support/require.ts'
import { read, type Slot, slotOf, write } from '../support/struct.ts'

const spec = defineConfig({
  fields: {
    type: 'list',
    validator: NOT_EMPTY,
    importance: 'high',
    doc: 'Field names in the record whose values are to be copied or moved to headers.',
  },
  headers: {
    type: 'list',
    validator: NOT_EMPTY,
    importance: 'high',
    doc: 'Header names, in the same order as the field names listed in the fields configuration property.',
  },
  operation: {
    type: 'string',
    validator: { kind: 'oneOf', values: ['move', 'copy'], rejectNull: true },
    importance: 'high',
    doc: 'Either move if the fields are to be moved to the headers (removed from the key/value), or copy if the fields are to be copied to the headers (retained in the key/value).',
  },
  'replace.null.with.default': REPLACE_NULL,
})

/** Copies or moves fields into headers. */
export const headerFrom = keyAndValue(`${KAFKA}.HeaderFrom`, spec, (side, config) => new HeaderFrom(side, config))

/** What follows from the schema of a side. */
interface Plan {
  /** The schema and the fields that stay. */
  readonly schema: Schema
  readonly kept: readonly Slot[]
  /** The field of each header; null for one that the schema has not. */
  readonly sources: readonly (Slot | null)[]
}

class HeaderFrom implements Transformation {
  readonly #side: Side
  readonly #fields: readonly string[]
  readonly #names: readonly string[]
  readonly #move: boolean
  readonly #purpose: string
  readonly #replaceNull: boolean
  readonly #plans = new BySchema((schema) => this.#plan(schema))

  constructor(side: Side, config: ValuesOf<typeof spec.keys>) {
    this.#side = side
    this.#fields = config.fields
    this.#names = config.headers
    if (this.#fields.length !== this.#names.length) {
      const text = "'fields' config must have the same number of elements as 'headers' config."
      throw transformErrors.TRANSFORM_CONFIG(text, { field: 'headers' })
    }
    this.#move = config.operation === 'move'
    this.#purpose = `header ${config.operation}`
    this.#replaceNull = config['replace.null.with.default']
  }

  apply<R extends ConnectRecord>(record: R): R {
    const schema = this.#side.schema(record)
    const value = this.#side.value(record)
    const headers = [...(record.headers ?? [])]
    if (schema === null) return this.#schemaless(record, value, headers)
    const struct = requireStruct(schema, value, this.#purpose)
    const plan = this.#plans.get(schema)
    let left = struct
    if (this.#move) {
      const copy: Record<string, unknown> = {}
      for (const slot of plan.kept) write(copy, slot.name, slot.schema, read(struct, slot))
      left = copy
    }
    for (let i = 0; i < plan.sources.length; i++) {
      const slot = plan.sources[i] ?? null
      if (slot === null) throw transformErrors.TRANSFORM_DATA(`Field does not exist: ${this.#fields[i]!}`)
      headers.push(headerOf(this.#names[i]!, slot.schema, read(struct, slot)))
    }
    return this.#side.with({ ...record, headers }, plan.schema, left)
  }

  #schemaless<R extends ConnectRecord>(record: R, value: unknown, headers: Header[]): R {
    const map = requireMap(value, this.#purpose)
    const left = copyOf(map)
    for (let i = 0; i < this.#fields.length; i++) {
      const field = this.#fields[i]!
      headers.push({ name: this.#names[i]!, schema: null, value: entryOf(map, field) })
      if (this.#move) removeEntry(left, field)
    }
    return this.#side.with({ ...record, headers }, null, left)
  }

  #plan(schema: Schema): Plan {
    const stay = this.#move ? fieldsOf(schema).filter(({ name }) => !this.#fields.includes(name)) : []
    const changed = this.#move ? structOf(basicsOf(schema), stay) : schema
    const sources = this.#fields.map((name) => {
      const field = fieldOf(schema, name)
      return field === undefined ? null : slotOf(field, this.#replaceNull)
    })
    return { schema: changed, kept: stay.map((field) => slotOf(field, this.#replaceNull)), sources }
  }
}

function headerOf(name: string, schema: Schema, value: unknown): Header {
  if (value === null && schema.optional !== true) {
    const shown = `${schema.name === undefined ? '' : `${schema.name}:`}${schema.type.toUpperCase()}`
    throw transformErrors.TRANSFORM_DATA(`A null value requires an optional schema but was Schema{${shown}}`)
  }
  return { name, schema, value }
}
