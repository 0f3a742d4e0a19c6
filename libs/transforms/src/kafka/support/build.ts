import { type Field, fits, hasDefault, type Schema, validateValue } from '@tributary/connect-api'
import { transformErrors } from '../../errors.ts'

/** What a changed schema keeps of its source: name, version, doc and parameters, but neither optional nor default. */
export type Basics = Pick<Schema, 'name' | 'version' | 'doc' | 'parameters'>

export function basicsOf({ name, version, doc, parameters }: Schema): Basics {
  return {
    ...(name !== undefined && { name }),
    ...(version !== undefined && { version }),
    ...(doc !== undefined && { doc }),
    ...(parameters !== undefined && Object.keys(parameters).length > 0 && { parameters }),
  }
}

/** A struct schema. Throws DataError, in the words of Connect's SchemaBuilder, for an empty name and for one that occurs twice. */
export function structOf(basics: Basics, fields: readonly Field[]): Schema {
  const names = new Set<string>()
  for (const { name } of fields) {
    if (name === '') throw transformErrors.TRANSFORM_DATA('fieldName cannot be null.')
    if (names.has(name)) {
      throw transformErrors.TRANSFORM_DATA(`Cannot create field because of field name duplication ${name}`)
    }
    names.add(name)
  }
  return { type: 'struct', ...basics, fields }
}

/** The fields of a struct schema. Throws DataError for any other schema. */
export function fieldsOf(schema: Schema): readonly Field[] {
  if (schema.type !== 'struct') throw transformErrors.TRANSFORM_DATA('Cannot list fields on non-struct type')
  return schema.fields ?? []
}

/** The schema with optional and default. Throws DataError for a default that does not fit it. */
export function withDefault(schema: Schema, optional: boolean | undefined, value: unknown): Schema {
  const changed: Schema = { ...schema, ...(optional === true && { optional: true }) }
  if (value === null || value === undefined) return changed
  try {
    if (fits(changed, value)) validateValue(changed, value)
    else throw new TypeError(changed.type)
  } catch (cause) {
    throw transformErrors.TRANSFORM_DATA('Invalid default value', { cause })
  }
  return { ...changed, default: value }
}

export { hasDefault }

/** Keeps what is derived of a schema for as long as the schema lives. The last one is found without a look-up. */
export class BySchema<T> {
  readonly #derive: (schema: Schema) => T
  readonly #known = new WeakMap<Schema, T>()
  #last: Schema | null = null
  #lastResult: T | null = null

  constructor(derive: (schema: Schema) => T) {
    this.#derive = derive
  }

  get(schema: Schema): T {
    if (schema === this.#last) return this.#lastResult!
    let result = this.#known.get(schema)
    if (result === undefined) {
      result = this.#derive(schema)
      this.#known.set(schema, result)
    }
    this.#last = schema
    this.#lastResult = result
    return result
  }
}
