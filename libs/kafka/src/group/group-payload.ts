import { deflateRawSync, inflateRawSync } from 'node:zlib'

/** First byte of every payload: the way in which the rest is to be read. */
const DEFLATED_JSON = 1
const MAX_INFLATED_BYTES = 64 * 1024 * 1024

/** A group member's metadata or assignment as bytes: a version byte, then deflated JSON. */
export function encodePayload(value: unknown): Buffer {
  return Buffer.concat([Buffer.of(DEFLATED_JSON), deflateRawSync(JSON.stringify(value))])
}

/** What `encodePayload` was given; null for bytes that are empty, of a later version or of someone else. */
export function decodePayload(bytes: Uint8Array): unknown {
  if (bytes.length < 2 || bytes[0] !== DEFLATED_JSON) return null
  try {
    return JSON.parse(inflateRawSync(bytes.subarray(1), { maxOutputLength: MAX_INFLATED_BYTES }).toString()) as unknown
  } catch {
    // Another member's bytes: the caller decides what a member that it cannot read means.
    return null
  }
}
