import { stringifyJson } from '@tributary/config'
import { parseTime } from './parse-time.ts'

export type TimestampUnit = 's' | 'ms' | 'us' | 'ns'

/** Units per millisecond. */
const PER_MS: Readonly<Record<TimestampUnit, number>> = { s: 0.001, ms: 1, us: 1e3, ns: 1e6 }

/** The end of the year 9999. A later time indicates a wrong unit, and Kafka refuses a time before 1970. */
const LATEST_MS = 253_402_300_799_999

const NUMBER = /^\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const HEX = /^0[xX][0-9a-fA-F]+$/
/**
 * RFC 3339 in its usual forms and with days that exist. Date.parse reads them at a fifth of the cost of `parseTime`; it
 * would take 30 February, too.
 */
const USUAL =
  /^\d{4}-(?:(?:0[13-9]|1[0-2])-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|1\d|2[0-8])|(?:0[13578]|1[02])-31)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)$/
/** Characters of the value in an error. */
const SHOWN = 60

/**
 * A value of a message as the timestamp of a record, in ms since the epoch. A number, or the text of one (decimal, or
 * hexadecimal after `0x`), counts `unit`s and is rounded. Other text is a time as `parseTime` reads it, cut to ms. An
 * object has `seconds` and perhaps `nanos`, as protobuf's Timestamp. NaN: it is no time from 1970 to 9999.
 */
export function recordTime(value: unknown, unit: TimestampUnit): number {
  const ms = millisecondsOf(value, unit)
  return ms >= 0 && ms <= LATEST_MS ? ms : NaN
}

/** Says what is wrong with a value for which `recordTime` is NaN. `field` names it. */
export function noTimeText(field: string, value: unknown, unit: TimestampUnit): string {
  const text = typeof value === 'string' ? value : stringifyJson(value)
  const shown = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text
  return `${field} holds no time from 1970 to 9999: ${shown}; a number counts ${unit} since 1970, see timestamp.unit`
}

function millisecondsOf(value: unknown, unit: TimestampUnit): number {
  switch (typeof value) {
    case 'number':
    case 'bigint':
      return Math.round(Number(value) / PER_MS[unit])
    case 'string':
      return millisecondsOfText(value, unit)
    case 'object':
      return value === null ? NaN : millisecondsOfParts(value as Readonly<Record<string, unknown>>)
    default:
      return NaN
  }
}

function millisecondsOfText(text: string, unit: TimestampUnit): number {
  if (USUAL.test(text)) return Date.parse(text)
  if (NUMBER.test(text) || HEX.test(text)) return Math.round(Number(text) / PER_MS[unit])
  const time = parseTime(text)
  return time === null ? NaN : fromParts(time.seconds, time.nanos)
}

function millisecondsOfParts({ seconds, nanos = 0 }: Readonly<Record<string, unknown>>): number {
  const isNumber = (part: unknown): boolean =>
    typeof part === 'string' ? /^-?\d{1,18}$/.test(part) : typeof part === 'number' || typeof part === 'bigint'
  return isNumber(seconds) && isNumber(nanos) ? fromParts(Number(seconds), Number(nanos)) : NaN
}

function fromParts(seconds: number, nanos: number): number {
  return seconds * 1000 + Math.floor(nanos / 1_000_000)
}
