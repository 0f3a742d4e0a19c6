import { type CastType, defineConfig, parseCastSpec, type ValuesOf } from '@tributary/config'
import { type ConnectRecord, hasDefault, type Schema, type Transformation } from '@tributary/connect-api'
import { keyAndValue, type Side } from '../../define.ts'
import { basicsOf, BySchema, fieldsOf, structOf, withDefault } from '../support/build.ts'
import { castValue } from '../support/cast-value.ts'
import { KAFKA, REPLACE_NULL } from '../support/keys.ts'
import { copyOf, entryOf, requireMap, requireStruct, setEntry } from '../support/require.ts'
import { copyStruct, type Slot, slotOf } from '../support/struct.ts'

const PURPOSE = 'cast types'

const spec = defineConfig({
  spec: {
    type: 'list',
    validator: { kind: 'castSpec' },
    importance: 'high',
    doc: 'List of fields and the type to cast them to of the form field1:type,field2:type to cast fields of Maps or Structs. A single type to cast the entire value. Valid types are int8, int16, int32, int64, float32, float64, boolean, and string. Note that binary fields can only be cast to string.',
  },
  'replace.null.with.default': REPLACE_NULL,
})

/** Changes the type of fields, or of the whole key or value. */
export const cast = keyAndValue(`${KAFKA}.Cast`, spec, (side, config) => new Cast(side, config))

interface Plan {
  readonly schema: Schema
  readonly slots: readonly Slot[]
}

class Cast implements Transformation {
  readonly #side: Side
  readonly #casts = new Map<string, CastType>()
  readonly #whole: CastType | null = null
  readonly #replaceNull: boolean
  readonly #plans = new BySchema((schema) => this.#plan(schema))

  constructor(side: Side, config: ValuesOf<typeof spec.keys>) {
    this.#side = side
    for (const { field, type } of parseCastSpec(config.spec)) {
      if (field === null) this.#whole = type
      else this.#casts.set(field, type)
    }
    this.#replaceNull = config['replace.null.with.default']
  }

  apply<R extends ConnectRecord>(record: R): R {
    const value = this.#side.value(record)
    if (value === null) return record
    const schema = this.#side.schema(record)
    if (schema === null) return this.#side.with(record, null, this.#castWithoutSchema(value))
    const plan = this.#plans.get(schema)
    if (this.#whole !== null) return this.#side.with(record, plan.schema, castValue(schema, value, this.#whole))
    const struct = requireStruct(schema, value, PURPOSE)
    return this.#side.with(record, plan.schema, copyStruct(struct, plan.slots))
  }

  #castWithoutSchema(value: unknown): unknown {
    if (this.#whole !== null) return castValue(null, value, this.#whole)
    const map = requireMap(value, PURPOSE)
    const updated = copyOf(map)
    for (const [name, type] of this.#casts) setEntry(updated, name, castValue(null, entryOf(map, name), type))
    return updated
  }

  #plan(schema: Schema): Plan {
    if (this.#whole !== null) {
      const changed = { type: this.#whole, ...basicsOf(schema) }
      return { schema: withCastDefault(changed, schema, this.#whole), slots: [] }
    }
    const fields = fieldsOf(schema).map((field) => {
      const type = this.#casts.get(field.name)
      return type === undefined ? field : { name: field.name, schema: withCastDefault({ type }, field.schema, type) }
    })
    const slots = fieldsOf(schema).map((field, i) => {
      const type = this.#casts.get(field.name)
      const convert = type === undefined ? null : (value: unknown) => castValue(field.schema, value, type)
      return slotOf(field, this.#replaceNull, fields[i]!.schema, convert)
    })
    const changed = structOf(basicsOf(schema), fields)
    // A default of the struct cannot be cast, and fails as in Kafka.
    return { schema: withCastDefault(changed, schema, 'struct'), slots }
  }
}

function withCastDefault(changed: Schema, from: Schema, type: CastType | 'struct'): Schema {
  const value = hasDefault(from) ? castValue(from, from.default, type) : null
  return withDefault(changed, from.optional, value)
}
