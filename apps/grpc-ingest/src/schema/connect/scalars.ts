import { isAscii, isUtf8 } from 'node:buffer'
import type { FieldType } from '../model/model.ts'
import { readDouble, readFixed32, readFloat, readHigh, readLow, readVarint64 } from '../json/value.ts'
import { varint32 } from '../wire/wire-scan.ts'
import { decodeError } from '../wire/wire.ts'

/** Reads the value whose wire form stands at `at`; the scanner has checked that it is complete. */
export type ReadValue = (buf: Buffer, at: number) => unknown

const whole = new BigInt64Array(1)
const halves = new Int32Array(whole.buffer)

function bigintOf(low: number, high: number): bigint {
  halves[0] = low
  halves[1] = high
  return whole[0]!
}

function int64(buf: Buffer, at: number): bigint {
  readVarint64(buf, at)
  return bigintOf(readLow(), readHigh())
}

function fixed64(buf: Buffer, at: number): bigint {
  return bigintOf(readFixed32(buf, at), readFixed32(buf, at + 4))
}

/** The readers of scalars. Strings, bytes, enums and messages have their own. Unsigned 64-bit integers come as uint64. */
export const READ = {
  int32: varint32,
  uint32: (buf: Buffer, at: number) => bigintOf(varint32(buf, at), 0),
  sint32: (buf: Buffer, at: number) => {
    const value = varint32(buf, at)
    return (value >>> 1) ^ -(value & 1)
  },
  int64,
  uint64: (buf: Buffer, at: number) => BigInt.asUintN(64, int64(buf, at)),
  sint64: (buf: Buffer, at: number) => {
    readVarint64(buf, at)
    const [low, high] = [readLow(), readHigh()]
    const sign = -(low & 1)
    return bigintOf(((low >>> 1) | (high << 31)) ^ sign, (high >>> 1) ^ sign)
  },
  fixed32: (buf: Buffer, at: number) => bigintOf(readFixed32(buf, at), 0),
  sfixed32: readFixed32,
  fixed64: (buf: Buffer, at: number) => BigInt.asUintN(64, fixed64(buf, at)),
  sfixed64: fixed64,
  bool: (buf: Buffer, at: number) => {
    if (buf[at]! < 0x80) return buf[at] !== 0
    readVarint64(buf, at)
    return (readLow() | readHigh()) !== 0
  },
  float: readFloat,
  double: readDouble,
} satisfies Partial<Record<FieldType, ReadValue>>

/** Texts up to this many bytes are looked up among those read before. */
const CACHED_BYTES = 24
const CACHE_SLOTS = 1024
/** Texts read before, by a hash of their bytes. Feeds repeat symbols, venues and currencies. */
const cache: string[] = new Array<string>(CACHE_SLOTS).fill('')

/** UTF-8 as text. Malformed UTF-8 throws DataError when `strict`, otherwise it becomes U+FFFD. */
export function readString(buf: Buffer, start: number, end: number, strict: boolean): string {
  if (end - start > CACHED_BYTES) return longString(buf, start, end, strict)
  let hash = 0
  let all = 0
  for (let at = start; at < end; at++) {
    const byte = buf[at]!
    all |= byte
    hash = (Math.imul(hash, 31) + byte) | 0
  }
  if (all > 127) return wideString(buf, start, end, strict)
  const slot = (hash ^ (hash >>> 15)) & (CACHE_SLOTS - 1)
  const known = cache[slot]!
  if (known.length === end - start) {
    let at = 0
    while (at < known.length && known.charCodeAt(at) === buf[start + at]) at++
    if (at === known.length) return known
  }
  return (cache[slot] = buf.toString('latin1', start, end))
}

function longString(buf: Buffer, start: number, end: number, strict: boolean): string {
  return isAscii(buf.subarray(start, end)) ? buf.toString('latin1', start, end) : wideString(buf, start, end, strict)
}

function wideString(buf: Buffer, start: number, end: number, strict: boolean): string {
  if (strict && !isUtf8(buf.subarray(start, end))) throw decodeError('a string is not valid UTF-8')
  return buf.toString('utf8', start, end)
}

/** A copy, so that a value that is kept does not keep all that was received with it. */
export function readBytes(buf: Buffer, start: number, end: number): Buffer {
  return Buffer.from(buf.subarray(start, end))
}
