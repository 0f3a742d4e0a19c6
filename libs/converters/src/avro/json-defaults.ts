import type { Schema } from '@tributary/connect-api'
import type { AvroType } from './avro-type.ts'
import type { AvroOptions } from './options.ts'

/** The value of a default, JSON in Avro's form, before its logical type; undefined: it does not fit. */
export function jsonToDefault(schema: Schema, type: AvroType, json: unknown, options: AvroOptions): unknown {
  if (json === null) return null
  switch (type.type) {
    case 'boolean':
      return typeof json === 'boolean' ? json : undefined
    case 'int':
      return Number.isInteger(json) ? json : undefined
    case 'long':
      return Number.isInteger(json) || typeof json === 'bigint' ? BigInt(json as number | bigint) : undefined
    case 'float':
    case 'double':
      return typeof json === 'number' || typeof json === 'bigint' ? Number(json) : undefined
    case 'string':
    case 'enum':
      return typeof json === 'string' ? json : undefined
    case 'bytes':
    case 'fixed':
      return typeof json === 'string' ? Buffer.from(json, 'latin1') : undefined
    case 'array':
      return arrayOf(schema, type.items, json, options)
    case 'map': {
      if (typeof json !== 'object') return undefined
      const entries = Object.entries(json).map(
        ([key, value]) => [key, jsonToDefault(schema.valueSchema!, type.values, value, options)] as const,
      )
      return entries.some(([, value]) => value === undefined) ? undefined : new Map(entries)
    }
    case 'record': {
      if (typeof json !== 'object') return undefined
      const fields = (schema.fields ?? []).map((field, i) => {
        const avro = type.fields[i]!
        const given = Object.hasOwn(json, avro.name) ? (json as Record<string, unknown>)[avro.name] : avro.default
        return [field.name, jsonToDefault(field.schema, avro.type, given ?? null, options)] as const
      })
      return fields.some(([, value]) => value === undefined) ? undefined : Object.fromEntries(fields)
    }
    default:
      return branchOf(schema, type, json, options)
  }
}

function arrayOf(schema: Schema, items: AvroType, json: unknown, options: AvroOptions): unknown {
  if (!Array.isArray(json)) return undefined
  // The entries of a map are pairs, which Avro has no type for: Confluent writes them so, and does not read them.
  if (schema.type === 'map') return undefined
  const values = (json as readonly unknown[]).map((each) => jsonToDefault(schema.valueSchema!, items, each, options))
  return values.includes(undefined) ? undefined : values
}

/** The default of an optional type within another default. Larger unions have none. */
function branchOf(schema: Schema, type: AvroType, json: unknown, options: AvroOptions): unknown {
  const branches = type.type === 'union' ? type.branches.filter((branch) => branch.type !== 'null') : []
  return branches.length === 1 ? jsonToDefault(schema, branches[0]!, json, options) : undefined
}
