import { defineConfig } from '@tributary/config'
import { type ConnectRecord, Decimal, fieldValue, hasDefault, isPlainObject, javaClass } from '@tributary/connect-api'
import { type Field, type Schema, type Transformation, withoutDefault } from '@tributary/connect-api'
import { keyAndValue, type Side } from '../../define.ts'
import { transformErrors } from '../../errors.ts'
import { basicsOf, BySchema, fieldsOf, structOf, withDefault } from '../support/build.ts'
import { KAFKA } from '../support/keys.ts'
import { type Entries, requireMap, requireStruct, setOwn } from '../support/require.ts'
import { read, type Slot, slotOf, write } from '../support/struct.ts'

const PURPOSE = 'flattening'

const spec = defineConfig({
  delimiter: {
    type: 'string',
    default: '.',
    importance: 'medium',
    doc: 'Delimiter to insert between field names from the input record when generating field names for the output record',
  },
})

/** Makes one level of nested structs or maps. */
export const flatten = keyAndValue(`${KAFKA}.Flatten`, spec, (side, { delimiter }) => new Flatten(side, delimiter))

/** A field of the source: what it becomes, or the struct whose fields are taken instead. */
interface Part {
  readonly source: Slot
  readonly name: string
  readonly schema: Schema
  readonly nested: readonly Part[] | null
}

class Flatten implements Transformation {
  readonly #side: Side
  readonly #delimiter: string
  readonly #plans = new BySchema((schema) => this.#plan(schema))

  constructor(side: Side, delimiter: string) {
    this.#side = side
    this.#delimiter = delimiter
  }

  apply<R extends ConnectRecord>(record: R): R {
    const value = this.#side.value(record)
    if (value === null) return record
    const schema = this.#side.schema(record)
    const updated: Record<string, unknown> = {}
    if (schema === null) {
      this.#flattenMap(requireMap(value, PURPOSE), '', updated)
      return this.#side.with(record, null, updated)
    }
    const struct = requireStruct(schema, value, PURPOSE)
    const plan = this.#plans.get(schema)
    flattenStruct(struct, plan.parts, updated)
    return this.#side.with(record, plan.schema, updated)
  }

  #flattenMap(map: Entries, prefix: string, to: Record<string, unknown>): void {
    if (map instanceof Map) {
      for (const [name, value] of map as ReadonlyMap<string, unknown>) this.#flattenEntry(prefix, name, value, to)
    } else {
      for (const name of Object.keys(map)) {
        this.#flattenEntry(prefix, name, (map as Record<string, unknown>)[name], to)
      }
    }
  }

  #flattenEntry(prefix: string, key: string, value: unknown, to: Record<string, unknown>): void {
    const name = this.#name(prefix, key)
    if (value instanceof Map || isPlainObject(value)) this.#flattenMap(value as Entries, name, to)
    else if (value instanceof Date || value instanceof Decimal) {
      throw transformErrors.TRANSFORM_DATA(
        `Flatten transformation was passed a value of type ${javaClass(value)} which is not supported by Connect's data API`,
      )
    } else setOwn(to, name, value ?? null)
  }

  #name(prefix: string, name: string): string {
    return prefix === '' ? name : `${prefix}${this.#delimiter}${name}`
  }

  #plan(schema: Schema): { readonly schema: Schema; readonly parts: readonly Part[] } {
    const fields: Field[] = []
    const parts = this.#parts(schema, '', schema.optional === true, (schema.default as object) ?? null, fields)
    return { schema: structOf(basicsOf(schema), fields), parts }
  }

  /** `defaults`: the default of the struct that holds the fields. */
  #parts(schema: Schema, prefix: string, optional: boolean, defaults: object | null, to: Field[]): Part[] {
    return fieldsOf(schema).map((field) => {
      const name = this.#name(prefix, field.name)
      const mayLack = optional || field.schema.optional === true
      const inherited = defaults === null ? null : fieldValue(defaults, field)
      const value = hasDefault(field.schema) ? field.schema.default : inherited
      const { type } = field.schema
      if (type === 'map') {
        throw transformErrors.TRANSFORM_DATA(
          `Flatten transformation does not support MAP for record with schemas (for field ${name}).`,
        )
      }
      if (type === 'struct') {
        const nested = this.#parts(field.schema, name, mayLack, value as object | null, to)
        return { source: slotOf(field, false), name, schema: field.schema, nested }
      }
      const flat = withDefault({ type, ...basicsOf(field.schema), ...elementOf(field.schema) }, mayLack, value)
      to.push({ name, schema: flat })
      return { source: slotOf(field, true), name, schema: flat, nested: null }
    })
  }
}

function elementOf({ valueSchema }: Schema): Pick<Schema, 'valueSchema'> {
  return valueSchema === undefined ? {} : { valueSchema }
}

function flattenStruct(struct: object, parts: readonly Part[], to: Record<string, unknown>): void {
  for (const { source, name, schema, nested } of parts) {
    if (nested === null) write(to, name, schema, read(struct as Record<string, unknown>, source))
    else {
      const inner = withoutDefault(struct, source.name)
      if (inner !== null) flattenStruct(inner as object, nested, to)
    }
  }
}
