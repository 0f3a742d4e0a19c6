import { calendarWeekday, type DateField, DateFields, FIELD } from './fields.ts'
import { DAYS, ERAS, HALVES, LONG_ERAS, MONTHS, SHORT_DAYS, SHORT_MONTHS, ZONES } from './names.ts'
import type { DateLetter, DatePart } from './pattern.ts'

/** Letters whose fields are as long as their count when another number follows directly. */
const NUMBERS = 'yYMLdkHmsSDFwWhKu'

/**
 * ms since the epoch of a text, read as java.text.SimpleDateFormat.parse does: leniently, in UTC unless the text says otherwise, and
 * with anything behind. null: the text does not match. NaN: the time is beyond JavaScript's dates. `now`: ms since the epoch; years of
 * two digits are within 80 years before and 20 years after it.
 */
export function parseDate(parts: readonly DatePart[], text: string, now: number): number | null {
  const reader = new Reader(text, now)
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!
    const matched =
      'text' in part ? reader.text(part.text) : reader.field(part.letter, part.count, isNumber(parts[i + 1]))
    if (!matched) return null
  }
  return reader.toMs()
}

function isNumber(part: DatePart | undefined): boolean {
  if (part === undefined || 'text' in part || !NUMBERS.includes(part.letter)) return false
  return (part.letter !== 'M' && part.letter !== 'L') || part.count <= 2
}

/** Fields of a number alone. */
const PLAIN: Partial<Record<DateLetter, DateField>> = {
  d: FIELD.dayOfMonth,
  H: FIELD.hourOfDay,
  m: FIELD.minute,
  s: FIELD.second,
  S: FIELD.millisecond,
  D: FIELD.dayOfYear,
  F: FIELD.dayOfWeekInMonth,
  w: FIELD.weekOfYear,
  W: FIELD.weekOfMonth,
  K: FIELD.hour,
}

class Reader {
  readonly #text: string
  readonly #fields = new DateFields()
  /** The time 80 years before now. */
  readonly #century: Date
  #at = 0
  #ambiguousYear = false

  constructor(text: string, now: number) {
    this.#text = text
    this.#century = new Date(now)
    this.#century.setUTCFullYear(this.#century.getUTCFullYear() - 80)
  }

  toMs(): number | null {
    const ms = this.#fields.toMs()
    if (ms === null || !this.#ambiguousYear || ms >= this.#century.getTime()) return ms
    this.#fields.addYears(100)
    return this.#fields.toMs()
  }

  text(expected: string): boolean {
    if (!this.#text.startsWith(expected, this.#at)) return false
    this.#at += expected.length
    return true
  }

  /** `fixed`: a number follows directly, so that the field ends after `count` characters. */
  field(letter: DateLetter, count: number, fixed: boolean): boolean {
    const start = this.#at
    while (this.#text[this.#at] === ' ' || this.#text[this.#at] === '\t') this.#at++
    if (this.#at >= this.#text.length) return false
    const end = fixed ? start + count : Infinity
    const plain = PLAIN[letter]
    if (plain !== undefined) return this.#number(end, (value) => this.#fields.set(plain, value))
    switch (letter) {
      case 'y':
        return this.#year(FIELD.year, count, end)
      case 'Y':
        return this.#year(FIELD.weekYear, count, end)
      case 'M':
      case 'L':
        if (count > 2) return this.#name(start, FIELD.month, [...MONTHS, ...SHORT_MONTHS], 12)
        return this.#number(end, (value) => this.#fields.set(FIELD.month, value - 1))
      case 'u':
        return this.#number(end, (value) => this.#fields.set(FIELD.dayOfWeek, calendarWeekday(value)))
      case 'k':
        return this.#number(end, (value) => this.#fields.set(FIELD.hourOfDay, value === 24 ? 0 : value))
      case 'h':
        return this.#number(end, (value) => this.#fields.set(FIELD.hour, value === 12 ? 0 : value))
      case 'E':
        return this.#name(start, FIELD.dayOfWeek, [...DAYS, ...SHORT_DAYS], 7, 1)
      case 'G':
        return this.#name(start, FIELD.era, [...LONG_ERAS, ...ERAS], 2)
      case 'a':
        return this.#name(start, FIELD.half, HALVES, 2)
      default:
        return letter === 'X' ? this.#isoZone(count) : this.#zone(start)
    }
  }

  /** An int as Java's NumberFormat reads it: with a minus, and with an exponent. */
  #number(end: number, set: (value: number) => void): boolean {
    if (end !== Infinity && end > this.#text.length) return false
    const match = /^-?\d+(?:E-?\d{1,18})?/.exec(this.#text.slice(this.#at, Math.min(end, this.#at + 400)))
    if (match === null) return false
    this.#at += match[0].length
    set(toInt(Number(match[0].replace('E', 'e')), match[0]))
    return true
  }

  #year(field: DateField, count: number, end: number): boolean {
    const start = this.#at
    return this.#number(end, (value) => {
      const twoDigits = count <= 2 && this.#at - start === 2 && /^\d\d/.test(this.#text.slice(start))
      this.#fields.set(field, twoDigits ? this.#withCentury(value) : value)
    })
  }

  #withCentury(year: number): number {
    const from = this.#century.getUTCFullYear()
    this.#ambiguousYear = year === from % 100
    return year + Math.floor(from / 100) * 100 + (year < from % 100 ? 100 : 0)
  }

  /** The longest of the names that stands here, in any case. Names of one meaning are `cycle` apart. */
  #name(start: number, field: DateField, names: readonly string[], cycle: number, first = 0): boolean {
    let best = -1
    for (let i = 0; i < names.length; i++) {
      const longer = best === -1 || names[i]!.length > names[best]!.length
      if (longer && this.#isAt(start, names[i]!)) best = i
    }
    if (best === -1) return false
    this.#at = start + names[best]!.length
    this.#fields.set(field, (best % cycle) + first)
    return true
  }

  #isAt(start: number, name: string): boolean {
    return this.#text.slice(start, start + name.length).toLowerCase() === name.toLowerCase()
  }

