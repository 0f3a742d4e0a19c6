/**
 * JSON in which integers beyond ±2^53 are bigint. `JSON.parse` silently rounds them, and offsets, configurations and
 * requests carry such values.
 */

// Not yet in TypeScript's lib: https://github.com/tc39/proposal-json-parse-with-source (in V8 since 11.4).
interface JsonWithSource {
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown
  rawJSON(text: string): object
  isRawJSON(value: unknown): value is { readonly rawJSON: string }
}
const json = JSON as unknown as JsonWithSource

/**
 * The limits of Jackson's StreamReadConstraints, with which Connect parses. Deeper or longer text is a SyntaxError here
 * too.
 */
const MAX_DEPTH = 1000
const MAX_NUMBER_LENGTH = 1000

export interface ParseJsonOptions {
  /**
   * How numbers are returned:
   * - `value` (default): a number, or a bigint for an integer beyond ±2^53
   * - `text`: the source text as a string, as Connect reads config values (`1.50` → `"1.50"`)
   * - `raw`: an object that stringifyJson writes exactly as it stood in the source (`1.50`, `1e3`)
   */
  readonly numbers?: 'value' | 'text' | 'raw'
}

/**
 * Matches text that may hold a number which `JSON.parse` would round or turn into Infinity: 16 digits in a row, or an
 * exponent of three digits. Digits inside a JSON string mostly follow its quote, so ids and times written as strings do
 * not match. All other text goes to the plain parser, which is ten times as fast.
 */
const MAY_ROUND = /(?:^|[:[,\s-])(?:\d{16}|[\d.]+[eE]\+?\d{3})/

/**
 * Parses JSON. Throws SyntaxError for malformed text, for more than 1000 levels of nesting, for a number of more than
 * 1000 characters, and for a number beyond the range of a double: `JSON.parse` would return Infinity for it, and
 * `JSON.stringify` would write null.
 */
export function parseJson(text: string, { numbers = 'value' }: ParseJsonOptions = {}): unknown {
  assertDepth(text)
  const value = parseValue(text, numbers)
  return hasEscapedKey(text) ? parseEscapedKeys(text, numbers) : value
}

function parseValue(text: string, numbers: ParseJsonOptions['numbers']): unknown {
  if (numbers === 'value' && !MAY_ROUND.test(text)) return JSON.parse(text) as unknown
  return json.parse(text, (_key, value, { source }) => {
    if (typeof value !== 'number' || source === undefined) return value
    if (source.length > MAX_NUMBER_LENGTH) throw new SyntaxError(`number of ${source.length} characters in JSON`)
    if (numbers === 'text') return source
    if (!Number.isFinite(value)) throw new SyntaxError(`number out of range in JSON: ${source.slice(0, 40)}`)
    if (numbers === 'raw') return json.rawJSON(source)
    return Number.isSafeInteger(value) || !/^-?\d+$/.test(source) ? value : BigInt(source)
  })
}

/** `JSON.stringify` that also writes bigint (as a JSON number) and the numbers that `parseJson` kept as `raw`. */
export function stringifyJson(value: unknown, space?: number): string {
  const text = JSON.stringify(
    value,
    (_key, v: unknown) => (typeof v === 'bigint' ? json.rawJSON(String(v)) : v),
    space,
  ) as string | undefined
  if (text === undefined) throw new TypeError(`${typeof value} has no JSON form`)
  return text
}

/**
 * JSON without white space, with the keys of every object in the order of their UTF-16 code units. Equal values give
 * equal bytes, which the compaction of an offsets topic needs. Undefined members are left out.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) return `[${value.map((v: unknown) => canonicalJson(v ?? null)).join(',')}]`
  if (typeof value !== 'object' || value === null || json.isRawJSON(value) || hasToJson(value))
    return stringifyJson(value)
  const members = Object.entries(value)
    .filter(([, v]) => v !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([k, v]) => `${JSON.stringify(k)}:${canonicalJson(v)}`).join(',')}}`
}

function hasToJson(value: object): boolean {
  return 'toJSON' in value && typeof value.toJSON === 'function'
}

function assertDepth(text: string): void {
  if (text.length <= MAX_DEPTH) return
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === 0x22) at = endOfString(text, at)
    else if (char === 0x7b || char === 0x5b) {
      if (++depth > MAX_DEPTH) throw new SyntaxError(`JSON is nested deeper than ${MAX_DEPTH} levels`)
    } else if (char === 0x7d || char === 0x5d) depth--
  }
}

/** The index of the closing quote of the string that opens at `from`, or the length of the text. */
function endOfString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === 0x5c) at++
    else if (char === 0x22) return at
  }
  return text.length
}

/**
 * Parses JSON with escapes in keys. V8 12.8 and later (https://github.com/nodejs/node/issues/63785) compares the text of such
 * a key undecoded with the key that earlier objects had in its place. So V8 reads `{"a\t":1}` as `{"a\\":1}` if an earlier
 * object had the key `a\`, and then gives a reviver no source for the numbers below. Here V8 gets numbered keys instead.
 */
function parseEscapedKeys(text: string, numbers: ParseJsonOptions['numbers']): unknown {
  const numberOf = new Map<string, number>()
  let numbered = ''
  let done = 0
  for (const [start, end] of keysIn(text)) {
    const key = JSON.parse(text.slice(start, end)) as string
    const number = numberOf.get(key) ?? numberOf.size
    numberOf.set(key, number)
    numbered += `${text.slice(done, start)}"k${number}"`
    done = end
  }
  return withKeys(parseValue(numbered + text.slice(done), numbers), [...numberOf.keys()])
}

/** Replaces the numbered keys in a value. */
function withKeys(value: unknown, keys: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => withKeys(item, keys))
  if (typeof value !== 'object' || value === null || json.isRawJSON(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [keys[Number(key.slice(1))]!, withKeys(member, keys)]),
  )
}

/** `text` is valid JSON, so its backslashes are in strings. */
function hasEscapedKey(text: string): boolean {
  for (let at = text.indexOf('\\'); at >= 0;) {
    const end = endOfString(text, at - 1) + 1
    if (isKeyBefore(text, end)) return true
    at = text.indexOf('\\', end)
  }
  return false
}

/** Start and end of each key with its quotes. */
function* keysIn(text: string): Generator<readonly [start: number, end: number]> {
  for (let start = text.indexOf('"'); start >= 0;) {
    const end = endOfString(text, start) + 1
    if (isKeyBefore(text, end)) yield [start, end]
    start = text.indexOf('"', end)
  }
}

const COLON = /\s*:/y

/** Whether the string that ends before `end` is a key. */
function isKeyBefore(text: string, end: number): boolean {
  COLON.lastIndex = end
  return COLON.test(text)
}
