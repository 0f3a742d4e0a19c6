import { isPlainObject, javaClass, type Schema } from '@tributary/connect-api'
import { transformErrors } from '../../errors.ts'

/** A value without schema that has named parts. */
export type Entries = Readonly<Record<string, unknown>> | ReadonlyMap<string, unknown>

/** Throws DataError unless `value` is Java's Map. `purpose` is in the text, as in Kafka's. */
export function requireMap(value: unknown, purpose: string): Entries {
  if (value instanceof Map || isPlainObject(value)) return value as Entries
  throw transformErrors.TRANSFORM_DATA(
    `Only Map objects supported in absence of schema for [${purpose}], found: ${className(value, null)}`,
  )
}

/** Throws DataError unless `value` of `schema` is Java's Struct. */
export function requireStruct(schema: Schema, value: unknown, purpose: string): Readonly<Record<string, unknown>> {
  if (schema.type === 'struct' && isPlainObject(value)) return value
  throw transformErrors.TRANSFORM_DATA(
    `Only Struct objects supported for [${purpose}], found: ${className(value, schema)}`,
  )
}

/** The value under a name of Java's Map; null for none. */
export function entryOf(map: Entries, name: string): unknown {
  if (map instanceof Map) return (map as ReadonlyMap<string, unknown>).get(name) ?? null
  return Object.hasOwn(map, name) ? ((map as Readonly<Record<string, unknown>>)[name] ?? null) : null
}

/** A copy of Java's Map that may be changed with `setEntry`. */
export function copyOf(map: Entries): MutableEntries {
  return map instanceof Map ? new Map(map as ReadonlyMap<string, unknown>) : { ...map }
}

export type MutableEntries = Record<string, unknown> | Map<string, unknown>

export function setEntry(map: MutableEntries, name: string, value: unknown): void {
  if (map instanceof Map) map.set(name, value)
  else setOwn(map, name, value)
}

export function removeEntry(map: MutableEntries, name: string): void {
  if (map instanceof Map) map.delete(name)
  else delete map[name]
}

/** `object[name] = value`, also for the name `__proto__`, which would set the prototype. */
export function setOwn(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') object[name] = value
  else Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true })
}

/** Java's `getClass().getName()`, and `null` for null. */
function className(value: unknown, schema: Schema | null): string {
  return value === null || value === undefined ? 'null' : javaClass(value, schema).slice('class '.length)
}
