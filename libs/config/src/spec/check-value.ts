import { compilePattern, PatternError } from '../patterns/pattern.ts'
import type { Pattern } from '../patterns/pattern.ts'
import { KeyValueListError, parseKeyValueList } from '../values/key-value-list.ts'
import { parseJson } from '../values/json.ts'
import type { ParsedValue } from '../values/parse-value.ts'
import { Secret } from '../values/secret.ts'
import { renamesReason } from './field-lists.ts'
import { internalTopic } from './internal-topics.ts'
import type { Validator } from './spec.ts'

/**
 * The reason why `value` fails the check, in Kafka's words where Kafka has such a validator; null when it passes.
 * `value` is null when the key has no value or its text did not parse. Most validators let null pass, because that
 * error is already reported.
 */
export function checkValue(validator: Validator, value: ParsedValue | null): string | null {
  if (validator.kind === 'all') {
    for (const part of validator.of) {
      const reason = checkValue(part, value)
      if (reason !== null) return reason
    }
    return null
  }
  if (value === null) return checkNull(validator)
  if (Array.isArray(value)) return checkEach(validator, value)
  if (typeof value === 'number') return validator.kind === 'range' ? checkRange(validator, value) : null
  if (typeof value === 'boolean') return null
  return checkText(validator, value instanceof Secret ? value.reveal() : String(value))
}

function checkNull(validator: Validator): string | null {
  if (validator.kind === 'range' && validator.rejectNull) return 'Value must be non-null'
  if (validator.kind === 'url' && validator.rejectNull) return `${validator.label ?? 'URL'} cannot be null`
  if (validator.kind === 'nonEmpty' && validator.rejectNull) return validator.message ?? 'List may not be empty'
  if (validator.kind === 'oneOf' && validator.rejectNull) return checkOneOf(validator, '')
  if (validator.kind === 'regex' && validator.rejectNull) return 'Invalid regex: there is none'
  return validator.kind === 'nonNull' ? 'entry must be non null' : null
}

function checkEach(validator: Validator, values: readonly string[]): string | null {
  if (validator.kind === 'nonEmpty') return values.length === 0 ? (validator.message ?? 'List may not be empty') : null
  if (validator.kind === 'renames') return renamesReason(values)
  for (const value of values) {
    const reason = checkText(validator, value)
    if (reason !== null) return reason
  }
  return null
}

function checkRange(range: Extract<Validator, { kind: 'range' }>, value: number): string | null {
  // NaN compares false with both bounds, so the code must ask whether the bound holds, not whether it is broken.
  if (range.min !== undefined && !(value >= range.min)) return range.message ?? `Value must be at least ${range.min}`
  if (range.max !== undefined && !(value <= range.max))
    return range.message ?? `Value must be no more than ${range.max}`
  return null
}

function checkText(validator: Validator, text: string): string | null {
  switch (validator.kind) {
    case 'nonEmpty':
      return text === '' ? (validator.message ?? 'String may not be empty') : null
    case 'regex':
      return checkRegex(text)
    case 'nameText':
      return checkName(text)
    case 'oneOf':
      return checkOneOf(validator, text)
    case 'pattern':
      return checkPattern(validator.regex, text, validator.message)
    case 'topicName':
      return validator.orBlank && text.trim() === '' ? null : (checkTopicName(text) ?? internalTopic(text))
    case 'json':
      return checkJson(text, validator.shape)
    case 'url':
      return checkUrl(validator, text)
    case 'keyValueList':
      return checkKeyValueList(text)
    case 'knownClass':
      return validator.names.includes(text) ? null : `Class ${text} could not be found.`
    case 'nonNull':
    case 'range':
    case 'castSpec':
    case 'renames':
    case 'all':
      return null
    default:
      return validator satisfies never
  }
}

/** Patterns that are kept compiled: more than the specs of a cluster name. */
const MAX_KEPT = 200
const kept = new Map<string, Pattern>()

/** null: the text matches; else `message`, or why the pattern cannot answer. Specs of other processes name patterns too. */
export function checkPattern(source: string, text: string, message: string): string | null {
  try {
    return compiled(source).test(text) ? null : message
  } catch (error) {
    if (error instanceof PatternError) return error.message
    throw error
  }
}

