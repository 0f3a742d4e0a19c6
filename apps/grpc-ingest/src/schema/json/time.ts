import { putInteger } from './number.ts'
import { output } from './output.ts'
import { grpcErrors } from '../../errors.ts'

const QUOTE = 34
const ZERO = 48
const MIN_SECONDS = -62_135_596_800 // 0001-01-01T00:00:00Z
const MAX_SECONDS = 253_402_300_799 // 9999-12-31T23:59:59Z
const MAX_DURATION = 315_576_000_000 // 10,000 years (duration.proto)
const DAY = 86_400

// Most messages of a stream are of the same day.
let cachedDay = NaN
const cachedDate = new Uint8Array(11)

/** Throws DataError PROTOBUF_JSON for what is no time of the years 1 to 9999. */
export function checkTimestamp(seconds: number, nanos: number): void {
  if (seconds >= MIN_SECONDS && seconds <= MAX_SECONDS && nanos >= 0 && nanos < 1_000_000_000) return
  throw grpcErrors.PROTOBUF_JSON(
    `Timestamp is not valid. Seconds (${seconds}) must be of the years 1 to 9999, nanos (${nanos}) 0 to 999,999,999`,
  )
}

/**
 * Writes a google.protobuf.Timestamp as an RFC 3339 string with 0, 3, 6 or 9 digits of fraction. Needs 40 bytes of
 * room.
 */
export function putTimestamp(seconds: number, nanos: number, pos: number): number {
  checkTimestamp(seconds, nanos)
  const { buf } = output
  const day = Math.floor(seconds / DAY)
  if (day !== cachedDay) {
    cachedDate.set(Buffer.from(new Date(day * DAY * 1000).toISOString().slice(0, 11), 'latin1'))
    cachedDay = day
  }
  buf[pos++] = QUOTE
  for (let i = 0; i < 11; i++) buf[pos++] = cachedDate[i]!
  const time = seconds - day * DAY
  const hour = (time / 3600) | 0
  const minute = ((time - hour * 3600) / 60) | 0
  pos = putTwo(hour, pos)
  buf[pos++] = 58 // :
  pos = putTwo(minute, pos)
  buf[pos++] = 58
  pos = putTwo(time - hour * 3600 - minute * 60, pos)
  pos = putFraction(nanos, pos)
  buf[pos++] = 90 // Z
  buf[pos++] = QUOTE
  return pos
}

/** Writes a google.protobuf.Duration, `"1.500s"`. Needs 40 bytes of room. */
export function putDuration(seconds: number, nanos: number, pos: number): number {
  const mixed = (seconds < 0 && nanos > 0) || (seconds > 0 && nanos < 0)
  if (Math.abs(seconds) > MAX_DURATION || Math.abs(nanos) > 999_999_999 || mixed) {
    throw grpcErrors.PROTOBUF_JSON(
      `Duration is not valid. Seconds (${seconds}) must be of ±${MAX_DURATION}, nanos (${nanos}) of the same sign and of ±999,999,999`,
    )
  }
  const { buf } = output
  buf[pos++] = QUOTE
  if (seconds < 0 || nanos < 0) buf[pos++] = 45 // -
  pos = putInteger(Math.abs(seconds), pos)
  pos = putFraction(Math.abs(nanos), pos)
  buf[pos++] = 115 // s
  buf[pos++] = QUOTE
  return pos
}

function putTwo(value: number, pos: number): number {
  const tens = (value / 10) | 0
  output.buf[pos] = ZERO + tens
  output.buf[pos + 1] = ZERO + value - tens * 10
  return pos + 2
}

function putFraction(nanos: number, pos: number): number {
  if (nanos === 0) return pos
  const digits = nanos % 1_000_000 === 0 ? 3 : nanos % 1000 === 0 ? 6 : 9
  let rest = digits === 3 ? nanos / 1_000_000 : digits === 6 ? nanos / 1000 : nanos
  output.buf[pos] = 46 // .
  for (let at = pos + digits; at > pos; at--) {
    const tenth = (rest / 10) | 0
    output.buf[at] = ZERO + (rest - tenth * 10)
    rest = tenth
  }
  return pos + digits + 1
}
