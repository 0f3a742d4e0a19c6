import { deflateRawSync, inflateRawSync } from 'node:zlib'

/** The first byte of every payload; it says how to read the rest. */
const DEFLATED_JSON = 1
const MAX_INFLATED_BYTES = 8 * 1024 * 1024

/** The metadata or the assignment of a member as bytes: a version byte, then deflated JSON. */
export function encodePayload(value: unknown): Buffer {
  return Buffer.concat([Buffer.of(DEFLATED_JSON), deflateRawSync(JSON.stringify(value))])
}

/**
 * The value that `encodePayload` was given; null for bytes that are empty, of a later version or of another program.
 */
export function decodePayload(bytes: Uint8Array): unknown {
  if (bytes.length < 2 || bytes[0] !== DEFLATED_JSON) return null
  try {
    return JSON.parse(inflateRawSync(bytes.subarray(1), { maxOutputLength: MAX_INFLATED_BYTES }).toString()) as unknown
  } catch {
    // The bytes are of another program. The caller decides what an unreadable member means.
    return null
  }
}

/** The object that `encodePayload` was given; null for anything else, and for an object that `reads` refuses. */
export function readPayload<T>(bytes: Uint8Array, reads: (value: unknown) => boolean = () => true): T | null {
  const value = decodePayload(bytes)
  return typeof value === 'object' && value !== null && reads(value) ? (value as T) : null
}