function checkRegex(source: string): string | null {
  try {
    compiled(source)
    return null
  } catch (error) {
    if (error instanceof PatternError) return `Invalid regex: ${error.message}`
    throw error
  }
}

function compiled(source: string): Pattern {
  const found = kept.get(source)
  if (found !== undefined) return found
  const pattern = compilePattern(source)
  if (kept.size >= MAX_KEPT) kept.delete(kept.keys().next().value!)
  kept.set(source, pattern)
  return pattern
}

/**
 * Most bytes of a connector's name in a path, where it is percent-encoded. A request's line and headers have 16 KiB
 * together. Kafka Connect takes longer names, and answers 431 to every later request for them.
 */
const MAX_NAME_BYTES = 6000

/** The reason why `text` can be no name of a connector, partly in Kafka's words; null for a name. */
export function checkName(text: string): string | null {
  if (text === '') return 'String may not be empty'
  if (text === '.' || text === '..') return 'HTTP clients take this name for a part of the path and leave it out'
  if (!text.isWellFormed()) return 'String may not contain half of a surrogate pair, which no path can contain'
  const length = text.length > MAX_NAME_BYTES ? text.length : encodeURIComponent(text).length
  if (length > MAX_NAME_BYTES)
    return `String must take at most ${MAX_NAME_BYTES} bytes in a path, percent-encoded, and takes ${length} or more`
  const codes = [...text].map((c) => c.codePointAt(0)!).filter((code) => code < 0x20 || (code >= 0x7f && code <= 0x9f))
  if (codes.length === 0) return null
  return `String may not contain control sequences but had the following ASCII chars: ${codes.slice(0, 20).join(', ')}`
}

function checkOneOf({ values, ignoreCase }: Extract<Validator, { kind: 'oneOf' }>, text: string): string | null {
  if (ignoreCase) {
    if (values.some((v) => v.toLowerCase() === text.toLowerCase())) return null
    const shown = values.map((v) => v.toUpperCase()).sort()
    return `String must be one of (case insensitive): ${shown.join(', ')}`
  }
  return values.includes(text) ? null : `String must be one of: ${values.join(', ')}`
}

/** Rules and texts of `org.apache.kafka.common.internals.Topic`. Returns what is wrong; null for a legal name. */
export function checkTopicName(text: string): string | null {
  const bad = (why: string): string => `Topic name is invalid: ${why}`
  if (text === '') return bad('the empty string is not allowed')
  if (text === '.' || text === '..') return bad(`'${text}' is not allowed`)
  if (text.length > 249) return bad(`the length of '${text}' is longer than the max allowed length 249`)
  if (/^[a-zA-Z0-9._-]+$/.test(text)) return null
  return bad(`'${text}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`)
}

function checkJson(text: string, shape: 'object' | undefined): string | null {
  if (text === '') return null
  let value: unknown
  try {
    value = parseJson(text)
  } catch {
    // The parser's own message would quote the value, which may be a secret.
    return 'Value is not valid JSON'
  }
  if (shape === 'object' && (typeof value !== 'object' || value === null || Array.isArray(value))) {
    return 'Value must be a JSON object'
  }
  return null
}

function checkUrl(validator: Extract<Validator, { kind: 'url' }>, text: string): string | null {
  const { schemes, label = 'URL', userInfo } = validator
  if (text === '') return `${label} cannot be empty`
  const wanted = schemes.map((s) => `${s}://`).join(' or ')
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(text)?.[1]
  if (scheme === undefined) return `${label} must have a scheme (${wanted})`
  if (!schemes.includes(scheme.toLowerCase())) return `${label} must use ${wanted} scheme, got: ${scheme}`
  // `new URL` would silently repair `ws:/host` and `ws:///host`.
  if (!/^[^:]+:\/\/[^/?#]/.test(text)) return `${label} must have a valid host`
  const url = URL.parse(text)
  if (!url || url.hostname === '') return `${label} must have a valid host and port`
  const anonymous = url.username === '' && url.password === ''
  return anonymous || userInfo === undefined ? null : `user and password belong into ${userInfo}`
}

function checkKeyValueList(text: string): string | null {
  try {
    parseKeyValueList(text)
    return null
  } catch (error) {
    if (error instanceof KeyValueListError) return `Expected key:value pairs parted by commas, but ${error.message}`
    throw error
  }
}
