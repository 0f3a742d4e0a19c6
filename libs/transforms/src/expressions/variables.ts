import type { ConnectRecord, Schema } from '@tributary/connect-api'
import { charge, EvaluationFailure } from './limits.ts'
import { kindOf, member } from './values.ts'

/** The variables of an expression, and their types if those are known before a record is there. */
export const VARIABLES = {
  topic: 'string',
  key: 'unknown',
  value: 'unknown',
  headers: 'other',
  timestamp: 'other',
  partition: 'other',
  keySchema: 'other',
  valueSchema: 'other',
} as const

export type Variable = keyof typeof VARIABLES

export function isVariable(name: string): name is Variable {
  return Object.hasOwn(VARIABLES, name)
}

export function readVariable(record: ConnectRecord, name: Variable): unknown {
  switch (name) {
    case 'headers':
      charge(record.headers?.length ?? 0)
      // The last of several headers of one name counts, as with Kafka's lastHeader.
      return new Map(record.headers?.map((header) => [header.name, header.value ?? null]))
    case 'timestamp':
      return record.timestamp === null ? null : new Date(record.timestamp)
    default:
      return record[name] ?? null
  }
}

const fieldsOfStructs = new WeakMap<Schema, ReadonlyMap<string, Schema>>()

function fieldsOf(schema: Schema): ReadonlyMap<string, Schema> {
  let fields = fieldsOfStructs.get(schema)
  if (fields === undefined) {
    fields = new Map(schema.fields?.map((field) => [field.name, field.schema]))
    fieldsOfStructs.set(schema, fields)
  }
  return fields
}

/**
 * Follows fields from the key or the value of a record. A field that the schema has and the struct lacks is its default, or null.
 * Throws EvaluationFailure for a field that does not exist.
 */
export function readPath(record: ConnectRecord, root: 'key' | 'value', names: readonly string[]): unknown {
  let value: unknown = record[root]
  let schema = root === 'key' ? record.keySchema : record.valueSchema
  for (const name of names) {
    const found = member(value, name)
    const fields = schema?.type === 'struct' ? fieldsOf(schema) : null
    schema = fields ? fields.get(name) : schema?.valueSchema
    if (found === undefined && (!fields || !schema)) throw noSuchKey(value, name)
    value = found ?? (fields ? schema?.default : null) ?? null
  }
  return value ?? null
}

/** Whether the field at the path is there and not null. */
export function hasPath(value: unknown, names: readonly string[]): boolean {
  let at = value
  for (const name of names) at = member(at, name)
  return at !== undefined && at !== null
}

/** What a value has under a key. Throws EvaluationFailure. */
export function select(container: unknown, key: unknown): unknown {
  const found = member(container, key)
  if (found === undefined) throw noSuchKey(container, key)
  return found
}

function noSuchKey(container: unknown, key: unknown): EvaluationFailure {
  const name = typeof key === 'string' || typeof key === 'number' || typeof key === 'bigint' ? key : kindOf(key)
  const kind = kindOf(container)
  const of = kind === 'map' || kind === 'list' ? '' : `, as the value is ${kind === 'null' ? 'null' : `a ${kind}`}`
  return new EvaluationFailure(`no such key: ${name}${of}`)
}
