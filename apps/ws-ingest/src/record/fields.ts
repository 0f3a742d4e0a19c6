import { stringifyJson } from '@tributary/config'
import { compilePath, elementTexts, isOfMessage, namesOfPath } from '../expressions/json-path.ts'
import type { Readable } from '../expressions/rule.ts'
import { wsErrors } from '../errors.ts'

/** Reads a field for a record. `part` is what becomes the record: the message itself, or one of its elements. */
export type Field = (part: Readable, message: Readable) => unknown

/** Compiles a path. A path that begins with `$` is read from the message, any other path from the part. */
export function compileField(path: string): Field {
  const read = compilePath(path)
  return isOfMessage(path) ? (_part, message) => read(message.json) : (part) => read(part.json)
}

/** A field's value as text: a string unchanged, any other value as JSON; null if the value is absent or null. */
export function textOf(value: unknown): string | null {
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value)
    default:
      return value === undefined || value === null ? null : stringifyJson(value)
  }
}

export type TimestampUnit = 's' | 'ms' | 'us' | 'ns'

/** Units per millisecond. */
const PER_MS: Readonly<Record<TimestampUnit, number>> = { s: 0.001, ms: 1, us: 1e3, ns: 1e6 }

/** The end of the year 9999. A later time indicates a wrong unit. */
const LATEST_MS = 253_402_300_799_999

const NUMBER = /^\d+(?:\.\d+)?$/
const RFC3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?([Zz]|[+-]\d\d:\d\d)?$/
/** Characters of the value in an error. */
const SHOWN = 60

/**
 * A field's value as ms since the epoch, rounded; null if the value is absent or null. A number, or the text of a
 * number, counts `unit`s since the epoch. Other text is an RFC 3339 time, in UTC if the text has no offset. Throws
 * DataError for any other value, and for a time before 1970 or after 9999.
 */
export function timestampOf(value: unknown, unit: TimestampUnit): number | null {
  if (value === undefined || value === null) return null
  const ms = milliseconds(value, unit)
  if (ms >= 0 && ms <= LATEST_MS) return ms
  const shown = textOf(value)?.slice(0, SHOWN)
  throw wsErrors.WEBSOCKET_TIMESTAMP(
    `timestamp.field holds no time from 1970 to 9999: ${shown}; a number counts ${unit} since 1970, see timestamp.unit`,
  )
}

/** NaN: the value is not a time. */
function milliseconds(value: unknown, unit: TimestampUnit): number {
  if (typeof value === 'number' || typeof value === 'bigint') return Math.round(Number(value) / PER_MS[unit])
  if (typeof value !== 'string') return NaN
  if (NUMBER.test(value)) return Math.round(Number(value) / PER_MS[unit])
  const match = RFC3339.exec(value)
  if (match === null) return NaN
  const [text, offset] = match
  return Date.parse(offset === undefined ? `${text}Z` : text)
}

/** An element of a message: its text, and its value from the JSON of the message, which is parsed only once. */
export interface Element extends Readable {
  readonly text: string
}

/** The elements of a message; null if the message has no array at the path. */
export type Split = (message: Readable) => Element[] | null

export function compileSplit(path: string): Split {
  const read = compilePath(path)
  const names = namesOfPath(path)
  return (message) => {
    const values = read(message.json)
    if (!Array.isArray(values) || message.text === null) return null
    const texts = elementTexts(message.text, names)
    return texts?.map((text, i) => ({ text, json: values[i] as unknown })) ?? null
  }
}
