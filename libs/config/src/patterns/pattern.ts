import { RE2JS, RE2JSException } from 're2js'
import { plainExpression } from './plain.ts'
import { PatternError, translate } from './translate.ts'

export { PatternError }

/** Characters of a pattern. */
const MAX_SOURCE = 1000
/** Instructions of a compiled pattern: `a{100}` has about 100. */
const MAX_PROGRAM = 600
/** Characters of the text times instructions of the pattern, or ways to match a plain one; a step takes at most about 30 ns. */
const MAX_STEPS = 4_000_000

export interface PatternOptions {
  /** The whole text must match, as with Java's `matches`. Default: a part of the text is enough, as with Java's `find`. */
  readonly whole?: boolean
  /** Any of `i` (upper and lower case are the same), `m` (`^` and `$` match at line breaks too) and `s` (`.` matches `\n` too). */
  readonly flags?: string
  /** Characters of the text times instructions of the pattern that one `test` may take. Default 4 million: about 0.1 s at worst. */
  readonly maxSteps?: number
}

/** A regular expression that takes time in proportion to the length of the text, whatever its author wrote. */
export interface Pattern {
  readonly source: string
  /** Characters of the longest text that `test` accepts. */
  readonly maxLength: number
  /** Whether the text matches. Throws PatternError for a text longer than `maxLength`. */
  test(text: string): boolean
  /** The first place that matches, as Java's `find`. null: there is none. Throws PatternError as `test`. */
  find(text: string): Found | null
  /** Numbers of the groups with a name. */
  readonly groupNames: Readonly<Record<string, number>>
  /** Without group 0, which is the whole match. */
  readonly groupCount: number
}

/** A part of a text that matched. */
export interface Found {
  readonly start: number
  readonly end: number
  /** The text of each group, beginning with the whole match; null for a group that took no part. */
  readonly groups: readonly (string | null)[]
}

/**
 * Compiles a regular expression that a user or a record names. Every such expression is compiled here: JavaScript's RegExp goes
 * back, so that `^(a+)+$` holds the process for hours. The syntax is what Java's Pattern and JavaScript's RegExp have in common,
 * less what cannot be matched in linear time (https://github.com/google/re2/wiki/Syntax): back references, look-around, atomic
 * groups, possessive quantifiers. `\d`, `\w`, `\s` and `\b` mean ASCII, as in Java. Throws PatternError.
 */
export function compilePattern(
  source: string,
  { whole = false, flags = '', maxSteps = MAX_STEPS }: PatternOptions = {},
): Pattern {
  if (source.length > MAX_SOURCE) {
    throw new PatternError(
      `the regular expression has ${source.length} characters, of which ${MAX_SOURCE} are allowed; write a shorter one, or several`,
    )
  }
  const { matches, steps } = plainPattern(source, whole, flags) ?? linearPattern(source, whole, flags)
  const maxLength = Math.floor(maxSteps / steps)
  const test = (text: string): boolean => {
    if (text.length > maxLength) throw tooLong(source, text.length, maxLength)
    return matches(text)
  }
  let engine: RE2JS | undefined
  const withGroups = (): RE2JS => (engine ??= compile(translate(source, flags.includes('m')).text, flags))
  return {
    source,
    maxLength,
    test,
    find: (text) => {
      if (text.length > maxLength) throw tooLong(source, text.length, maxLength)
      return find(withGroups(), text)
    },
    get groupNames() {
      return withGroups().namedGroups()
    },
    get groupCount() {
      return withGroups().groupCount()
    },
  }
}

function find(engine: RE2JS, text: string): Found | null {
  const matcher = engine.matcher(text)
  if (!matcher.find()) return null
  const groups: (string | null)[] = []
  for (let group = 0; group <= engine.groupCount(); group++) groups.push(matcher.group(group))
  return { start: matcher.start(), end: matcher.end(), groups }
}

interface Compiled {
  readonly matches: (text: string) => boolean
  /** For each character of the text at most. */
  readonly steps: number
}

function plainPattern(source: string, whole: boolean, flags: string): Compiled | null {
  // Of its own, as brackets that do not belong together would close those around it.
  if (whole && plainExpression(source, flags) === null) return null
  const plain = plainExpression(whole ? `^(?:${source})$` : source, flags)
  return plain === null ? null : { matches: (text) => plain.regex.test(text), steps: plain.steps }
}

function linearPattern(source: string, whole: boolean, flags: string): Compiled {
  const { text, exact } = translate(source, flags.includes('m'))
  const compiled = compile(exact ?? text, flags)
  const steps = compiled.re2().numberOfInstructions() as number
  if (steps > MAX_PROGRAM) {
    throw new PatternError(
      `the regular expression takes ${steps} instructions, of which ${MAX_PROGRAM} are allowed; make its {n,m} smaller`,
    )
  }
  // The engine leaves a text early when it knows that all of it must match.
  return { matches: (asked) => (whole || exact !== null ? compiled.testExact(asked) : compiled.test(asked)), steps }
}

function compile(text: string, flags: string): RE2JS {
  const bits =
    (flags.includes('i') ? RE2JS.CASE_INSENSITIVE : 0) |
    (flags.includes('m') ? RE2JS.MULTILINE : 0) |
    (flags.includes('s') ? RE2JS.DOTALL : 0)
  try {
    return RE2JS.compile(text, bits)
  } catch (cause) {
    if (!(cause instanceof RE2JSException)) throw cause
    const reason = cause.message.replace(/^error parsing regexp: /, '')
    throw new PatternError(`the regular expression cannot be read: ${reason}`, cause)
  }
}

function tooLong(source: string, length: number, maxLength: number): PatternError {
  return new PatternError(
    `a text of ${length} characters is too long for the regular expression ${source}, which reads up to ${maxLength}; write a shorter expression`,
  )
}
