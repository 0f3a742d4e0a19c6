import { type ConnectRecord, Decimal, fits, type Header, isLong, type Schema } from '@tributary/connect-api'

/**
 * Connect's schemas and values as plain JSON, in which every value says its Java class, so that both a JVM and we can read it:
 *
 * | value | form |
 * |---|---|
 * | null, boolean, string | themselves |
 * | Byte, Short, Integer | `{"int8": 1}`, `{"int16": 1}`, `{"int32": 1}` |
 * | Long | `{"int64": "1"}` |
 * | Float, Double | `{"float32": "NaN"}`, `{"float64": "-0.0"}`: Java's text |
 * | bytes | `{"bytes": Base64}` |
 * | BigDecimal | `{"decimal": [unscaled value as text, scale]}` |
 * | Date | `{"date": ms as text}` |
 * | List | `{"array": […]}` |
 * | Map | `{"map": [[key, value], …]}` |
 * | Struct | `{"struct": [value of each field, in order]}`, and `schema` if it is not the one of its place |
 *
 * A schema is an object with the members of `Schema`, where `default` is such a value.
 */
export type Neutral = null | boolean | string | number | readonly Neutral[] | { readonly [name: string]: Neutral }

export interface NeutralData {
  readonly schema: Neutral
  readonly value: Neutral
}

export function encodeSchema(schema: Schema | null | undefined): Neutral {
  if (!schema) return null
  return {
    type: schema.type,
    ...(schema.optional === true && { optional: true }),
    ...(schema.name !== undefined && { name: schema.name }),
    ...(schema.version !== undefined && { version: schema.version }),
    ...(schema.doc !== undefined && { doc: schema.doc }),
    ...(schema.parameters !== undefined && { parameters: schema.parameters }),
    ...(schema.default !== undefined &&
      schema.default !== null && { default: encodeValue(schema.default, { ...schema, default: null }) }),
    ...(schema.type === 'struct' && {
      fields: (schema.fields ?? []).map(({ name, schema: field }) => ({ name, schema: encodeSchema(field) })),
    }),
    ...(schema.type === 'map' && { keySchema: encodeSchema(schema.keySchema) }),
    ...((schema.type === 'map' || schema.type === 'array') && { valueSchema: encodeSchema(schema.valueSchema) }),
  }
}

type Members = Readonly<Record<string, Neutral>>

export function decodeSchema(json: Neutral): Schema | null {
  if (json === null) return null
  const { default: value, fields, keySchema, valueSchema, ...rest } = json as Members
  const schema = {
    ...rest,
    ...(fields !== undefined && {
      fields: (fields as readonly Members[]).map(({ name, schema: field }) => ({ name, schema: decodeSchema(field!) })),
    }),
    ...(keySchema !== undefined && keySchema !== null && { keySchema: decodeSchema(keySchema) }),
    ...(valueSchema !== undefined && valueSchema !== null && { valueSchema: decodeSchema(valueSchema) }),
  } as unknown as Schema
  return value === undefined ? schema : { ...schema, default: decodeValue(value, schema) }
}

const INTEGERS = ['int8', 'int16', 'int32']

/** The value of a place with this schema. One that does not fit it is encoded as what it is without schema. */
export function encodeValue(value: unknown, schema?: Schema | null): Neutral {
  if (value === null || value === undefined) return null
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'bigint':
      return { int64: String(value) }
    case 'number':
      return encodeNumber(value, schema && fits(schema, value) ? schema.type : undefined)
    default:
      return encodeObject(value, schema)
  }
}

function encodeNumber(value: number, type: Schema['type'] | undefined): Neutral {
  if (type === 'float32' || type === 'float64') return { [type]: numberText(value) }
  if (type !== undefined && INTEGERS.includes(type)) return { [type]: value + 0 }
  if (type === 'int64') return { int64: String(value) }
  return isLong(value) ? { int64: String(value) } : { float64: numberText(value) }
}

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0.0' : String(value)
}

function encodeObject(value: unknown, schema?: Schema | null): Neutral {
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('base64') }
  if (value instanceof Decimal) return { decimal: [String(value.unscaled), value.scale] }
  if (value instanceof Date) return { date: String(value.getTime()) }
  const elements = schema?.type === 'array' || schema?.type === 'map' ? schema.valueSchema : null
  if (Array.isArray(value)) return { array: value.map((element) => encodeValue(element, elements)) }
  if (schema?.type === 'struct' && !(value instanceof Map)) {
    const own = (name: string): unknown =>
      Object.hasOwn(value as object, name) ? (value as Record<string, unknown>)[name] : null
    return { struct: (schema.fields ?? []).map((field) => encodeValue(own(field.name), field.schema)) }
  }
  const entries = value instanceof Map ? [...(value as Map<unknown, unknown>)] : Object.entries(value as object)
  return { map: entries.map(([k, v]) => [encodeValue(k, schema?.keySchema), encodeValue(v, elements)]) }
}