  /** `+hhmm`, `GMT`, `GMT+h:mm` or a name. */
  #zone(start: number): boolean {
    const sign = signOf(this.#text[this.#at])
    if (sign !== 0) {
      this.#at++
      return this.#offset(sign, 0, false)
    }
    if (/^g/i.test(this.#text[this.#at]!) && this.#isAt(start, 'GMT')) {
      this.#at = start + 3
      const after = signOf(this.#text[this.#at])
      if (after === 0) return this.#setZone(0)
      this.#at++
      return this.#offset(after, 0, true)
    }
    const name = Object.keys(ZONES).find((zone) => this.#isAt(this.#at, zone))
    if (name === undefined) return false
    this.#at = start + name.length
    return this.#setZone(ZONES[name]!)
  }

  #isoZone(count: number): boolean {
    const char = this.#text[this.#at]
    this.#at++
    if (char === 'Z') return this.#setZone(0)
    const sign = signOf(char)
    return sign !== 0 && this.#offset(sign, count, count === 3)
  }

  /** `count` 1: hours alone; 0: of `z` and `Z`. */
  #offset(sign: number, count: number, colon: boolean): boolean {
    const form = count === 1 ? HOURS : !colon ? PLAIN_OFFSET : count > 0 ? ISO_OFFSET : GMT_OFFSET
    const match = form.exec(this.#text.slice(this.#at, this.#at + 6))
    const [all, hour, minute = '0'] = match ?? []
    if (all === undefined || Number(hour) > 23 || Number(minute) > 59) return false
    this.#at += all.length
    return this.#setZone(sign * (Number(hour) * 60 + Number(minute)))
  }

  #setZone(minutes: number): boolean {
    this.#fields.set(FIELD.zone, minutes * 60_000)
    return true
  }
}

const HOURS = /^(\d\d)/
const PLAIN_OFFSET = /^(\d\d)(\d\d)/
const ISO_OFFSET = /^(\d\d):(\d\d)/
const GMT_OFFSET = /^(\d\d?):(\d\d)/

function signOf(char: string | undefined): number {
  return char === '+' ? 1 : char === '-' ? -1 : 0
}

/** Number.intValue: the lowest bits of what a long can hold, else the largest or smallest int. */
function toInt(value: number, text: string): number {
  if (Math.abs(value) < 2 ** 31) return Math.trunc(value) | 0
  if (Math.abs(value) >= 2 ** 63) return value > 0 ? 0x7fffffff : -0x80000000
  return text.includes('E')
    ? Number(BigInt.asIntN(32, BigInt(Math.trunc(value))))
    : Number(BigInt.asIntN(32, BigInt(text)))
}
