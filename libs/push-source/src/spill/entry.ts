import { crc32 } from 'node:zlib'

/** CRC32 of the rest, then the payload's length; both u32, little endian. */
const HEADER_BYTES = 8

/** One entry of a segment, or how far no entry can be told from garbage. */
export interface ReadEntry {
  readonly payload: Buffer
  /** Where the next one begins. */
  readonly end: number
}

export function entryBytes(payloadBytes: number): number {
  return HEADER_BYTES + payloadBytes
}

/** Payloads as entries, one behind the other, for one write. */
export function encodeEntries(payloads: readonly Uint8Array[]): Buffer {
  let bytes = 0
  for (const payload of payloads) bytes += HEADER_BYTES + payload.length
  const out = Buffer.allocUnsafe(bytes)
  let at = 0
  for (const payload of payloads) {
    const end = at + HEADER_BYTES + payload.length
    out.writeUInt32LE(payload.length, at + 4)
    out.set(payload, at + HEADER_BYTES)
    // The length is covered too: a tail of zeros, as a file system may leave after a power loss, is no entry.
    out.writeUInt32LE(crc32(out.subarray(at + 4, end)), at)
    at = end
  }
  return out
}

/** Bytes of the entry at `at` as its header has it, true or not; null: not even a header is there. */
export function claimedBytes(bytes: Buffer, at: number): number | null {
  return at + HEADER_BYTES > bytes.length ? null : HEADER_BYTES + bytes.readUInt32LE(at + 4)
}

/** The entry at `at`; null when it is not whole, or not what was written. The payload is a view. */
export function readEntry(bytes: Buffer, at: number): ReadEntry | null {
  const claimed = claimedBytes(bytes, at)
  if (claimed === null || at + claimed > bytes.length) return null
  const end = at + claimed
  if (crc32(bytes.subarray(at + 4, end)) !== bytes.readUInt32LE(at)) return null
  return { payload: bytes.subarray(at + HEADER_BYTES, end), end }
}
