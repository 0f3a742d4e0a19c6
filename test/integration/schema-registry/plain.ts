import { Decimal, LOGICAL, type Schema, unscaledToBytes } from '@tributary/connect-api'

/**
 * A value as the clients of other makers print theirs: `{int}`, `{float}`, `{bytes}`, `{decimal: [unscaled, scale]}`, `{ms}`, `{days}`,
 * `{msOfDay}`, a list, or `{members}` sorted by name for structs and maps. A map whose keys are no texts is a list of its entries.
 */
export function plain(value: unknown, schema: Schema): unknown {
  if (value === null || value === undefined) return null
  switch (typeof value) {
    case 'boolean':
    case 'string':
      return value
    case 'bigint':
      return { int: String(value) }
    case 'number':
      return schema.type.startsWith('float') ? { float: value } : { int: String(value) }
    default:
      return plainObject(value, schema)
  }
}

function plainObject(value: unknown, schema: Schema): unknown {
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('base64') }
  if (value instanceof Decimal) return { decimal: [String(value.unscaled), value.scale] }
  if (value instanceof Date) {
    const ms = value.getTime()
    if (schema.name === LOGICAL.Date) return { days: String(ms / 86_400_000) }
    return schema.name === LOGICAL.Time ? { msOfDay: String(ms) } : { ms: String(ms) }
  }
  if (Array.isArray(value)) return value.map((each) => plain(each, schema.valueSchema!))
  if (schema.type === 'struct') {
    const struct = value as Readonly<Record<string, unknown>>
    return members((schema.fields ?? []).map((field) => [field.name, plain(struct[field.name], field.schema)]))
  }
  const entries = [...(value as Map<unknown, unknown>)].map(
    ([k, v]) => [plain(k, schema.keySchema!), plain(v, schema.valueSchema!)] as const,
  )
  if (schema.keySchema!.type === 'string') return members(entries as [string, unknown][])
  return entries.map(([k, v]) =>
    members([
      ['key', k],
      ['value', v],
    ]),
  )
}

function members(entries: readonly (readonly [string, unknown])[]): unknown {
  return { members: entries.toSorted(([a], [b]) => (a < b ? -1 : 1)) }
}

/** The same for every client: numbers in place of the texts of floats, and what is below a logical type. */
export function comparable(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (key, each: unknown) => {
    if (key === 'float' && typeof each === 'string') return Number(each)
    if (typeof each !== 'object' || each === null) return each
    const { decimal, ms, days, msOfDay } = each as Readonly<Record<string, unknown>>
    if (decimal !== undefined) return { bytes: unscaledToBytes(BigInt((decimal as [string])[0])).toString('base64') }
    const int = ms ?? days ?? msOfDay
    return int === undefined ? each : { int }
  })
}
