import { formatDate } from './format.ts'
import { parseDate } from './parse.ts'
import { parseDatePattern } from './pattern.ts'

/** java.text.SimpleDateFormat in UTC with the names and weeks of the locale en-US. */
export interface DateFormat {
  readonly pattern: string
  /** `ms` since the epoch. */
  format(ms: number): string
  /** ms since the epoch. null: the text does not match. NaN: beyond JavaScript's dates. */
  parse(text: string): number | null
}

/** Throws DatePatternError. */
export function dateFormat(pattern: string, now: () => number = Date.now): DateFormat {
  const parts = parseDatePattern(pattern)
  return {
    pattern,
    format: (ms) => formatDate(parts, ms),
    parse: (text) => parseDate(parts, text, now()),
  }
}
