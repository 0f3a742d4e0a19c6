import { canonicalJson, parseJson, stringifyJson } from '@tributary/config'

/**
 * JSON in the bytes that Connect's JsonConverter writes without schemas, which are Jackson's: no blanks, non-ASCII as it is.
 * Bytes matter in keys, because compaction compares them.
 */
export function toJson(value: unknown, order: 'given' | 'sorted' = 'given'): string {
  const text = order === 'sorted' ? canonicalJson(value) : stringifyJson(value)
  // Jackson writes the escapes of control characters with capitals. An escaped backslash is matched so as to be passed over.
  return text.replace(/\\(?:\\|u00[01][0-9a-f])/g, (escape) =>
    escape === '\\\\' ? escape : `\\u${escape.slice(2).toUpperCase()}`,
  )
}

export function jsonBytes(value: unknown): Buffer {
  return Buffer.from(toJson(value))
}

/** Integers beyond 2^53 become bigint. Throws SyntaxError. */
export function fromJson(bytes: Uint8Array): unknown {
  return parseJson(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString())
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
