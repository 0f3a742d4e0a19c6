/**
 * Writes a value at one place of a template. The value is a string, or a value of `parseJson`, whose numbers may be raw. null: the
 * value cannot stand at that place.
 */
export type Writer = (value: unknown) => string | null

/** Stands for a place. A noncharacter of Unicode, so no template needs it as text. */
const PLACE = '\uffff'
/** Where a JSON text may begin. Servers put prefixes before JSON, and separators behind it. */
const START = /[[{]|^\s*"/g
const STRING = /"(?:[^"\\]|\\.)*"/sy
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
/** Bounds the work for a text that only looks like JSON. */
const MAX_STARTS = 100

/** Line breaks and other characters by which protocols end a field: of STOMP, of IRC, of lines and of blocks. */
const CONTROL = /[\p{Cc}\u2028\u2029]/u

/** A string as it is; any other value as JSON. */
export const plain = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

/** Outside of JSON: the value must not end the field in which it stands. */
const field: Writer = (value) => {
  const text = plain(value)
  return CONTROL.test(text) ? null : text
}

/** Between the tokens of JSON. A string that is a number stays a number, because a template cannot convert its type. */
const token: Writer = (value) =>
  typeof value === 'string' && !NUMBER.test(value) ? JSON.stringify(value) : plain(value)

const inString =
  (inner: Writer): Writer =>
  (value) => {
    const text = inner(value)
    return text === null ? null : JSON.stringify(text).slice(1, -1)
  }

/**
 * Returns how a value is written between `texts[i]` and `texts[i + 1]`. Inside JSON the value stays one value, so that
 * nobody who chooses the value can write further fields: in a string its characters are escaped, also in a string of
 * JSON within a string of JSON. Elsewhere, and in a string of JSON that holds lines, the value is written as it is, and cannot
 * have control characters.
 */
export function jsonPlaces(texts: readonly string[]): Writer[] {
  const writers = texts.some((text) => text.includes(PLACE)) ? [] : writersIn(texts.join(PLACE), field)
  return texts.slice(1).map((_, i) => writers[i] ?? field)
}

/** `outside`: how a value is written outside of JSON. */
function writersIn(text: string, outside: Writer): Writer[] {
  const writers: Writer[] = []
  let at = 0
  for (let starts = 0; starts < MAX_STARTS; starts++) {
    START.lastIndex = at
    const start = START.exec(text)
    if (start === null) break
    const from = start.index + start[0].length - 1
    writers.push(...writersOutside(text.slice(at, from), outside))
    const found = jsonAt(text, from)
    at = found?.end ?? from + 1
    if (found !== null) writers.push(...found.writers)
  }
  return [...writers, ...writersOutside(text.slice(at), outside)]
}

function writersOutside(text: string, writer: Writer): Writer[] {
  return Array<Writer>(text.split(PLACE).length - 1).fill(writer)
}

/** The JSON text that begins at `from`; null if there is none. */
function jsonAt(text: string, from: number): { writers: Writer[]; end: number } | null {
  const writers: Writer[] = []
  let depth = 0
  let at = from
  do {
    const char = text[at]
    if (char === undefined) return null
    if (char === '"') {
      STRING.lastIndex = at
      const literal = STRING.exec(text)?.[0]
      const inside = literal === undefined ? null : writersInString(literal)
      if (inside === null) return null
      writers.push(...inside)
      at += literal!.length
      continue
    }
    if (char === PLACE) writers.push(token)
    if (char === '{' || char === '[') depth++
    if (char === '}' || char === ']') depth--
    at++
  } while (depth > 0)
  // A digit may stand at each place: within a string, and as a number or a part of one.
  return parsed(text.slice(from, at).replaceAll(PLACE, '1')) === undefined ? null : { writers, end: at }
}

function writersInString(literal: string): Writer[] | null {
  const content = parsed(literal)
  if (typeof content !== 'string') return null
  // SockJS and others put whole frames of lines into a string. Any other string may hold any text.
  const writers = writersIn(content, CONTROL.test(content) ? field : plain)
  // An escaped noncharacter in the literal is no place.
  return writers.length === literal.split(PLACE).length - 1 ? writers.map(inString) : null
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
