/**
 * Parses a Java properties file by the rules of `java.util.Properties.load`: `#` and `!` start comments; `=`, `:` or
 * white space separates key and value; backslash escapes and `\uXXXX` are decoded; a backslash at the end of a line
 * continues the line. A later key wins. Throws SyntaxError for a malformed `\u`.
 */
export function parseProperties(text: string): Map<string, string> {
  const entries = new Map<string, string>()
  for (const line of logicalLines(text)) {
    const keyEnd = endOfKey(line)
    let valueStart = skipWhite(line, keyEnd)
    if (line[valueStart] === '=' || line[valueStart] === ':') valueStart = skipWhite(line, valueStart + 1)
    entries.set(unescape(line.slice(0, keyEnd)), unescape(line.slice(valueStart)))
  }
  return entries
}

/**
 * The lines without comments and blank lines. A line that ends in an odd number of backslashes continues in the next
 * one.
 */
function* logicalLines(text: string): Generator<string> {
  let pending: string[] = []
  for (const natural of text.split(/\r\n|\n|\r/)) {
    const line = natural.slice(skipWhite(natural, 0))
    if (pending.length === 0 && (line[0] === '#' || line[0] === '!')) continue
    if (line === '' && pending.every((part) => part === '')) {
      // As in Java, a blank line resets the state when nothing was read before it, so a comment may follow.
      pending = []
      continue
    }
    if (endsInOddBackslashes(line)) {
      pending.push(line.slice(0, -1))
      continue
    }
    yield pending.length === 0 ? line : pending.join('') + line
    pending = []
  }
  if (pending.length > 0) yield pending.join('')
}

function endsInOddBackslashes(line: string): boolean {
  let count = 0
  while (line[line.length - 1 - count] === '\\') count++
  return count % 2 === 1
}

function endOfKey(line: string): number {
  for (let at = 0; at < line.length; at++) {
    const char = line[at]!
    if (char === '\\') at++
    else if (char === '=' || char === ':' || isWhite(char)) return at
  }
  return line.length
}

function isWhite(char: string | undefined): boolean {
  return char === ' ' || char === '\t' || char === '\f'
}

function skipWhite(line: string, from: number): number {
  let at = from
  while (isWhite(line[at])) at++
  return at
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' }

function unescape(text: string): string {
  if (!text.includes('\\')) return text
  return text.replaceAll(
    /\\(?:u([0-9a-fA-F]{4})|([^]?))/g,
    (_all, hex: string | undefined, char: string | undefined) => {
      if (hex !== undefined) return String.fromCharCode(parseInt(hex, 16))
      // Java's exception has the same text.
      if (char === 'u') throw new SyntaxError('Malformed \\uxxxx encoding.')
      return ESCAPES[char ?? ''] ?? char ?? ''
    },
  )
}
