import { Secret } from './secret.ts'

/** The types of Kafka's ConfigDef in lower case. The REST API shows them in upper case. */
export type ConfigType = 'string' | 'int' | 'long' | 'double' | 'boolean' | 'list' | 'class' | 'password'

export type ParsedValue = string | number | boolean | readonly string[] | Secret

/** The text did not parse. `reason` is Kafka's text after `Invalid value v for configuration k: `. */
export interface ParseFailure {
  readonly reason: string
}

export type ParseOutcome = { readonly value: ParsedValue } | ParseFailure

const INT_MIN = -2_147_483_648n
const INT_MAX = 2_147_483_647n
const LONG_MIN = -(2n ** 63n)
const LONG_MAX = 2n ** 63n - 1n

/** Parses text to its type by the rules of Kafka's `ConfigDef.parseType` (3.9). */
export function parseValue(text: string, type: ConfigType): ParseOutcome {
  const trimmed = javaTrim(text)
  switch (type) {
    case 'string':
    case 'class':
      return { value: trimmed }
    case 'password':
      return { value: new Secret(trimmed) }
    case 'boolean':
      return parseBoolean(trimmed)
    case 'int':
      return parseInteger(trimmed, 'INT', INT_MIN, INT_MAX)
    case 'long':
      return parseInteger(trimmed, 'LONG', LONG_MIN, LONG_MAX)
    case 'double':
      return parseDouble(trimmed)
    case 'list':
      return { value: splitList(trimmed) }
    default:
      return type satisfies never
  }
}

/** Java's `String.trim`: removes characters up to U+0020 at both ends and no others, so a no-break space stays. */
export function javaTrim(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && text.charCodeAt(from) <= 0x20) from++
  while (to > from && text.charCodeAt(to - 1) <= 0x20) to--
  return from === 0 && to === text.length ? text : text.slice(from, to)
}

/** `a, b ,c` → `['a', 'b', 'c']`. An empty text is an empty list; an empty element stays (`a,,b`). */
export function splitList(text: string): string[] {
  return text === '' ? [] : text.split(',').map(javaTrim)
}

/** Removes a trailing comment: `-1  # infinite retries` → `-1`. The comment starts at a `#` after white space. */
export function stripTrailingComment(text: string): string {
  for (let at = text.indexOf('#', 1); at > 0; at = text.indexOf('#', at + 1)) {
    if (text.charCodeAt(at - 1) <= 0x20) return text.slice(0, at)
  }
  return text
}

function parseBoolean(text: string): ParseOutcome {
  const lower = text.length <= 5 ? text.toLowerCase() : ''
  if (lower === 'true') return { value: true }
  if (lower === 'false') return { value: false }
  return { reason: 'Expected value to be either true or false' }
}

function parseInteger(text: string, type: 'INT' | 'LONG', min: bigint, max: bigint): ParseOutcome {
  const notANumber: ParseFailure = { reason: `Not a number of type ${type}` }
  if (!/^[+-]?\d+$/.test(text)) return notANumber
  const digits = text.replace(/^[+-]?0*(?=\d)/, '')
  // The length is checked first: BigInt of a million digits takes longer than a validation may.
  if (digits.length > 19) return notANumber
  const value = text.startsWith('-') ? -BigInt(digits) : BigInt(digits)
  if (value < min || value > max) return notANumber
  const asNumber = Number(value)
  if (Number.isSafeInteger(asNumber)) return { value: asNumber }
  return { reason: `Value must be between ${Number.MIN_SAFE_INTEGER} and ${Number.MAX_SAFE_INTEGER}` }
}

// The syntax of Java's Double.parseDouble without its hexadecimal form. Java too allows a type suffix.
const DOUBLE = /^([+-]?)(?:(NaN|Infinity)|((?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)[fFdD]?)$/

function parseDouble(text: string): ParseOutcome {
  const match = DOUBLE.exec(text)
  if (!match) return { reason: 'Not a number of type DOUBLE' }
  const magnitude = Number(match[2] ?? match[3])
  return { value: match[1] === '-' ? -magnitude : magnitude }
}

/** The text of a value as Kafka's `ConfigDef.convertToString` writes it; `[hidden]` for a secret. */
export function valueText(value: ParsedValue, type: ConfigType): string {
  if (Array.isArray(value)) return value.join(',')
  if (type === 'double' && typeof value === 'number' && Number.isInteger(value)) return value.toFixed(1)
  return String(value)
}
