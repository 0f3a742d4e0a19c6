export interface Rfc3339Time {
  /** Seconds since the epoch. */
  readonly seconds: bigint
  /** 0 to 999,999,999 */
  readonly nanos: number
}

const PATTERN = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(?:[Zz]|([+-])(\d\d):(\d\d))$/

/** Parses an RFC 3339 time with Z or an offset. Digits beyond nanoseconds are cut. Null when the text is not a time. */
export function parseRfc3339(text: string): Rfc3339Time | null {
  const match = PATTERN.exec(text)
  if (!match) return null
  const [, year, month, day, hour, minute, second, fraction, sign, offsetHour, offsetMinute] = match
  const numbers = [year, month, day, hour, minute, second].map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const [y, mo, d, h, mi, s] = numbers
  const date = new Date(0)
  date.setUTCFullYear(y, mo - 1, d)
  date.setUTCHours(h, mi, s)
  // Date turns 30 February into March, so the parts are compared.
  const same = date.getUTCMonth() === mo - 1 && date.getUTCDate() === d && h < 24 && mi < 60 && s < 60
  if (!same || Number(offsetHour ?? 0) > 23 || Number(offsetMinute ?? 0) > 59) return null
  const offset = (Number(offsetHour ?? 0) * 60 + Number(offsetMinute ?? 0)) * 60 * (sign === '-' ? -1 : 1)
  return { seconds: BigInt(date.getTime() / 1000 - offset), nanos: Number((fraction ?? '').padEnd(9, '0')) }
}
