const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }
const MAX_MS = 100 * 366 * 86_400_000

/**
 * When something ends, in ms since the epoch: after `30m`, `12h`, `90d` or `8w`, or at a date of ISO 8601 such as
 * `2031-01-31` or `2031-01-31T12:00:00Z`. Throws Error, which says what is wrong.
 */
export function endOfLifetime(text: string, now: number): number {
  const [, count, unit] = /^(\d{1,6})([mhdw])$/.exec(text) ?? []
  const end = unit === undefined ? dateOf(text) : now + Number(count) * UNIT_MS[unit]!
  if (Number.isNaN(end)) throw new Error(`"${text}" is no lifetime; write, for example, 12h, 90d, 8w or 2031-01-31`)
  if (end <= now) throw new Error(`"${text}" is not in the future`)
  if (end > now + MAX_MS)
    throw new Error(`"${text}" is more than 100 years away; leave it out for a key that does not expire`)
  return end
}

function dateOf(text: string): number {
  const [, day] = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/.exec(text) ?? []
  const midnight = Date.parse(day ?? '')
  // Date.parse takes 2031-02-31 for the 3rd of March.
  const exists = !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(day!)
  return exists ? Date.parse(text) : NaN
}
