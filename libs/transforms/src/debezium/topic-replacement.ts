import { compilePattern, PatternError } from '@tributary/config'
import { transformErrors } from '../errors.ts'
import { parseReplacement, ReplacementError, replaceFound } from '../kafka/routers/replacement.ts'
import { matches, MAX_KNOWN_LENGTH } from '../kafka/routers/regex-router.ts'

/** Names whose replacement is remembered. */
const MAX_KNOWN = 1000

/**
 * Replaces names that a regular expression matches as a whole, as Java's `matches` and then `replaceFirst`. The function gives null
 * for a name that does not match. Throws ConfigError on one of the two keys.
 */
export function nameReplacement(
  regex: { readonly key: string; readonly value: string },
  replacement: { readonly key: string; readonly value: string },
): (name: string) => string | null {
  try {
    const whole = compilePattern(regex.value, { whole: true })
    const first = compilePattern(regex.value)
    const parts = parseReplacement(replacement.value, first)
    const known = new Map<string, string | null>()
    return (name) => {
      let replaced = known.get(name)
      if (replaced === undefined) {
        const found = matches(whole, name) ? first.find(name) : null
        replaced = found === null ? null : replaceFound(name, found, parts)
        if (known.size >= MAX_KNOWN) known.clear()
        if (name.length <= MAX_KNOWN_LENGTH) known.set(name, replaced)
      }
      return replaced
    }
  } catch (cause) {
    const wrong = cause instanceof PatternError ? regex : cause instanceof ReplacementError ? replacement : null
    if (wrong === null) throw cause
    const text = `Invalid value ${wrong.value} for configuration ${wrong.key}: ${(cause as Error).message}`
    throw transformErrors.TRANSFORM_CONFIG(text, { cause, field: wrong.key })
  }
}
