import {
  DAY_MS,
  dayInEither,
  type CountDays,
  firstWeek,
  gregorianDay,
  julianDay,
  mod,
  onOrBefore,
  SUNDAY,
} from './calendar.ts'

/** The fields of java.util.Calendar that a text can set, and those of a week date. */
export const FIELD = {
  era: 0,
  year: 1,
  month: 2,
  weekOfYear: 3,
  weekOfMonth: 4,
  dayOfMonth: 5,
  dayOfYear: 6,
  dayOfWeek: 7,
  dayOfWeekInMonth: 8,
  half: 9,
  hour: 10,
  hourOfDay: 11,
  minute: 12,
  second: 13,
  millisecond: 14,
  /** ms. */
  zone: 15,
  weekYear: 16,
} as const
export type DateField = (typeof FIELD)[keyof typeof FIELD]

/** Which fields say the day. */
type Way = 'dayOfMonth' | 'weekOfMonth' | 'dayOfWeekInMonth' | 'dayOfYear' | 'weekOfYear'

/**
 * Fields and the order in which they were set. As in java.util.Calendar, fields that contradict others count when they were set later,
 * and numbers beyond their range go on: the 32nd of January is the 1st of February.
 */
export class DateFields {
  readonly #values: number[] = new Array<number>(17).fill(0)
  /** When a field was set; 0: never. */
  readonly #stamps: number[] = new Array<number>(17).fill(0)
  #next = 1

  set(field: DateField, value: number): void {
    this.#values[field] = value
    this.#stamps[field] = this.#next++
  }

  addYears(years: number): void {
    this.#values[FIELD.year]! += years
    this.#values[FIELD.weekYear]! += years
  }

