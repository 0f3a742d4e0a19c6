/** A moment. */
export interface Time {
  /** Whole seconds since the epoch, also below zero. */
  readonly seconds: number
  /** 0 to 999,999,999 */
  readonly nanos: number
}

/** `18:22`, `18:22:32`, `18:22:32.318353`, `18:22:32,318` */
const CLOCK = String.raw`(?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d)(?:[.,](?<fraction>\d+))?)?`
/** `Z`, `UTC`, `+01:00`, `+0100`, `+01`, and the name or the offset that Go prints again: `+0100 CET`, `+03 +03`. */
const ZONE = String.raw`(?:[Zz]|UTC|GMT|(?<sign>[+-])(?<zoneHour>\d\d)(?::?(?<zoneMinute>\d\d))?(?: (?:[A-Z]{1,5}|[+-]\d{2,4}))?)`
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const MONTH = `(?<month>${MONTHS.join('|')})`

const FORMS = [
  // RFC 3339 and ISO 8601, Go's time.String() with its monotonic clock, a zone in brackets (RFC 9557)
  String.raw`(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)(?:[Tt ] *${CLOCK})?(?: ?${ZONE})?(?:\[[^\]]{1,60}\])?(?: m=[+-][\d.]+)?`,
  // HTTP dates (RFC 9110, section 5.6.7: IMF-fixdate and RFC 850) and dates of mail (RFC 5322)
  String.raw`(?:[A-Z][a-z]{2,8}, )?(?<day>\d\d?)[ -]${MONTH}[ -](?<year>\d{4}|\d\d) ${CLOCK}(?: ?${ZONE})?`,
  // asctime (RFC 9110), and what date(1) prints
  String.raw`[A-Z][a-z]{2} ${MONTH} {1,2}(?<day>\d\d?) ${CLOCK}(?: ${ZONE})? (?<year>\d{4})`,
].map((form) => new RegExp(`^${form}$`))

type Groups = Readonly<Partial<Record<string, string>>>

/**
 * Parses the text of a time in the forms that servers write: RFC 3339 and ISO 8601 (also with a blank for the T,
 * without seconds, without a time of day, with `+0000` or `+01`), Go's `2022-12-29 18:22:32.318353 +0000 UTC`, the
 * dates of HTTP and of mail. Without an offset the time is UTC. Digits beyond nanoseconds are cut. Null when the text is
 * not a time, or its day does not exist.
 */
export function parseTime(text: string): Time | null {
  // Longer texts are no times. The bound also bounds the work of the expressions.
  if (text.length > 120) return null
  for (const form of FORMS) {
    const groups: Groups | undefined = form.exec(text)?.groups
    if (groups) return momentOf(groups)
  }
  return null
}

function momentOf(groups: Groups): Time | null {
  const { month, fraction = '', sign } = groups
  const year = fullYear(groups['year']!)
  const monthIndex = MONTHS.includes(month!) ? MONTHS.indexOf(month!) : Number(month) - 1
  const day = Number(groups['day'])
  const [hour, minute, second] = [groups['hour'] ?? 0, groups['minute'] ?? 0, groups['second'] ?? 0].map(Number)
  const [zoneHour, zoneMinute] = [groups['zoneHour'] ?? 0, groups['zoneMinute'] ?? 0].map(Number)
  // A leap second counts as the next second, as in POSIX.
  if (hour! > 23 || minute! > 59 || second! > 60 || zoneHour! > 23 || zoneMinute! > 59) return null
  const date = new Date(0)
  date.setUTCFullYear(year, monthIndex, day)
  // Date turns 30 February into March.
  if (date.getUTCMonth() !== monthIndex || date.getUTCDate() !== day) return null
  const offset = (zoneHour! * 60 + zoneMinute!) * 60 * (sign === '-' ? -1 : 1)
  const seconds = date.getTime() / 1000 + hour! * 3600 + minute! * 60 + second! - offset
  return { seconds, nanos: Number(fraction.slice(0, 9).padEnd(9, '0')) }
}

/** Two digits, which only RFC 850 has, are of the years 1970 to 2069. */
function fullYear(digits: string): number {
  const year = Number(digits)
  return digits.length === 4 ? year : year + (year < 70 ? 2000 : 1900)
}
