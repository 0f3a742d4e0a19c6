import { transformErrors } from '../../errors.ts'
import { formatDate } from './format.ts'
import { parseDate } from './parse.ts'
import { type DatePart, DatePatternError, parseDatePattern } from './pattern.ts'

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
  const unit = unitOf(parts)
  /** The last text, which is that of all times between. */
  let text = ''
  let [from, to] = [Infinity, -Infinity]
  return {
    pattern,
    format: (ms) => {
      if (ms >= from && ms < to) return text
      from = Math.floor(ms / unit) * unit
      to = from + unit
      text = formatDate(parts, ms)
      return text
    },
    parse: (text) => parseDate(parts, text, now()),
  }
}

/** The format that a setting gives. Throws ConfigError. */
export function dateFormatOf(setting: string, pattern: string): DateFormat {
  try {
    return dateFormat(pattern)
  } catch (cause) {
    if (!(cause instanceof DatePatternError)) throw cause
    const text = `Invalid value ${pattern} for configuration ${setting}: ${cause.message}`
    throw transformErrors.TRANSFORM_CONFIG(text, { cause, field: setting })
  }
}

/** ms within which a pattern writes one text. */
function unitOf(parts: readonly DatePart[]): number {
  const letters = parts.map((part) => ('letter' in part ? part.letter : '')).join('')
  if (letters.includes('S')) return 1
  if (letters.includes('s')) return 1000
  if (letters.includes('m')) return 60_000
  return /[HkKha]/.test(letters) ? 3_600_000 : 86_400_000
}
