import { converterErrors } from '../errors.ts'

/** Wire types (protobuf encoding, "Message Structure"). */
export const VARINT = 0
export const I64 = 1
export const LEN = 2
export const START_GROUP = 3
export const END_GROUP = 4
export const I32 = 5

/** As in protobuf-java (CodedInputStream.DEFAULT_RECURSION_LIMIT). */
export const MAX_DEPTH = 100

export function malformed(what: string): Error {
  return converterErrors.CONVERTER_PROTOBUF(`Malformed Protobuf message: ${what}`)
}

export function tooDeep(): Error {
  return malformed(`it nests deeper than ${MAX_DEPTH} messages`)
}

/** Reads the wire format. Every method throws DataError `CONVERTER_PROTOBUF` for malformed bytes. */
export class Input {
  readonly bytes: Buffer
  pos: number
  end: number

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.pos = 0
    this.end = bytes.byteLength
  }

  /** The field number shifted left by three, plus the wire type. */
  tag(): number {
    const tag = this.uint32()
    if (tag >>> 3 === 0) throw malformed('field number 0')
    return tag
  }

  /** The low 32 bits of a varint, unsigned. Longer ones are cut, as in all implementations. */
  uint32(): number {
    const { bytes, end } = this
    let { pos } = this
    let value = 0
    for (let shift = 0; shift < 70; shift += 7) {
      if (pos >= end) throw malformed('it ends inside a field')
      const byte = bytes[pos++]!
      if (shift < 32) value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.pos = pos
        return value >>> 0
      }
    }
    throw malformed('a varint of more than 10 bytes')
  }

  /** The 64 bits of a varint, signed. */
  int64(): bigint {
    const { bytes, end } = this
    let low = 0
    let middle = 0
    let high = 0
    for (let i = 0; i < 10; i++) {
      if (this.pos >= end) throw malformed('it ends inside a field')
      const byte = bytes[this.pos++]!
      if (i < 4) low |= (byte & 0x7f) << (7 * i)
      else if (i < 8) middle |= (byte & 0x7f) << (7 * (i - 4))
      else high |= (byte & 0x7f) << (7 * (i - 8))
      if (byte < 0x80) {
        if (high === 0 && middle < 0x1000000) return BigInt(middle * 0x10000000 + low)
        return BigInt.asIntN(64, BigInt(low) | (BigInt(middle) << 28n) | (BigInt(high) << 56n))
      }
    }
    throw malformed('a varint of more than 10 bytes')
  }

  /** A varint is true if any of its bits is set. */
  bool(): boolean {
    return this.int64() !== 0n
  }

  sint32(): number {
    const value = this.uint32()
    return (value >>> 1) ^ -(value & 1)
  }

  sint64(): bigint {
    const value = BigInt.asUintN(64, this.int64())
    return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n))
  }

  fixed32(): number {
    return this.bytes.readInt32LE(this.#take(4))
  }

  fixed64(): bigint {
    return this.bytes.readBigInt64LE(this.#take(8))
  }

  float(): number {
    return this.bytes.readFloatLE(this.#take(4))
  }

  double(): number {
    return this.bytes.readDoubleLE(this.#take(8))
  }

  /** Reads a length and returns the end of what it spans. `pos` is then at its start. */
  chunk(): number {
    const length = this.uint32()
    if (length > this.end - this.pos) throw malformed('it ends inside a field')
    return this.pos + length
  }

  string(): string {
    const end = this.chunk()
    const text = this.bytes.toString('utf8', this.pos, end)
    this.pos = end
    return text
  }

  /** A copy, so that it does not keep the whole record alive. */
  copy(): Buffer {
    const end = this.chunk()
    const copy = Buffer.from(this.bytes.subarray(this.pos, end))
    this.pos = end
    return copy
  }

  /** Skips a field whose tag was read. `depth`: the number of messages around it. */
  skip(tag: number, depth: number): void {
    switch (tag & 7) {
      case VARINT:
        this.uint32()
        return
      case I64:
        this.#take(8)
        return
      case LEN:
        this.pos = this.chunk()
        return
      case START_GROUP:
        this.skipGroup(tag >>> 3, depth + 1)
        return
      case I32:
        this.#take(4)
        return
      case END_GROUP:
        throw malformed('a group ends that did not start')
      default:
        throw malformed(`wire type ${tag & 7}`)
    }
  }

  /** Skips a group with its end tag and returns the end of its content. */
  skipGroup(number: number, depth: number): number {
    if (depth > MAX_DEPTH) throw tooDeep()
    for (;;) {
      const end = this.pos
      const tag = this.tag()
      if ((tag & 7) === END_GROUP) {
        if (tag >>> 3 !== number) throw malformed('a group ends with the tag of another')
        return end
      }
      this.skip(tag, depth)
    }
  }

  #take(length: number): number {
    const at = this.pos
    if (length > this.end - at) throw malformed('it ends inside a field')
    this.pos = at + length
    return at
  }
}
