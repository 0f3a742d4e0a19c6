import { calendarDate, javaText } from '../java-text.ts'
import type { Schema } from '../schema.ts'
import { fieldValue } from '../values.ts'

const DAY = 86_400_000

/** Values.convertToString: the text of a header's value. `schema` may be null for values without one. */
export function valueText(value: unknown, schema: Schema | null): string {
  return textOf(value, schema, false)
}

function textOf(value: unknown, schema: Schema | null | undefined, embedded: boolean): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'string') return embedded ? quoted(value) : value
  if (typeof value !== 'object') return javaText(value, schema)
  if (value instanceof Uint8Array) {
    const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
    return embedded ? `"${text}"` : text
  }
  if (value instanceof Date) return dateText(value)
  if (Array.isArray(value)) return `[${value.map((each) => textOf(each, schema?.valueSchema, true)).join(',')}]`
  if (value instanceof Map) return mapText(value as Map<unknown, unknown>, schema)
  if (schema?.type === 'struct') return structText(value, schema)
  const prototype = Object.getPrototypeOf(value) as unknown
  return prototype === Object.prototype || prototype === null
    ? mapText(Object.entries(value), schema)
    : javaText(value, schema)
}

function mapText(entries: Iterable<[unknown, unknown]>, schema: Schema | null | undefined): string {
  const texts = [...entries].map(([key, value]) => {
    return `${textOf(key, schema?.keySchema, true)}:${textOf(value, schema?.valueSchema, true)}`
  })
  return `{${texts.join(',')}}`
}

function structText(struct: object, schema: Schema): string {
  const texts = (schema.fields ?? []).map((field) => {
    return `${quoted(field.name)}:${textOf(fieldValue(struct, field), field.schema, true)}`
  })
  return `{${texts.join(',')}}`
}

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

/** Values.dateFormatFor, in UTC: a time for what is before the second day of 1970, a date at midnight, else both. */
function dateText(date: Date): string {
  const ms = date.getTime()
  const time = date.toISOString().slice(-13)
  if (ms < DAY) return time
  const { year, month, day } = calendarDate(ms)
  const text = `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
  return ms % DAY === 0 ? text : `${text}T${time}`
}
