import { crc32 } from 'node:zlib'

/** A content as long as this is left to CRC-32, which is faster from some 400 bytes on: calling it costs as much as 100 bytes here. */
const LONG = 512

/**
 * The digest of a message, 32 bits. 0 stands for no digest, so it is never one. Two contents of one length that differ in four bytes
 * or less have different digests, as each step can be undone. Text and its bytes have different digests. It is stored in offsets, so
 * another function would take all messages for new ones.
 */
export function contentDigest(content: string | Uint8Array): number {
  const digest =
    content.length >= LONG ? crc32(content) : typeof content === 'string' ? textDigest(content) : bytesDigest(content)
  return digest === 0 ? 1 : digest
}

/** Odd, so that a product modulo 2^32 can be undone: 2^32 divided by the golden ratio (Knuth, TAOCP 6.4). */
const FACTOR = 0x9e3779b1

function bytesDigest(bytes: Uint8Array): number {
  const { length } = bytes
  const whole = length & ~3
  let hash = length
  for (let i = 0; i < whole; i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    hash = mixed(hash ^ word)
  }
  for (let i = whole; i < length; i++) hash = mixed(hash ^ bytes[i]!)
  return hash
}

function textDigest(text: string): number {
  const { length } = text
  const whole = length & ~1
  let hash = length
  for (let i = 0; i < whole; i += 2) hash = mixed(hash ^ (text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16)))
  if (whole < length) hash = mixed(hash ^ text.charCodeAt(whole))
  return hash
}

function mixed(hash: number): number {
  const product = Math.imul(hash, FACTOR)
  return product ^ (product >>> 15)
}