  /** ms since the epoch, NaN beyond JavaScript's dates. null: a value that even lenient calendars refuse. */
  toMs(): number | null {
    const time = this.#time()
    const overflow = Math.floor(time / DAY_MS)
    const byWeek = this.#stamps[FIELD.weekYear]! > this.#stamps[FIELD.year]!
    const day = byWeek ? this.#weekDate() + overflow : this.#day(overflow)
    if (day === null) return null
    return new Date(day * DAY_MS + mod(time, DAY_MS) - this.#values[FIELD.zone]!).getTime()
  }

  #time(): number {
    const [hourOfDay, hour, half] = [FIELD.hourOfDay, FIELD.hour, FIELD.half].map((field) => this.#stamps[field]!)
    const pair = together(hour!, half!)
    const hours =
      hourOfDay! > 0 && hourOfDay! >= pair
        ? this.#values[FIELD.hourOfDay]!
        : this.#values[FIELD.hour]! + 12 * this.#values[FIELD.half]!
    const minutes = hours * 60 + this.#values[FIELD.minute]!
    return (minutes * 60 + this.#values[FIELD.second]!) * 1000 + this.#values[FIELD.millisecond]!
  }

  #day(overflow: number): number | null {
    let year = this.#stamps[FIELD.year]! > 0 ? this.#values[FIELD.year]! : 1970
    const era = this.#stamps[FIELD.era]! > 0 ? this.#values[FIELD.era]! : 1
    if (era === 0) year = 1 - year
    const way = this.#way()
    const withinYear = way === 'dayOfYear' || way === 'weekOfYear'
    return dayInEither(year, withinYear, (days) => overflow + this.#count(year, way, days))
  }

  #way(): Way {
    const s = this.#stamps
    const dow = s[FIELD.dayOfWeek]!
    const dom = s[FIELD.dayOfMonth]!
    let wom = together(s[FIELD.weekOfMonth]!, dow)
    let dowim = together(s[FIELD.dayOfWeekInMonth]!, dow)
    const doy = s[FIELD.dayOfYear]!
    let woy = together(s[FIELD.weekOfYear]!, dow)
    let best = Math.max(dom, wom, dowim, doy, woy)
    if (best === 0) {
      // No field says a day by itself: a week does, and a weekday is one of the month.
      wom = s[FIELD.weekOfMonth]!
      dowim = Math.max(s[FIELD.dayOfWeekInMonth]!, dow)
      woy = s[FIELD.weekOfYear]!
      best = Math.max(wom, dowim, woy)
      if (best === 0) return 'dayOfMonth'
    }
    if (best === dom) return 'dayOfMonth'
    const later = (field: DateField): boolean => s[field]! >= s[FIELD.weekOfYear]!
    if ((best === wom && later(FIELD.weekOfMonth)) || (best === dowim && later(FIELD.dayOfWeekInMonth))) {
      if (wom === dowim) return s[FIELD.weekOfMonth]! >= s[FIELD.dayOfWeekInMonth]! ? 'weekOfMonth' : 'dayOfWeekInMonth'
      return best === wom ? 'weekOfMonth' : 'dayOfWeekInMonth'
    }
    return best === doy ? 'dayOfYear' : 'weekOfYear'
  }

  #count(year: number, way: Way, days: CountDays): number {
    const value = (field: DateField): number => this.#values[field]!
    const isSet = (field: DateField): boolean => this.#stamps[field]! > 0
    if (way === 'dayOfYear') return days(year, 0) + value(FIELD.dayOfYear) - 1
    if (way === 'weekOfYear') {
      const start = firstWeek(days(year, 0))
      const shifted = isSet(FIELD.dayOfWeek) ? onOrBefore(start + 6, value(FIELD.dayOfWeek)) : start
      return shifted + 7 * (value(FIELD.weekOfYear) - 1)
    }
    const month = isSet(FIELD.month) ? value(FIELD.month) : 0
    const first = days(year + Math.floor(month / 12), mod(month, 12))
    if (way === 'dayOfMonth') return isSet(FIELD.dayOfMonth) ? first + value(FIELD.dayOfMonth) - 1 : first
    if (way === 'weekOfMonth') {
      const start = firstWeek(first)
      const shifted = isSet(FIELD.dayOfWeek) ? onOrBefore(start + 6, value(FIELD.dayOfWeek)) : start
      return shifted + 7 * (value(FIELD.weekOfMonth) - 1)
    }
    const dayOfWeek = isSet(FIELD.dayOfWeek) ? value(FIELD.dayOfWeek) : SUNDAY
    const nth = isSet(FIELD.dayOfWeekInMonth) ? value(FIELD.dayOfWeekInMonth) : 1
    if (nth >= 0) return onOrBefore(first + 7 * nth - 1, dayOfWeek)
    const length = days(year + Math.floor((month + 1) / 12), mod(month + 1, 12)) - first
    return onOrBefore(first + length + 7 * (nth + 1) - 1, dayOfWeek)
  }

  /** The day of week year, week and weekday. */
  #weekDate(): number {
    let week = this.#stamps[FIELD.weekOfYear]! > 0 ? this.#values[FIELD.weekOfYear]! : 1
    let dayOfWeek = this.#stamps[FIELD.dayOfWeek]! > 0 ? this.#values[FIELD.dayOfWeek]! : SUNDAY
    // A number beyond 1 to 7 came from `u`, which counts from Monday.
    if (dayOfWeek >= 8) {
      dayOfWeek--
      week += Math.floor(dayOfWeek / 7)
      dayOfWeek = calendarWeekday((dayOfWeek % 7) + 1)
    } else if (dayOfWeek <= 0) {
      const weeks = Math.floor(-dayOfWeek / 7) + 1
      week -= weeks
      dayOfWeek = calendarWeekday(dayOfWeek + 7 * weeks)
    }
    const year = this.#values[FIELD.weekYear]!
    const days = year > 1582 ? gregorianDay : julianDay
    return firstWeek(days(year, 0)) + dayOfWeek - SUNDAY + 7 * (week - 1)
  }
}

/** Weekdays from Monday (1) to Sunday (7) as java.util.Calendar counts them. Others stay. */
export function calendarWeekday(fromMonday: number): number {
  if (fromMonday < 1 || fromMonday > 7) return fromMonday
  return fromMonday === 7 ? SUNDAY : fromMonday + 1
}

function together(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : Math.max(a, b)
}
