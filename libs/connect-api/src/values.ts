import { Decimal } from './decimal.ts'
import { commonErrors } from './common-errors.ts'
import { javaClass } from './java-class.ts'
import { type Field, LOGICAL, type Schema } from './schema.ts'

/**
 * What Connect's classes Struct and ConnectSchema do with values, with the words of their errors. Every function throws DataError
 * `VALUE_INVALID` for a value that does not fit.
 */

/** The value of a field as Struct.get gives it: its default if it has no value, and null without one. */
export function fieldValue(struct: object, field: Field): unknown {
  return withoutDefault(struct, field.name) ?? field.schema.default ?? null
}

/** The value of a field as Struct.getWithoutDefault gives it: null if it has none. A field may be named `constructor`. */
export function withoutDefault(struct: object, name: string): unknown {
  return Object.hasOwn(struct, name) ? ((struct as Record<string, unknown>)[name] ?? null) : null
}

const fieldsByName = new WeakMap<Schema, ReadonlyMap<string, Field>>()

/** The field of a struct schema by its name. Undefined: there is none. */
export function fieldOf(schema: Schema, name: string): Field | undefined {
  let fields = fieldsByName.get(schema)
  if (fields === undefined) {
    fields = new Map((schema.fields ?? []).map((field) => [field.name, field]))
    fieldsByName.set(schema, fields)
  }
  return fields.get(name)
}

/** As ConnectSchema.validateValue. `field`: the name of the field that holds the value, for the text. */
export function validateValue(schema: Schema, value: unknown, field?: string): void {
  validate(schema, value, '', field)
}

/** `within` and `field` are what `placeOf` makes a text of, which only an error needs. */
function validate(schema: Schema, value: unknown, within: string, field: string | undefined): void {
  if (value === null || value === undefined) {
    if (schema.optional === true) return
    const type = schema.type.toUpperCase()
    throw invalid(`Invalid value: null used for required ${placeOf(within, field)}, schema type: ${type}`)
  }
  if (!fits(schema, value)) {
    const name = schema.name === undefined ? '' : ` "${schema.name}"`
    const expected = `schema${name} with type ${schema.type.toUpperCase()}`
    throw invalid(`Invalid Java object for ${expected}: ${javaClass(value)} for ${placeOf(within, field)}`)
  }
  if (schema.type === 'struct') validateStruct(schema, value)
  else if (schema.type === 'array') {
    const inArray = `element of array ${within}`
    const elements = needed(schema.valueSchema, inArray, field)
    for (const entry of value as readonly unknown[]) validate(elements, entry, inArray, field)
  } else if (schema.type === 'map') {
    validateMap(schema, value, within, field)
  }
}

function validateStruct(schema: Schema, value: unknown): void {
  for (const field of schema.fields ?? []) {
    const own = withoutDefault(value as object, field.name)
    if (own === null && (field.schema.optional === true || hasDefault(field.schema))) continue
    validate(field.schema, own, '', field.name)
  }
}

function validateMap(schema: Schema, value: unknown, within: string, field: string | undefined): void {
  const [inKeys, inValues] = [`key of map ${within}`, `value of map ${within}`]
  const keys = needed(schema.keySchema, inKeys, field)
  const values = needed(schema.valueSchema, inValues, field)
  for (const [k, v] of value instanceof Map ? (value as Map<unknown, unknown>) : Object.entries(value as object)) {
    validate(keys, k, inKeys, field)
    validate(values, v, inValues, field)
  }
}

function needed(schema: Schema | undefined, within: string, field: string | undefined): Schema {
  if (schema === undefined) throw invalid(`No schema defined for ${placeOf(within, field)}`)
  return schema
}

function placeOf(within: string, field: string | undefined): string {
  return within + (field === undefined ? 'value' : `field: "${field}"`)
}

/** Whether a schema has a default: null is none, as in Connect. */
export function hasDefault(schema: Schema): boolean {
  return schema.default !== undefined && schema.default !== null
}

const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

