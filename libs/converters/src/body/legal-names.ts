import { converterErrors } from '../errors.ts'

/** A name that Avro and Protobuf allow. */
export function legalName(name: string): string {
  const legal = name.replace(/[^A-Za-z0-9_]/g, '_')
  return /^[A-Za-z_]/.test(legal) ? legal : `_${legal}`
}

const LEGAL = /^[A-Za-z_][A-Za-z0-9_]*$/

/** The value with legal names for the fields of all its objects. Throws DataError BODY_MISFIT if two names of an object become one. */
export function legal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(legal)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(legalFields(value)).map(([name, member]) => [name, legal(member)]))
}

/** The object with legal names for its own fields. */
export function legalFields(object: object): Readonly<Record<string, unknown>> {
  const fields = object as Readonly<Record<string, unknown>>
  const names = Object.keys(fields)
  if (names.every((name) => LEGAL.test(name))) return fields
  const entries = names.map((name) => [legalName(name), fields[name]] as const)
  if (new Set(entries.map(([name]) => name)).size === names.length) return Object.fromEntries(entries)
  throw converterErrors.BODY_MISFIT(
    `two fields of an object have names that become the same where only letters, digits and _ are allowed: ${names.slice(0, 20).join(', ')}`,
  )
}
