import { crc32 } from 'node:zlib'

/** CRC32 of all that follows it, then the length of the payload in bytes; both u32, little endian. */
const HEADER_BYTES = 8

/** A valid entry of a segment. */
export interface ReadEntry {
  readonly payload: Buffer
  /** Index of the first byte after the entry. */
  readonly end: number
}

export function entryBytes(payloadBytes: number): number {
  return HEADER_BYTES + payloadBytes
}

/** Encodes payloads as consecutive entries, for one write. */
export function encodeEntries(payloads: readonly Uint8Array[]): Buffer {
  let bytes = 0
  for (const payload of payloads) bytes += HEADER_BYTES + payload.length
  const out = Buffer.allocUnsafe(bytes)
  let at = 0
  for (const payload of payloads) {
    const end = at + HEADER_BYTES + payload.length
    out.writeUInt32LE(payload.length, at + 4)
    out.set(payload, at + HEADER_BYTES)
    // The checksum covers the length, so the zeros that a file system may leave after a power loss are not a valid entry.
    out.writeUInt32LE(crc32(out.subarray(at + 4, end)), at)
    at = end
  }
  return out
}

/** Size of the entry at `at` in bytes according to its header, which may be damaged; null: the header is incomplete. */
export function claimedBytes(bytes: Buffer, at: number): number | null {
  return at + HEADER_BYTES > bytes.length ? null : HEADER_BYTES + bytes.readUInt32LE(at + 4)
}

/** The entry at `at`; null if it is incomplete or damaged. The payload is a view of `bytes`. */
export function readEntry(bytes: Buffer, at: number): ReadEntry | null {
  const claimed = claimedBytes(bytes, at)
  if (claimed === null || at + claimed > bytes.length) return null
  const end = at + claimed
  if (crc32(bytes.subarray(at + 4, end)) !== bytes.readUInt32LE(at)) return null
  return { payload: bytes.subarray(at + HEADER_BYTES, end), end }
}
