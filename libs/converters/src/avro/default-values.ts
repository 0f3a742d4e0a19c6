import { fieldValue, fits, fromLogical, type Schema } from '@tributary/connect-api'
import { avroName, hasTextKeys, isUnion } from './connect-names.ts'
import type { AvroOptions } from './options.ts'

/** A default as JSON in Avro's form, where bytes are text of one character a byte; undefined: Avro has none for it. */
export function defaultToJson(schema: Schema, value: unknown, options: AvroOptions): unknown {
  if (value === null || value === undefined) return null
  if (!fits(schema, value)) return undefined
  const plain = fromLogical(schema, value)
  switch (schema.type) {
    case 'bytes':
      return Buffer.from(plain as Uint8Array).toString('latin1')
    case 'float32':
    case 'float64':
      return Number.isFinite(plain) ? plain : undefined
    case 'array':
      return list(plain as readonly unknown[], (each) => defaultToJson(schema.valueSchema!, each, options))
    case 'map':
      return mapToJson(schema, plain as object, options)
    case 'struct':
      return structToJson(schema, plain as object, options)
    default:
      return plain
  }
}

function structToJson(schema: Schema, value: object, options: AvroOptions): unknown {
  const json: Record<string, unknown> = {}
  for (const field of schema.fields ?? []) {
    const member = defaultToJson(field.schema, fieldValue(value, field), options)
    if (isUnion(schema)) return member
    if (member === undefined) return undefined
    json[avroName(field.name, options)] = member
  }
  return json
}

function mapToJson(schema: Schema, value: object, options: AvroOptions): unknown {
  const entries = value instanceof Map ? [...(value as Map<unknown, unknown>)] : Object.entries(value)
  const pairs = list(entries, ([k, v]) =>
    list([k, v], (each, i) => defaultToJson((i === 0 ? schema.keySchema : schema.valueSchema)!, each, options)),
  )
  if (pairs === undefined || !hasTextKeys(schema, options)) return pairs
  return Object.fromEntries(pairs as [string, unknown][])
}

/** undefined if any is. */
function list<T>(values: readonly T[], json: (value: T, index: number) => unknown): unknown[] | undefined {
  const all = values.map(json)
  return all.includes(undefined) ? undefined : all
}
