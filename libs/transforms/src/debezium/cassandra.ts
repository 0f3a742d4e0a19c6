import { type ConnectRecord, type Field, fieldOf, LOGICAL, type Schema, withoutDefault } from '@tributary/connect-api'
import { transformErrors } from '../errors.ts'
import { basicsOf, BySchema } from '../kafka/support/build.ts'
import { setOwn } from '../kafka/support/require.ts'

/**
 * Change events of Debezium's connector for Cassandra. Their rows hold cells: `{value, deletion_ts, set}`, null for a column that the
 * statement did not touch. They have no `before`; a deletion has the key in `after`. The op `r` is a range tombstone, and
 * `deletion_ts`, in µs, is when a cell was deleted, or when it will expire.
 */

type Struct = Readonly<Record<string, unknown>>

/** Of the schema of a cell. */
const CELL = 'cell_value'
const RANGE = ['_range_start', '_range_end']
/** The time at which the whole row expires. `add.fields` finds it by this name. */
export const EXPIRY = 'ttl_expiry'
const EXPIRY_SCHEMA: Schema = { type: 'int64', optional: true, name: LOGICAL.Timestamp, version: 1 }
/** Sets of columns whose schema is kept, for each table. */
const MAX_SHAPES = 64

interface Table {
  readonly columns: readonly { readonly name: string; readonly schema: Schema }[]
  /** The schema of the event by which columns are there. */
  readonly shapes: Map<string, Schema>
}

const tables = new BySchema<Table | null>((envelope) => {
  const row = fieldOf(envelope, 'after')?.schema
  const cells = row?.fields?.filter((field) => field.schema.name === CELL) ?? []
  if (cells.length === 0) return null
  const columns = cells.map(({ name, schema }) => {
    const value = fieldOf(schema, 'value')?.schema ?? { type: 'string' }
    return { name, schema: value.optional === true ? value : { ...value, optional: true } }
  })
  return { columns, shapes: new Map() }
})

/** What becomes of columns that a statement did not touch: left out of value and schema, or null. */
export type Unset = 'omit' | 'null'

/** Whether the event deletes more than one row, which a tombstone for one key cannot say. */
export function deletesMany(record: ConnectRecord): boolean {
  const { value, key } = record
  if (isRange(value as Struct)) return true
  return (
    typeof key === 'object' &&
    key !== null &&
    (record.keySchema?.fields ?? []).some(({ name }) => withoutDefault(key, name) === null)
  )
}

function isRange(event: Struct): boolean {
  const row = withoutDefault(event, 'after') as Struct | null
  return row !== null && RANGE.some((name) => withoutDefault(row, name) !== null)
}

/** Whether the schema is that of a change event with cells. */
export function hasCells(envelope: Schema): boolean {
  return tables.get(envelope) !== null
}

/**
 * The event as the connectors of other databases write it: columns with their values, a deleted row in `before`, and `ttl_expiry`.
 * Throws DataError for an event without row.
 */
export function withoutCells<R extends ConnectRecord>(record: R, unset: Unset): R {
  const envelope = record.valueSchema!
  const table = tables.get(envelope)!
  const event = record.value as Struct
  const cells = withoutDefault(event, 'after') as Struct | null
  if (cells === null) throw transformErrors.TRANSFORM_DATA('a change event of Cassandra has no row in its field after')

  const range = isRange(event)
  const row: Record<string, unknown> = {}
  let shape = range ? 'r' : '-'
  const expiries: (number | null)[] = []
  const key = (record.keySchema?.fields ?? []).map(({ name }) => name)
  for (const { name } of table.columns) {
    const cell = withoutDefault(cells, name) as Struct | null
    shape += cell === null && unset === 'omit' ? '0' : '1'
    if (cell === null) continue
    const value = withoutDefault(cell, 'value')
    setOwn(row, name, value)
    if (value !== null && !key.includes(name)) expiries.push(milliseconds(withoutDefault(cell, 'deletion_ts')))
  }
  if (range) for (const name of RANGE) setOwn(row, name, withoutDefault(cells, name))

  const deleted = range || withoutDefault(event, 'op') === 'd'
  const value = { ...event, before: deleted ? row : null, after: deleted ? null : row, [EXPIRY]: expiryOf(expiries) }
  return { ...record, value, valueSchema: shapeOf(table, envelope, shape) }
}

/** The row is gone when its last cell is. null: a cell stays. */
function expiryOf(expiries: readonly (number | null)[]): Date | null {
  const latest = expiries.reduce<number | null>(
    (last, at) => (last === null || at === null ? null : Math.max(last, at)),
    0,
  )
  const expiry = latest === null || latest === 0 ? null : new Date(latest)
  return Number.isNaN(expiry?.getTime()) ? null : expiry
}

function milliseconds(micros: unknown): number | null {
  return typeof micros === 'bigint' || typeof micros === 'number' ? Math.floor(Number(micros) / 1000) : null
}

function shapeOf(table: Table, envelope: Schema, shape: string): Schema {
  let known = table.shapes.get(shape)
  if (known === undefined) {
    known = envelopeOf(table, envelope, shape)
    if (table.shapes.size >= MAX_SHAPES) table.shapes.delete(table.shapes.keys().next().value!)
    table.shapes.set(shape, known)
  }
  return known
}

function envelopeOf(table: Table, envelope: Schema, shape: string): Schema {
  const row = fieldOf(envelope, 'after')!.schema
  const columns: Field[] = table.columns.filter((_column, at) => shape[at + 1] === '1')
  const range = shape.startsWith('r') ? row.fields!.filter(({ name }) => RANGE.includes(name)) : []
  const rowSchema: Schema = { type: 'struct', ...basicsOf(row), optional: true, fields: [...columns, ...range] }
  const rest = envelope.fields!.filter(({ name }) => !['before', 'after', EXPIRY].includes(name))
  const fields = [
    { name: 'before', schema: rowSchema },
    { name: 'after', schema: rowSchema },
    ...rest,
    { name: EXPIRY, schema: EXPIRY_SCHEMA },
  ]
  return { type: 'struct', ...basicsOf(envelope), fields }
}