/** Whether the outermost value has the class that the schema wants. `value` is not null. */
export function fits(schema: Schema, value: unknown): boolean {
  switch (schema.name) {
    case LOGICAL.Decimal:
      return value instanceof Decimal
    case LOGICAL.Date:
    case LOGICAL.Time:
    case LOGICAL.Timestamp:
      return value instanceof Date
    default:
      return fitsType(schema.type, value)
  }
}

function fitsType(type: Schema['type'], value: unknown): boolean {
  switch (type) {
    case 'int8':
      return isWhole(value, 0x7f)
    case 'int16':
      return isWhole(value, 0x7fff)
    case 'int32':
      return isWhole(value, 0x7fffffff)
    case 'int64':
      return typeof value === 'bigint' ? value >= INT64_MIN && value <= INT64_MAX : Number.isSafeInteger(value)
    case 'float32':
    case 'float64':
      return typeof value === 'number'
    case 'boolean':
      return typeof value === 'boolean'
    case 'string':
      return typeof value === 'string'
    case 'bytes':
      return value instanceof Uint8Array
    case 'array':
      return Array.isArray(value)
    case 'map':
      return value instanceof Map || isPlainObject(value)
    case 'struct':
      return isPlainObject(value)
  }
}

function isWhole(value: unknown, max: number): boolean {
  return Number.isInteger(value) && (value as number) <= max && (value as number) >= -max - 1
}

/** A struct, or Java's Map without schema. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  if (Object.getPrototypeOf(value) === Object.prototype) return true
  return !(value instanceof Map || value instanceof Uint8Array || value instanceof Decimal || value instanceof Date)
}

const knownEqual = new WeakMap<Schema, WeakSet<Schema>>()

/** As ConnectSchema.equals: compares type, optional, version, name, doc, default, fields with their order, key, value, parameters. */
export function equalSchemas(a: Schema | null | undefined, b: Schema | null | undefined): boolean {
  if (a === b) return true
  if (!a || !b) return (a ?? null) === (b ?? null)
  let known = knownEqual.get(a)
  if (known?.has(b) === true) return true
  if (!haveEqualParts(a, b)) return false
  if (known === undefined) {
    known = new WeakSet()
    knownEqual.set(a, known)
  }
  known.add(b)
  return true
}

function haveEqualParts(a: Schema, b: Schema): boolean {
  return (
    a.type === b.type &&
    (a.optional ?? false) === (b.optional ?? false) &&
    a.version === b.version &&
    a.name === b.name &&
    a.doc === b.doc &&
    equalValues(a.default ?? null, b.default ?? null) &&
    equalFields(a.fields ?? [], b.fields ?? []) &&
    equalSchemas(a.keySchema, b.keySchema) &&
    equalSchemas(a.valueSchema, b.valueSchema) &&
    equalParameters(a.parameters, b.parameters)
  )
}

function equalFields(a: readonly Field[], b: readonly Field[]): boolean {
  return a.length === b.length && a.every((f, i) => f.name === b[i]!.name && equalSchemas(f.schema, b[i]!.schema))
}

function equalParameters(a: Schema['parameters'], b: Schema['parameters']): boolean {
  if (a === undefined || b === undefined) return a === b
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && a[name] === b[name])
}

/** Whether two Connect values are equal: by content, -0 unlike 0, NaN like NaN, decimals by scale too, as in Java. */
export function equalValues(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0
  if (a instanceof Decimal) return b instanceof Decimal && a.unscaled === b.unscaled && a.scale === b.scale
  if (a instanceof Date) return b instanceof Date && a.getTime() === b.getTime()
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((v, i) => equalValues(v, b[i]))
  if (a instanceof Map) return b instanceof Map && a.size === b.size && [...a].every(([k, v]) => hasEntry(b, k, v))
  if (!isPlainObject(a) || !isPlainObject(b)) return false
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])]
  return names.every((name) => equalValues(withoutDefault(a, name), withoutDefault(b, name)))
}

function hasEntry(map: ReadonlyMap<unknown, unknown>, key: unknown, value: unknown): boolean {
  if (map.has(key)) return equalValues(map.get(key), value)
  return typeof key === 'object' && [...map].some(([k, v]) => equalValues(k, key) && equalValues(v, value))
}

function invalid(message: string): Error {
  return commonErrors.VALUE_INVALID(message)
}
