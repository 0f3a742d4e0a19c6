import { calendarDate } from '@tributary/connect-api'

/**
 * The days of java.util.GregorianCalendar in UTC: Gregorian from 1582-10-15 on, Julian before. Days are counted from 1970-01-01.
 * Weeks are those of the locale en-US: they begin on Sunday, and the first week of a year or month has at least one day in it.
 */

export const DAY_MS = 86_400_000
export const SUNDAY = 1

const CUTOVER_YEAR = 1582
/** 1582-10-15. */
const CUTOVER_DAY = -141_427

/** The weekday as in java.util.Calendar: 1 is Sunday, 7 is Saturday. */
export function weekday(day: number): number {
  return mod(day + 4, 7) + 1
}

/** The last day up to `day` with this weekday. */
export function onOrBefore(day: number, dayOfWeek: number): number {
  return day - mod(weekday(day) - dayOfWeek, 7)
}

/** The Sunday with which the first week begins of a year or month whose first day is `first`. */
export function firstWeek(first: number): number {
  return onOrBefore(first, SUNDAY)
}

export type CountDays = (year: number, month: number) => number

/** The first day of a month; `month` is 0 to 11, year 0 is 1 BC. */
export const gregorianDay: CountDays = (year, month) => {
  // Years that begin in March have the leap day at their end.
  const y = month < 2 ? year - 1 : year
  const sinceMarch = mod(month - 2, 12)
  return 365 * y + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + marchDays(sinceMarch) - 719_468
}

export const julianDay: CountDays = (year, month) => {
  const y = month < 2 ? year - 1 : year
  return 365 * y + Math.floor(y / 4) + marchDays(mod(month - 2, 12)) - 719_470
}

function marchDays(months: number): number {
  return Math.floor((153 * months + 2) / 5)
}

/**
 * The day for which `count` gives one answer a calendar. Where both calendars disagree whether the day is theirs, the Julian one wins
 * for days that do not exist, and the Gregorian one for those that exist twice.
 */
export function dayInEither(year: number, withinYear: boolean, count: (days: CountDays) => number): number {
  if (year > CUTOVER_YEAR) {
    const gregorian = count(gregorianDay)
    if (gregorian >= CUTOVER_DAY) return gregorian
    return between(gregorian, count(julianDay), withinYear)
  }
  const julian = count(julianDay)
  if (year < CUTOVER_YEAR) return julian < CUTOVER_DAY ? julian : between(julian, julian, withinYear)
  return between(count(gregorianDay), julian, withinYear)
}

function between(gregorian: number, julian: number, withinYear: boolean): number {
  if (withinYear) return julian
  return gregorian >= CUTOVER_DAY ? gregorian : julian
}

/** What a date is called, for formatting. */
export interface DayNames {
  readonly beforeChrist: boolean
  /** Of the era. */
  readonly year: number
  /** 0 to 11. */
  readonly month: number
  readonly dayOfMonth: number
  readonly day: number
}

export function namesOf(ms: number): DayNames {
  const { year, beforeChrist, month, day } = calendarDate(ms)
  return { beforeChrist, year, month: month - 1, dayOfMonth: day, day: Math.floor(ms / DAY_MS) }
}

/** The year with 0 for 1 BC. */
export function yearOf({ year, beforeChrist }: DayNames): number {
  return beforeChrist ? 1 - year : year
}

function firstOfYear(names: DayNames): number {
  return names.day < CUTOVER_DAY || yearOf(names) === CUTOVER_YEAR
    ? julianDay(yearOf(names), 0)
    : gregorianDay(yearOf(names), 0)
}

export function dayOfYear(names: DayNames): number {
  return names.day - firstOfYear(names) + 1
}

export function weekOfMonth(names: DayNames): number {
  const first = names.day - names.dayOfMonth + 1
  return Math.floor((names.day - firstWeek(first)) / 7) + 1
}

export function weekOfYear(names: DayNames): number {
  const week = Math.floor((names.day - firstWeek(firstOfYear(names))) / 7) + 1
  return week >= 52 && belongsToNextYear(names) ? 1 : week
}

/** The year to which the week of a date belongs. */
export function weekYear(names: DayNames): number {
  return belongsToNextYear(names) ? yearOf(names) + 1 : yearOf(names)
}

function belongsToNextYear(names: DayNames): boolean {
  if (names.month !== 11) return false
  const next = names.day < CUTOVER_DAY ? julianDay(yearOf(names) + 1, 0) : gregorianDay(yearOf(names) + 1, 0)
  return names.day >= firstWeek(next)
}

export function mod(a: number, b: number): number {
  const rest = a % b
  return rest < 0 ? rest + b : rest
}
