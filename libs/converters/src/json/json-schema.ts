import { type Field, hasDefault, type Schema, validateValue } from '@tributary/connect-api'
import { converterErrors } from '../errors.ts'
import type { JsonReader } from './json-reader.ts'
import { jsonString, nodeType, numberOf } from './json-text.ts'
import type { JsonWriter } from './json-writer.ts'

/**
 * The JSON text of a schema, with its members in the order of JsonConverter.asJsonSchema. `field`: the name of the field that has
 * the schema.
 */
export function schemaText(schema: Schema, writer: JsonWriter, field?: string): string {
  const nested = (key: string, of: Schema | undefined): string => (of ? `,"${key}":${schemaText(of, writer)}` : '')
  let text = `{"type":"${wireName(schema.type)}"`
  if (schema.type === 'array') text += nested('items', schema.valueSchema)
  if (schema.type === 'map') text += nested('keys', schema.keySchema) + nested('values', schema.valueSchema)
  if (schema.type === 'struct') {
    const fields = (schema.fields ?? []).map((each) => schemaText(each.schema, writer, each.name))
    text += `,"fields":[${fields.join(',')}]`
  }
  text += `,"optional":${schema.optional === true}`
  if (schema.name !== undefined) text += `,"name":${jsonString(schema.name)}`
  if (schema.version !== undefined) text += `,"version":${schema.version}`
  if (schema.doc !== undefined) text += `,"doc":${jsonString(schema.doc)}`
  if (schema.parameters !== undefined) text += `,"parameters":${parametersText(schema.parameters)}`
  if (hasDefault(schema)) text += `,"default":${writer.of(schema)(schema.default)}`
  return `${text}${field === undefined ? '' : `,"field":${jsonString(field)}`}}`
}

function parametersText(parameters: Readonly<Record<string, string>>): string {
  return `{${Object.entries(parameters)
    .map(([name, value]) => `${jsonString(name)}:${jsonString(value)}`)
    .join(',')}}`
}

/** In JSON, Connect names the two float types differently. */
function wireName(type: Schema['type']): string {
  return type === 'float32' ? 'float' : type === 'float64' ? 'double' : type
}

const TYPES: Readonly<Record<string, Schema['type']>> = {
  boolean: 'boolean',
  int8: 'int8',
  int16: 'int16',
  int32: 'int32',
  int64: 'int64',
  float: 'float32',
  double: 'float64',
  bytes: 'bytes',
  string: 'string',
  array: 'array',
  map: 'map',
  struct: 'struct',
}

/** The schema of its JSON form, as JsonConverter.asConnectSchema reads it. Throws DataError. */
export function schemaFromJson(json: unknown, reader: JsonReader): Schema | null {
  if (json === null) return null
  const wire = member(json, 'type')
  if (typeof wire !== 'string') throw bad("Schema must contain 'type' field")
  if (!Object.hasOwn(TYPES, wire)) throw bad(`Unknown schema type: ${wire}`)
  const type = TYPES[wire]!
  const parts = partsFromJson(type, json, reader)
  const schema: Schema = { type, ...parts, ...annotations(json) }
  const value = member(json, 'default')
  if (value === undefined) return schema
  const byDefault = reader.of(schema)(value)
  checkDefault(schema, byDefault)
  return byDefault === null ? schema : { ...schema, default: byDefault }
}

function partsFromJson(type: Schema['type'], json: unknown, reader: JsonReader): Partial<Schema> {
  if (type === 'array') {
    const items = member(json, 'items')
    if (items === undefined || items === null) throw bad('Array schema did not specify the element type')
    return { valueSchema: schemaFromJson(items, reader)! }
  }
  if (type === 'map') {
    const [keys, values] = [member(json, 'keys'), member(json, 'values')]
    if (keys === undefined) throw bad('Map schema did not specify the key type')
    if (values === undefined) throw bad('Map schema did not specify the value type')
    const [keySchema, valueSchema] = [schemaFromJson(keys, reader), schemaFromJson(values, reader)]
    if (keySchema === null) throw bad('keySchema cannot be null.')
    if (valueSchema === null) throw bad('valueSchema cannot be null.')
    return { keySchema, valueSchema }
  }
  return type === 'struct' ? { fields: fieldsFromJson(member(json, 'fields'), reader) } : {}
}

function fieldsFromJson(json: unknown, reader: JsonReader): Field[] {
  if (!Array.isArray(json)) throw bad('Struct schema\'s "fields" argument is not an array.')
  const names = new Set<string>()
  return json.map((field: unknown): Field => {
    const name = member(field, 'field')
    if (typeof name !== 'string') throw bad("Struct schema's field name not specified properly")
    const schema = schemaFromJson(field, reader)!
    if (name === '') throw bad('fieldName cannot be null.')
    if (names.has(name)) throw bad(`Cannot create field because of field name duplication ${name}`)
    names.add(name)
    return { name, schema }
  })
}

function annotations(json: unknown): Partial<Schema> {
  const [name, version, doc] = [member(json, 'name'), member(json, 'version'), member(json, 'doc')]
  const parameters = member(json, 'parameters')
  const number = numberOf(version)
  const integral = typeof number === 'bigint' ? Number(BigInt.asIntN(32, number)) : number
  return {
    ...(member(json, 'optional') === true && { optional: true }),
    ...(typeof name === 'string' && { name }),
    ...(integral !== null && Number.isInteger(integral) && { version: integral | 0 }),
    ...(typeof doc === 'string' && { doc }),
    ...(isObject(parameters) && Object.keys(parameters).length > 0 && { parameters: texts(parameters) }),
  }
}

function texts(parameters: object): Readonly<Record<string, string>> {
  if (Object.values(parameters).every((value) => typeof value === 'string')) return parameters as Record<string, string>
  throw bad('Schema parameters must have string values.')
}

function checkDefault(schema: Schema, value: unknown): void {
  try {
    // Connect compares the struct's schema with the one that is still being built, and finds them different.
    if (schema.type === 'struct' && value !== null) throw bad('Struct schemas do not match.')
    validateValue(schema, value)
  } catch (cause) {
    throw bad('Invalid default value', cause)
  }
}

/** undefined: `json` is no object, or has no such member. */
function member(json: unknown, name: string): unknown {
  return isObject(json) && Object.hasOwn(json, name) ? (json as Record<string, unknown>)[name] : undefined
}

function isObject(json: unknown): json is object {
  return nodeType(json) === 'OBJECT'
}

function bad(message: string, cause?: unknown): Error {
  return converterErrors.CONVERTER_BAD_JSON(message, cause === undefined ? {} : { cause })
}
