import { canonicalJson, parseJson, stringifyJson } from '@tributary/config'

/**
 * Writes JSON with the same bytes as Connect's JsonConverter without schemas, which uses Jackson: no blanks, and
 * non-ASCII characters unescaped. The bytes of keys matter, because compaction compares them.
 */
export function toJson(value: unknown, order: 'given' | 'sorted' = 'given'): string {
  const text = order === 'sorted' ? canonicalJson(value) : stringifyJson(value)
  // Jackson writes the escapes of control characters with capital letters. The pattern also matches an escaped
  // backslash, so that the text after one is not mistaken for an escape.
  return text.replace(/\\(?:\\|u00[01][0-9a-f])/g, (escape) =>
    escape === '\\\\' ? escape : `\\u${escape.slice(2).toUpperCase()}`,
  )
}

export function jsonBytes(value: unknown): Buffer {
  return Buffer.from(toJson(value))
}

/** Parses JSON. Integers beyond 2^53 become bigint. Throws SyntaxError. */
export function fromJson(bytes: Uint8Array): unknown {
  return parseJson(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString())
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
