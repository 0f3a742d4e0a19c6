/** Ways to match a plain expression at one place of the text: `(?:a|b)c?` has four. */
const MAX_WAYS = 16

/** Characters that stand for themselves, also with a backslash before them. */
const LITERAL = /\\[!-/:-@[-`{-~]|\{(?![\d,])|[\w !"#%&',\-/:;<=>@\]`}~]/y
const REST = /\[\^?(?:\\d|[A-Za-z\d]-[A-Za-z\d]|[\w "',./:;@])+\]|\\d|\((?:\?:)?|[)|?^$]/y

/** A regular expression without repetitions: JavaScript's engine finds it fast, and goes back a bounded number of times. */
export interface Plain {
  readonly regex: RegExp
  /** Steps for each character of the text at most. */
  readonly steps: number
}

/**
 * The expression for JavaScript's engine, if it consists of ASCII characters, classes of them, groups, alternatives, `?`, `^` and `$`:
 * then it matches the same texts as RE2's. null: it has more, is wrong, or has too many alternatives one behind the other.
 */
export function plainExpression(source: string, flags: string): Plain | null {
  let text = ''
  let ways = 1
  /** Alternatives of the open groups; of all else first. */
  const alternatives = [1]
  for (let at = 0; at < source.length;) {
    LITERAL.lastIndex = REST.lastIndex = at
    const literal = LITERAL.exec(source)?.[0]
    const token = literal ?? REST.exec(source)?.[0]
    if (token === undefined || alternatives.length === 0) return null
    at += token.length
    text += literal === undefined ? (token === '(' ? '(?:' : token) : escaped(literal.at(-1)!)
    if (literal !== undefined) continue
    if (token === '?') ways *= 2
    else if (token === '|') alternatives.push(alternatives.pop()! + 1)
    else if (token.startsWith('(')) alternatives.push(1)
    else if (token === ')') ways *= alternatives.pop()!
  }
  ways *= alternatives[0] ?? Infinity
  if (ways > MAX_WAYS || flags.includes('m')) return null
  try {
    return { regex: new RegExp(text, flags.includes('i') ? 'iu' : 'u'), steps: ways * source.length }
  } catch {
    // The other engine says why.
    return null
  }
}

function escaped(char: string): string {
  return /[$()*+./?[\\\]^{|}]/.test(char) ? `\\${char}` : char
}
