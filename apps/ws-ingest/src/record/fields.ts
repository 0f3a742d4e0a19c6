import { stringifyJson } from '@tributary/config'
import { DataError } from '@tributary/connect-api'
import { compilePath, elementTexts, isOfMessage, namesOfPath } from '../expressions/json-path.ts'
import type { Readable } from '../expressions/rule.ts'

/** Reads a field of a record: of the message, or of the element of it that becomes the record. */
export type Field = (part: Readable, message: Readable) => unknown

/** A path is read from the element, one that begins with `$` from the whole message. */
export function compileField(path: string): Field {
  const read = compilePath(path)
  return isOfMessage(path) ? (_part, message) => read(message.json) : (part) => read(part.json)
}

/** A field's value as text: a string as it is, all else as JSON writes it; null for one that is absent or null. */
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

/** How many of a unit are a millisecond. */
const PER_MS: Readonly<Record<TimestampUnit, number>> = { s: 0.001, ms: 1, us: 1e3, ns: 1e6 }

/** The end of the year 9999: what is beyond has another unit. */
const LATEST_MS = 253_402_300_799_999

const NUMBER = /^\d+(?:\.\d+)?$/
const RFC3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?([Zz]|[+-]\d\d:\d\d)?$/
/** Characters of a value that an error shows. */
const SHOWN = 60

/**
 * A field's value as ms since the epoch, rounded; null for one that is absent or null. A number, or its text, counts `unit`s
 * since the epoch; other text is a time by RFC 3339, in UTC where it names no offset. Throws DataError for anything else, and
 * for what is before 1970 or after 9999.
 */
export function timestampOf(value: unknown, unit: TimestampUnit): number | null {
  if (value === undefined || value === null) return null
  const ms = milliseconds(value, unit)
  if (ms >= 0 && ms <= LATEST_MS) return ms
  const shown = textOf(value)?.slice(0, SHOWN)
  throw new DataError(
    'WEBSOCKET_TIMESTAMP',
    `timestamp.field holds no time from 1970 to 9999: ${shown}; a number counts ${unit} since 1970, see timestamp.unit`,
  )
}

/** NaN for what is no time. */
function milliseconds(value: unknown, unit: TimestampUnit): number {
  if (typeof value === 'number' || typeof value === 'bigint') return Math.round(Number(value) / PER_MS[unit])
  if (typeof value !== 'string') return NaN
  if (NUMBER.test(value)) return Math.round(Number(value) / PER_MS[unit])
  const match = RFC3339.exec(value)
  if (match === null) return NaN
  const [text, offset] = match
  return Date.parse(offset === undefined ? `${text}Z` : text)
}

/** An element of a message: its own text, and its value out of the message's, which was parsed once. */
export interface Element extends Readable {
  readonly text: string
}

/** The elements of a message; null for one that has no array there. */
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
