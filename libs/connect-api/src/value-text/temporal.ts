import type { SchemaAndValue } from '../converter.ts'
import { LOGICAL, type Schema } from '../schema.ts'

const DATE_SCHEMA: Schema = { type: 'int32', name: LOGICAL.Date, version: 1 }
const TIME_SCHEMA: Schema = { type: 'int32', name: LOGICAL.Time, version: 1 }
const TIMESTAMP_SCHEMA: Schema = { type: 'int64', name: LOGICAL.Timestamp, version: 1 }

/** What SimpleDateFormat takes by the patterns of ISO 8601: numbers of any length, with blanks before them, and anything behind. */
const DATE = /^[ \t]*(-?\d+)-[ \t]*(-?\d+)-[ \t]*(-?\d+)/
const TIME = /^[ \t]*(-?\d+):[ \t]*(-?\d+):[ \t]*(-?\d+)\.[ \t]*(-?\d+)Z/
const TIMESTAMP = /^[ \t]*(-?\d+)-[ \t]*(-?\d+)-[ \t]*(-?\d+)T[ \t]*(-?\d+):[ \t]*(-?\d+):[ \t]*(-?\d+)\.[ \t]*(-?\d+)Z/

/**
 * Reads a time, a timestamp or a date of ISO 8601, told apart by the length of the text. Lenient as Java's SimpleDateFormat: the
 * 32nd of a month is the first of the next.
 */
export function parseTemporal(token: string): SchemaAndValue | null {
  const text = token.replaceAll('\\:', ':')
  if (text.length === 13) return result(TIME_SCHEMA, TIME.exec(text), (n) => [1970, 1, 1, ...n])
  if (text.length === 24) return result(TIMESTAMP_SCHEMA, TIMESTAMP.exec(text), (n) => n)
  if (text.length === 10) return result(DATE_SCHEMA, DATE.exec(text), (n) => n)
  return null
}

function result(
  schema: Schema,
  match: RegExpExecArray | null,
  parts: (numbers: number[]) => number[],
): SchemaAndValue | null {
  if (match === null) return null
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0, ms = 0] = parts(match.slice(1).map(Number))
  const time = ((hour * 60 + minute) * 60 + second) * 1000 + ms
  return { schema, value: new Date(startOfDay(year, month, day) + time) }
}

/** The first day of the Gregorian calendar, 1582-10-15. */
const GREGORIAN_FROM = -12_219_292_800_000

/** Midnight in UTC, in ms since the epoch, by Java's calendar: Julian before 1582-10-15. */
function startOfDay(year: number, month: number, day: number): number {
  const gregorian = new Date(0).setUTCFullYear(year, month - 1, day)
  if (gregorian >= GREGORIAN_FROM) return gregorian
  const y = year + Math.floor((month - 1) / 12) + 4800
  const m = (((month - 1) % 12) + 12) % 12
  // The year of this count begins in March.
  const years = m < 2 ? y - 1 : y
  const months = (m + 10) % 12
  const julianDay = day + Math.floor((153 * months + 2) / 5) + 365 * years + Math.floor(years / 4) - 32_083
  return (julianDay - 2_440_588) * 86_400_000
}
