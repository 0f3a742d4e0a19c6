import { parseTime } from './time/parse-time.ts'

/** The wait in ms that a `Retry-After` header asks for (RFC 9110, section 10.2.3: seconds or a date); undefined: none. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined || header.trim() === '') return undefined
  const seconds = Number(header)
  const ms = Number.isNaN(seconds) ? (parseTime(header.trim())?.seconds ?? NaN) * 1000 - nowMs : seconds * 1000
  return ms > 0 && Number.isFinite(ms) ? ms : undefined
}
