/**
 * JSON as text. A document whose one field changes keeps every other character: the digits of its numbers, the order of its keys
 * (which an object of JavaScript does not keep when keys look like numbers), and keys that come twice.
 */

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The place of a value in a text: from its first character to behind its last. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** `detail.data` → `['detail', 'data']`: object fields only. A dot within a name cannot be written, as in the JVM connector. */
export function parsePath(path: string): readonly string[] {
  return path.split('.')
}

/**
 * Finds the value at a path of object fields. `text` must be valid JSON. Of a key that comes twice, the last one counts, as for
 * `JSON.parse`. Null: there is no such field.
 */
export function findSpan(text: string, path: readonly string[]): Span | null {
  let start = skipSpace(text, 0)
  for (const name of path) {
    const found = fieldStart(text, start, name)
    if (found === null) return null
    start = found
  }
  return { start, end: endOfValue(text, start) }
}

/** Valid JSON without the white space between its tokens. */
export function compactJson(text: string): string {
  let out = ''
  let done = 0
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === QUOTE) at = endOfString(text, at) - 1
    else if (char <= 0x20) {
      out += text.slice(done, at)
      done = at + 1
    }
  }
  return done === 0 ? text : out + text.slice(done)
}

/** A key that comes twice in one object of valid JSON, or null. `JSON.parse` drops the first of the two in silence. */
export function duplicateKey(text: string): string | null {
  const open: Set<string>[] = []
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === OPEN_BRACE || char === OPEN_BRACKET) open.push(new Set())
    else if (char === CLOSE_BRACE || char === CLOSE_BRACKET) open.pop()
    else if (char === QUOTE) {
      const end = endOfString(text, at)
      if (text[skipSpace(text, end)] === ':') {
        const key = JSON.parse(text.slice(at, end)) as string
        if (open.at(-1)?.has(key)) return key
        open.at(-1)?.add(key)
      }
      at = end - 1
    }
  }
  return null
}

/** The start of the value of a field of the object at `at`; null when the value at `at` is no object or has no such field. */
function fieldStart(text: string, at: number, name: string): number | null {
  if (text[at] !== '{') return null
  let found: number | null = null
  let key = skipSpace(text, at + 1)
  while (text[key] === '"') {
    const keyEnd = endOfString(text, key)
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1)
    if (sameKey(text, key, keyEnd, name)) found = start
    const next = skipSpace(text, endOfValue(text, start))
    if (text[next] !== ',') break
    key = skipSpace(text, next + 1)
  }
  return found
}

function sameKey(text: string, start: number, end: number, name: string): boolean {
  const raw = text.slice(start + 1, end - 1)
  return raw === name || (raw.includes('\\') && JSON.parse(`"${raw}"`) === name)
}

/** The index behind the value that starts at `start`. */
function endOfValue(text: string, start: number): number {
  const first = text.charCodeAt(start)
  if (first === QUOTE) return endOfString(text, start)
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return endOfScalar(text, start)
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === QUOTE) at = endOfString(text, at) - 1
    else if (char === OPEN_BRACE || char === OPEN_BRACKET) depth++
    else if ((char === CLOSE_BRACE || char === CLOSE_BRACKET) && --depth === 0) return at + 1
  }
  return text.length
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** The index behind the closing quote of the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let before = quote - 1
    while (text.charCodeAt(before) === BACKSLASH) before--
    // An even number of backslashes escapes itself.
    if ((quote - before) % 2 === 1) return quote + 1
  }
  return text.length
}

const SCALAR = /[^\s,\]}]*/y

function endOfScalar(text: string, start: number): number {
  SCALAR.lastIndex = start
  return start + (SCALAR.exec(text)?.[0].length ?? 0)
}

const SPACE = /[ \t\n\r]*/y

function skipSpace(text: string, at: number): number {
  SPACE.lastIndex = at
  return at + (SPACE.exec(text)?.[0].length ?? 0)
}
