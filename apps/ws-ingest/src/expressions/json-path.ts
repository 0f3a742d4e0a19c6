import { wsErrors } from '../errors.ts'

/** Reads one value out of parsed JSON; undefined when the value is absent. */
export type JsonPath = (json: unknown) => unknown

const PATH = /^(?:\$|(?:\$\.)?(?:\\[\s\S]|[^.\\])+(?:\.(?:\\[\s\S]|[^.\\])+)*)$/
/** Regular expression of a valid path. */
export const PATH_PATTERN = PATH.source

/** Stands for the whole value. At the start of a path (`$.a`) it changes nothing. */
const ROOT = '$'

/**
 * Compiles a dotted path: names of members, or indexes of elements from 0 (`data.0.id`). `$` is the value itself and
 * may begin a path. A backslash stands before a dot that belongs to a name. Inherited properties, such as
 * `constructor`, are absent.
 */
export function compilePath(path: string): JsonPath {
  const steps = namesOfPath(path).map(stepOf)
  const [first, ...more] = steps
  if (first === undefined) return (json) => json
  if (more.length === 0) return first
  return (json) => {
    let value = first(json)
    for (let i = 0; i < more.length && value !== undefined; i++) value = more[i]!(value)
    return value
  }
}

/** Whether the path starts at the whole message (`$`), even where messages are split into elements. */
export function isOfMessage(path: string): boolean {
  return path === ROOT || path.startsWith(`${ROOT}.`)
}

/** Returns the path. Throws ConfigError on `key` if a name in the path is empty or the path ends with a backslash. */
export function checkPath(path: string, key: string): string {
  if (PATH.test(path)) return path
  throw wsErrors.WEBSOCKET_FIELD_PATH(`"${path}" in ${key} is no path of names parted by dots`, {
    field: key,
  })
}

/** The names in a path; none for `$`. */
export function namesOfPath(path: string): string[] {
  if (path === ROOT) return []
  const relative = path.startsWith(`${ROOT}.`) ? path.slice(2) : path
  return (relative.match(/(?:\\[^]|[^.\\])+/g) ?? []).map((name) => name.replaceAll(/\\([^])/g, '$1'))
}

/** Parsed JSON holds only plain objects and arrays, so only names that arrays inherit need a check for ownership. */
function stepOf(name: string): JsonPath {
  if (name in Array.prototype) {
    return (value) =>
      isContainer(value) && !Array.isArray(value) && Object.hasOwn(value, name) ? value[name] : undefined
  }
  return (value) => (isContainer(value) ? value[name] : undefined)
}

function isContainer(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

/** Character codes of JSON. */
const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const COMMA = 0x2c
const COLON = 0x3a
const SPACE = 0x20

/**
 * The text of each element of an array within a JSON text, exactly as written: numbers keep their digits and strings
 * keep their escapes. `path` holds the names that lead to the array; an empty path means that the whole text is the
 * array. Returns null if there is no array at the path. The text must be valid JSON, which callers know because they
 * have parsed it; for any other text the result has no meaning.
 */
export function elementTexts(json: string, path: readonly string[]): string[] | null {
  let at = skipSpace(json, 0)
  for (const name of path) {
    at = memberOf(json, at, name)
    if (at < 0) return null
  }
  return json.charCodeAt(at) === OPEN_ARRAY ? elementsAt(json, at) : null
}

function elementsAt(json: string, open: number): string[] {
  const texts: string[] = []
  let at = skipSpace(json, open + 1)
  while (at < json.length && json.charCodeAt(at) !== CLOSE_ARRAY) {
    const end = endOfValue(json, at)
    texts.push(json.slice(at, end))
    at = skipSpace(json, end)
    if (json.charCodeAt(at) === COMMA) at = skipSpace(json, at + 1)
  }
  return texts
}

/** Where the value of a member, or of an element given by its index, begins; -1 if absent. */
function memberOf(json: string, at: number, name: string): number {
  const code = json.charCodeAt(at)
  if (code === OPEN_OBJECT) return memberOfObject(json, at, name)
  return code === OPEN_ARRAY && /^(?:0|[1-9]\d*)$/.test(name) ? memberOfArray(json, at, Number(name)) : -1
}

/** If a name occurs twice, the last member counts, as with JSON.parse. */
function memberOfObject(json: string, open: number, name: string): number {
  let found = -1
  let at = skipSpace(json, open + 1)
  while (at < json.length && json.charCodeAt(at) !== CLOSE_OBJECT) {
    const nameEnd = endOfString(json, at)
    const value = skipSpace(json, skipSpace(json, nameEnd) + 1)
    if (isName(json, at, nameEnd, name)) found = value
    at = skipSpace(json, endOfValue(json, value))
    if (json.charCodeAt(at) === COMMA) at = skipSpace(json, at + 1)
  }
  return found
}

function memberOfArray(json: string, open: number, index: number): number {
  let at = skipSpace(json, open + 1)
  for (let i = 0; at < json.length && json.charCodeAt(at) !== CLOSE_ARRAY; i++) {
    if (i === index) return at
    at = skipSpace(json, endOfValue(json, at))
    if (json.charCodeAt(at) === COMMA) at = skipSpace(json, at + 1)
  }
  return -1
}

/** Whether the string from `open` to `end`, quotes included, is this name. */
function isName(json: string, open: number, end: number, name: string): boolean {
  const text = json.slice(open + 1, end - 1)
  return text === name ? !text.includes('\\') : text.includes('\\') && JSON.parse(`"${text}"`) === name
}

/** Index of the first character after the value that begins at `at`. */
function endOfValue(json: string, at: number): number {
  const code = json.charCodeAt(at)
  if (code === QUOTE) return endOfString(json, at)
  if (code === OPEN_OBJECT || code === OPEN_ARRAY) return endOfContainer(json, at)
  let end = at + 1
  while (end < json.length && !endsScalar(json.charCodeAt(end))) end++
  return end
}

function endOfContainer(json: string, open: number): number {
  let depth = 1
  for (let at = open + 1; at < json.length; at++) {
    const code = json.charCodeAt(at)
    if (code === QUOTE) at = endOfString(json, at) - 1
    else if (code === OPEN_OBJECT || code === OPEN_ARRAY) depth++
    else if ((code === CLOSE_OBJECT || code === CLOSE_ARRAY) && --depth === 0) return at + 1
  }
  return json.length
}

/** Index of the first character after the closing quote of the string that opens at `open`. */
function endOfString(json: string, open: number): number {
  for (let close = json.indexOf('"', open + 1); close >= 0; close = json.indexOf('"', close + 1)) {
    let before = close - 1
    while (json.charCodeAt(before) === BACKSLASH) before--
    if ((close - before) % 2 === 1) return close + 1
  }
  return json.length
}

function skipSpace(json: string, at: number): number {
  while (json.charCodeAt(at) <= SPACE) at++
  return at
}

function endsScalar(code: number): boolean {
  return code <= SPACE || code === COMMA || code === CLOSE_ARRAY || code === CLOSE_OBJECT || code === COLON
}
