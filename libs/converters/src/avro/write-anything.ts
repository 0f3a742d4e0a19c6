import { Decimal, isLong, isPlainObject, javaClass } from '@tributary/connect-api'
import type { Sink } from './sink.ts'
import { unfit } from './unfit.ts'

/** The fields of ANYTHING_JSON, in their order. */
const FIELDS = ['boolean', 'bytes', 'double', 'float', 'int', 'long', 'string', 'array', 'map'] as const
const MAX_DEPTH = 200

/** Writes a value without schema as ANYTHING_JSON. Throws DataError for one that no JSON gives. */
export function writeAnything(sink: Sink, value: unknown): void {
  if (++sink.depth > MAX_DEPTH) throw unfit(`the value is nested more than ${MAX_DEPTH} deep`)
  const own = value === null || value === undefined ? -1 : FIELDS.indexOf(fieldOf(value))
  for (let i = 0; i < FIELDS.length; i++) {
    sink.byte(i === own ? 2 : 0)
    if (i === own) writeField(sink, value)
  }
  sink.depth--
}

function fieldOf(value: unknown): (typeof FIELDS)[number] {
  if (typeof value === 'string') return 'string'
  if (typeof value === 'boolean') return 'boolean'
  if (typeof value === 'number') return isLong(value) ? 'long' : 'double'
  if (typeof value === 'bigint') return 'long'
  if (Array.isArray(value)) return 'array'
  if (value instanceof Uint8Array) return 'bytes'
  if (value instanceof Map || isPlainObject(value)) return 'map'
  throw unfit(
    `Unknown Java type for schemaless data: ${value instanceof Decimal || value instanceof Date ? javaClass(value) : typeof value}`,
  )
}

function writeField(sink: Sink, value: unknown): void {
  if (typeof value === 'string') return sink.string(value)
  if (typeof value === 'boolean') return sink.byte(value ? 1 : 0)
  if (typeof value === 'number') return isLong(value) ? sink.long(value) : sink.double(value)
  if (typeof value === 'bigint') {
    if (BigInt.asIntN(64, value) !== value) throw unfit('a whole number has more than 64 bits')
    return sink.long(value)
  }
  if (value instanceof Uint8Array) {
    sink.int(value.length)
    return sink.raw(value)
  }
  if (Array.isArray(value)) {
    if (value.length > 0) sink.int(value.length)
    for (const each of value as readonly unknown[]) writeAnything(sink, each)
    return sink.byte(0)
  }
  const entries = value instanceof Map ? [...(value as Map<unknown, unknown>)] : Object.entries(value as object)
  if (entries.length > 0) sink.int(entries.length)
  for (const [key, each] of entries) {
    writeAnything(sink, key)
    writeAnything(sink, each)
  }
  sink.byte(0)
}