/** Without a schema a map with string keys alone becomes a plain object, and a Long a number if it is exact. */
export function decodeValue(json: Neutral, schema?: Schema | null): unknown {
  if (json === null || typeof json === 'boolean' || typeof json === 'string') return json
  const [tag, form] = Object.entries(json as Members)[0]!
  switch (tag) {
    case 'int8':
    case 'int16':
    case 'int32':
      return form
    case 'int64':
      return schema || !Number.isSafeInteger(Number(form)) ? BigInt(form as string) : Number(form)
    case 'float32':
      return Math.fround(Number(form))
    case 'float64':
      return Number(form)
    case 'bytes':
      return Buffer.from(form as string, 'base64')
    case 'decimal':
      return new Decimal(BigInt((form as Neutral[])[0] as string), (form as Neutral[])[1] as number)
    case 'date':
      return new Date(Number(form))
    case 'array':
      return (form as Neutral[]).map((element) => decodeValue(element, schema?.valueSchema))
    case 'map':
      return decodeMap(form as [Neutral, Neutral][], schema)
    case 'struct':
      return decodeStruct(form as Neutral[], (json as Members)['schema'], schema)
    default:
      throw new Error(`no form of a value: ${tag} ${JSON.stringify(form)}`)
  }
}

function decodeMap(form: readonly [Neutral, Neutral][], schema?: Schema | null): unknown {
  const entries = form.map(([k, v]): [unknown, unknown] => [
    decodeValue(k, schema?.keySchema),
    decodeValue(v, schema?.valueSchema),
  ])
  if (schema || !entries.every(([k]) => typeof k === 'string')) return new Map(entries)
  return Object.fromEntries(entries as [string, unknown][])
}

function decodeStruct(form: readonly Neutral[], own: Neutral | undefined, place?: Schema | null): unknown {
  const { fields = [] } = (own === undefined ? place : decodeSchema(own))!
  return Object.fromEntries(fields.map((field, i) => [field.name, decodeValue(form[i]!, field.schema)]))
}

export function encodeData(schema: Schema | null | undefined, value: unknown): NeutralData {
  return { schema: encodeSchema(schema), value: encodeValue(value, schema) }
}

export function decodeData(data: NeutralData): { schema: Schema | null; value: unknown } {
  const schema = decodeSchema(data.schema)
  return { schema, value: decodeValue(data.value, schema) }
}

/** `offset` makes it a record of a sink on the JVM. */
export function encodeRecord(record: ConnectRecord, offset?: number): Neutral {
  return {
    topic: record.topic,
    partition: record.partition ?? null,
    timestamp: record.timestamp,
    key: { ...encodeData(record.keySchema, record.key) },
    value: { ...encodeData(record.valueSchema, record.value) },
    headers: (record.headers ?? []).map(({ name, schema, value }) => ({ name, ...encodeData(schema, value) })),
    ...(offset !== undefined && { offset }),
  }
}

export function decodeRecord(json: unknown): ConnectRecord | null {
  if (json === null) return null
  const { topic, partition, timestamp, key, value, headers } = json as Record<string, unknown>
  const { schema: keySchema, value: keyValue } = decodeData(key as NeutralData)
  const { schema: valueSchema, value: valueValue } = decodeData(value as NeutralData)
  return {
    topic: topic as string,
    ...(partition !== null && { partition: partition as number }),
    timestamp: timestamp as number | null,
    key: keyValue,
    keySchema,
    value: valueValue,
    valueSchema,
    headers: (headers as (NeutralData & { readonly name: string })[]).map((header): Header => {
      return { name: header.name, ...decodeData(header) }
    }),
  }
}

/**
 * The form of a record for `deepEqual`: a field without value is null, maps are in the order of their text, and numbers without
 * schema are what they are here. Give it the JVM's record decoded, and ours as it is.
 */
export function comparableRecord(record: ConnectRecord | null): unknown {
  return record === null ? null : inOrder(encodeRecord(record))
}

export function comparableData(schema: Schema | null, value: unknown): unknown {
  return inOrder({ ...encodeData(schema, value) })
}

function inOrder(json: Neutral): Neutral {
  if (Array.isArray(json)) return (json as readonly Neutral[]).map(inOrder)
  if (typeof json !== 'object' || json === null) return json
  const entries = Object.entries(json as Members).map(([name, member]): [string, Neutral] => {
    const ordered = inOrder(member)
    if (name !== 'map') return [name, ordered]
    return [name, (ordered as Neutral[]).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))]
  })
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
