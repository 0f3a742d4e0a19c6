import { DAY_MS, dayOfYear, type DayNames, namesOf, weekday, weekOfMonth, weekOfYear, weekYear } from './calendar.ts'
import { DAYS, ERAS, HALVES, MONTHS, SHORT_DAYS, SHORT_MONTHS } from './names.ts'
import type { DateLetter, DatePart } from './pattern.ts'

/** The text of a time in UTC, as java.text.SimpleDateFormat.format writes it. `ms` since the epoch. */
export function formatDate(parts: readonly DatePart[], ms: number): string {
  const names = namesOf(ms)
  const ofDay = ms - names.day * DAY_MS
  let text = ''
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!
    text += 'text' in part ? part.text : fieldText(part.letter, part.count, names, ofDay)
  }
  return text
}

function fieldText(letter: DateLetter, count: number, names: DayNames, ofDay: number): string {
  switch (letter) {
    case 'G':
      return ERAS[names.beforeChrist ? 0 : 1]!
    case 'y':
      return yearText(names.year, count)
    case 'Y':
      return yearText(weekYear(names), count)
    case 'M':
    case 'L':
      if (count > 3) return MONTHS[names.month]!
      return count === 3 ? SHORT_MONTHS[names.month]! : padded(names.month + 1, count)
    case 'E':
      return (count > 3 ? DAYS : SHORT_DAYS)[weekday(names.day) - 1]!
    case 'a':
      return HALVES[ofDay < DAY_MS / 2 ? 0 : 1]!
    case 'z':
      return count > 3 ? 'Coordinated Universal Time' : 'UTC'
    case 'Z':
      return '+0000'
    case 'X':
      return 'Z'
    default:
      return padded(fieldNumber(letter, names, ofDay), count)
  }
}

type NumberLetter = Exclude<DateLetter, 'G' | 'y' | 'Y' | 'M' | 'L' | 'E' | 'a' | 'z' | 'Z' | 'X'>

function fieldNumber(letter: NumberLetter, names: DayNames, ofDay: number): number {
  const hour = Math.floor(ofDay / 3_600_000)
  switch (letter) {
    case 'd':
      return names.dayOfMonth
    case 'D':
      return dayOfYear(names)
    case 'F':
      return Math.floor((names.dayOfMonth - 1) / 7) + 1
    case 'w':
      return weekOfYear(names)
    case 'W':
      return weekOfMonth(names)
    case 'u':
      return weekday(names.day) === 1 ? 7 : weekday(names.day) - 1
    case 'H':
      return hour
    case 'k':
      return hour === 0 ? 24 : hour
    case 'K':
      return hour % 12
    case 'h':
      return hour % 12 === 0 ? 12 : hour % 12
    case 'm':
      return Math.floor(ofDay / 60_000) % 60
    case 's':
      return Math.floor(ofDay / 1000) % 60
    case 'S':
      return ofDay % 1000
    default:
      return letter satisfies never
  }
}

/** Two letters are the last two digits. */
function yearText(year: number, count: number): string {
  return count === 2 ? (year < 0 ? '-' : '') + padded(Math.abs(year) % 100, 2) : padded(year, count)
}

function padded(value: number, count: number): string {
  return value < 0 ? `-${padded(-value, count)}` : String(value).padStart(count, '0')
}
