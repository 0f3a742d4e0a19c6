import { parseJson } from '@tributary/config'
import { converterErrors } from '../errors.ts'

/** Deeper bodies would make schemas, and records of converters, that nobody can read. */
const MAX_DEPTH = 100
const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a

/**
 * Parses a body. Integers beyond 2^53 are bigint; with `raw` every number is one of `JSON.rawJSON`, which keeps its digits. Throws
 * DataError BODY_JSON for text that is no JSON, for a key that comes twice in an object (JSON.parse would drop the first in silence),
 * and for more than 100 levels.
 */
export function parseBody(text: string, raw: boolean): unknown {
  let value: unknown
  try {
    value = parseJson(text, { numbers: raw ? 'raw' : 'value' })
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw converterErrors.BODY_JSON(`the body is no JSON: ${error.message.slice(0, 200)}`)
  }
  if (typeof value === 'object' && value !== null && countKeys(value, 1) !== colonsIn(text)) {
    throw converterErrors.BODY_JSON('an object of the body has a key twice')
  }
  return value
}

function countKeys(value: object, depth: number): number {
  if (depth > MAX_DEPTH) throw converterErrors.BODY_JSON(`the body is nested deeper than ${MAX_DEPTH} levels`)
  let count = 0
  if (Array.isArray(value)) {
    for (const item of value)
      if (typeof item === 'object' && item !== null) count += countKeys(item as object, depth + 1)
    return count
  }
  if (isRaw(value)) return 0
  const object = value as Record<string, unknown>
  for (const key of Object.keys(object)) {
    count++
    const member = object[key]
    if (typeof member === 'object' && member !== null) count += countKeys(member, depth + 1)
  }
  return count
}

/** Colons outside strings: one for each key. `text` is valid JSON. */
function colonsIn(text: string): number {
  let count = 0
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === COLON) count++
    else if (char === QUOTE) {
      for (at++; text.charCodeAt(at) !== QUOTE; at++) if (text.charCodeAt(at) === BACKSLASH) at++
    }
  }
  return count
}

// Not yet in TypeScript's lib: https://github.com/tc39/proposal-json-parse-with-source (in V8 since 11.4).
const json = JSON as unknown as { isRawJSON(value: unknown): value is { readonly rawJSON: string } }

/** Whether the value is a number of a body that was parsed with `raw`. */
export const isRaw = (value: unknown): value is { readonly rawJSON: string } =>
  typeof value === 'object' && json.isRawJSON(value)
