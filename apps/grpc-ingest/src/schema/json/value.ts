import type { FieldType } from '../model/model.ts'
import { putDouble, putFloat, putInt32, putInt64, putUint32, putUint64 } from './number.ts'
import { output, putAscii } from './output.ts'
import { varint32 } from '../wire/wire-scan.ts'

/**
 * Writes the value whose wire form stands at `at` as JSON at `pos` and returns the position after it. The wire form is
 * complete: the scanner has checked that. Needs room for 32 bytes.
 */
export type PutValue = (buf: Uint8Array, at: number, pos: number) => number

/** The names of an enum as JSON texts, by number. */
export interface EnumTexts {
  /** The numbers 0 to 127. */
  readonly dense: readonly (Uint8Array | undefined)[]
  readonly sparse: ReadonlyMap<number, Uint8Array>
}

/** Writes the name of an enum value, or the bare number when it has no name. Needs room for the longest name. */
export function putEnum(texts: EnumTexts, number: number, pos: number): number {
  const text = number >= 0 && number < 128 ? texts.dense[number] : texts.sparse.get(number)
  return text === undefined ? putInt32(number, pos) : putAscii(text, pos)
}

export function hasEnum(texts: EnumTexts, number: number): boolean {
  return texts.sparse.has(number)
}

// The two halves of a varint or fixed64, for lack of a second return value.
let low = 0
let high = 0

/** Reads a varint of 64 bits into two halves, for `readLow` and `readHigh`. */
export function readVarint64(buf: Uint8Array, at: number): void {
  const first = buf[at]!
  high = 0
  low = first & 0x7f
  if (first < 0x80) return
  let middle = 0
  let top = 0
  let byte = 0
  let i = 1
  for (; i < 4; i++) {
    byte = buf[at + i]!
    low |= (byte & 0x7f) << (7 * i)
    if (byte < 0x80) return
  }
  for (; i < 8; i++) {
    byte = buf[at + i]!
    middle |= (byte & 0x7f) << (7 * (i - 4))
    if (byte < 0x80) break
  }
  if (byte >= 0x80) {
    byte = buf[at + 8]!
    top = byte & 0x7f
    if (byte >= 0x80) top |= (buf[at + 9]! & 0x7f) << 7
  }
  low |= middle << 28
  high = (middle >>> 4) | (top << 24)
}

/** The low 32 bits of the varint read last, signed. */
export const readLow = (): number => low
/** Its high 32 bits, signed. */
export const readHigh = (): number => high

export function readFixed32(buf: Uint8Array, at: number): number {
  return buf[at]! | (buf[at + 1]! << 8) | (buf[at + 2]! << 16) | (buf[at + 3]! << 24)
}

function readFixed64(buf: Uint8Array, at: number): void {
  low = readFixed32(buf, at)
  high = readFixed32(buf, at + 4)
}

const float = new Float32Array(1)
const floatBits = new Int32Array(float.buffer)
const double = new Float64Array(1)
const doubleBits = new Int32Array(double.buffer)

export function readDouble(buf: Uint8Array, at: number): number {
  // Every platform of Node is little-endian, like the wire format.
  doubleBits[0] = readFixed32(buf, at)
  doubleBits[1] = readFixed32(buf, at + 4)
  return double[0]!
}

export function readFloat(buf: Uint8Array, at: number): number {
  floatBits[0] = readFixed32(buf, at)
  return float[0]!
}

/** A signed 64-bit varint as a double; exact up to 2^53. */
export function readInt64(buf: Uint8Array, at: number): number {
  readVarint64(buf, at)
  return (high | 0) * 0x100000000 + (low >>> 0)
}

const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')

function putVarint64(buf: Uint8Array, at: number, pos: number): number {
  readVarint64(buf, at)
  return putInt64(low, high, pos)
}

function putSint64(buf: Uint8Array, at: number, pos: number): number {
  readVarint64(buf, at)
  const sign = -(low & 1)
  return putInt64(((low >>> 1) | (high << 31)) ^ sign, (high >>> 1) ^ sign, pos)
}

/** The writers of scalars. Strings, bytes, enums and messages have their own writers. */
export const PUT: Readonly<Partial<Record<FieldType, PutValue>>> = {
  int32: (buf, at, pos) => putInt32(varint32(buf, at), pos),
  uint32: (buf, at, pos) => putUint32(varint32(buf, at) >>> 0, pos),
  sint32: (buf, at, pos) => {
    const value = varint32(buf, at)
    return putInt32((value >>> 1) ^ -(value & 1), pos)
  },
  int64: putVarint64,
  uint64: (buf, at, pos) => {
    readVarint64(buf, at)
    return putUint64(low, high, pos)
  },
  sint64: putSint64,
  fixed32: (buf, at, pos) => putUint32(readFixed32(buf, at) >>> 0, pos),
  sfixed32: (buf, at, pos) => putInt32(readFixed32(buf, at), pos),
  fixed64: (buf, at, pos) => {
    readFixed64(buf, at)
    return putUint64(low, high, pos)
  },
  sfixed64: (buf, at, pos) => {
    readFixed64(buf, at)
    return putInt64(low, high, pos)
  },
  bool: (buf, at, pos) => {
    if (buf[at]! < 0x80) return putAscii(buf[at] === 0 ? FALSE : TRUE, pos)
    readVarint64(buf, at)
    return putAscii((low | high) === 0 ? FALSE : TRUE, pos)
  },
  float: (buf, at, pos) => putFloat(readFloat(buf, at), pos),
  double: (buf, at, pos) => putDouble(readDouble(buf, at), pos),
}

/** Writes a bool or an integer as the key of a map, in quotes. 64-bit integers have quotes already. */
export function putQuoted(put: PutValue, buf: Uint8Array, at: number, pos: number): number {
  output.buf[pos] = 34
  const end = put(buf, at, pos + 1)
  output.buf[end] = 34
  return end + 1
}
