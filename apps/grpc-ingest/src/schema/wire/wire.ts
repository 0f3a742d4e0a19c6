import type { DataError } from '@tributary/connect-api'
import type { FieldType } from '../model/model.ts'
import { grpcErrors } from '../../errors.ts'

/** Wire types (protobuf encoding, "Message Structure"). */
export const VARINT = 0
export const I64 = 1
export const LEN = 2
export const START_GROUP = 3
export const END_GROUP = 4
export const I32 = 5

/** The deepest nesting of messages and groups, as in protobuf-java (CodedInputStream.DEFAULT_RECURSION_LIMIT). */
export const MAX_DEPTH = 100

const WIRE_TYPES: Readonly<Record<FieldType, number>> = {
  double: I64, float: I32, int32: VARINT, int64: VARINT, uint32: VARINT, uint64: VARINT, sint32: VARINT, sint64: VARINT,
  fixed32: I32, fixed64: I64, sfixed32: I32, sfixed64: I64, bool: VARINT, string: LEN, bytes: LEN, enum: VARINT,
  message: LEN, group: START_GROUP,
} // prettier-ignore

/** The wire type of one value of a field, not of its packed form. */
export function wireTypeOf(type: FieldType): number {
  return WIRE_TYPES[type]
}

export function decodeError(what: string): DataError {
  return grpcErrors.PROTOBUF_DECODE(`Malformed protobuf message: ${what}`)
}
export function truncated(): DataError {
  return decodeError('it ends inside a field')
}
/** `field`: its full name. Java and Go refuse such messages as well. */
export function missingRequired(field: string): DataError {
  return decodeError(`missing required field ${field}`)
}
export function tooDeep(): DataError {
  return decodeError(`it nests deeper than ${MAX_DEPTH} messages`)
}

/**
 * Reads the wire format between two positions of a buffer. Every method throws DataError `PROTOBUF_DECODE` for
 * malformed input. This reader is for data that is read seldom; the JSON writer has the same rules inlined.
 */
export class WireReader {
  readonly bytes: Uint8Array
  pos: number
  readonly end: number

  constructor(bytes: Uint8Array, pos = 0, end = bytes.length) {
    this.bytes = bytes
    this.pos = pos
    this.end = end
  }

  get more(): boolean {
    return this.pos < this.end
  }

  /** The field number shifted left by three, plus the wire type; unsigned 32 bits. Field number 0 is an error. */
  tag(): number {
    const tag = this.uint32()
    if (tag >>> 3 === 0) throw decodeError('field number 0')
    return tag
  }

  /** The low 32 bits of a varint, unsigned. Longer ones are cut, as in all implementations. */
  uint32(): number {
    let low = 0
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.pos >= this.end) throw truncated()
      const byte = this.bytes[this.pos++]!
      if (shift < 32) low |= (byte & 0x7f) << shift
      if (byte < 0x80) return low >>> 0
    }
    throw decodeError('a varint of more than 10 bytes')
  }

  /** The 64 bits of a varint, unsigned. */
  uint64(): bigint {
    let low = 0
    let middle = 0
    let high = 0
    for (let i = 0; i < 10; i++) {
      if (this.pos >= this.end) throw truncated()
      const byte = this.bytes[this.pos++]!
      if (i < 4) low |= (byte & 0x7f) << (7 * i)
      else if (i < 8) middle |= (byte & 0x7f) << (7 * (i - 4))
      else high |= (byte & 0x7f) << (7 * (i - 8))
      if (byte < 0x80) {
        const number = middle * 0x10000000 + low
        return high === 0 && middle < 0x1000000 ? BigInt(number) : this.#wide(low, middle, high)
      }
    }
    throw decodeError('a varint of more than 10 bytes')
  }

  #wide(low: number, middle: number, high: number): bigint {
    return BigInt.asUintN(64, BigInt(low) | (BigInt(middle) << 28n) | (BigInt(high) << 56n))
  }

  fixed32(): number {
    const at = this.#take(4)
    const b = this.bytes
    return (b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16) | (b[at + 3]! << 24)) >>> 0
  }

  fixed64(): bigint {
    const low = this.fixed32()
    return BigInt(low) | (BigInt(this.fixed32()) << 32n)
  }

  float(): number {
    const at = this.#take(4)
    return new DataView(this.bytes.buffer, this.bytes.byteOffset + at, 4).getFloat32(0, true)
  }

  double(): number {
    const at = this.#take(8)
    return new DataView(this.bytes.buffer, this.bytes.byteOffset + at, 8).getFloat64(0, true)
  }

  /** Reads a length and returns the end of the chunk. `pos` is then at its start. */
  chunk(): number {
    const length = this.uint32()
    if (length > this.end - this.pos) throw truncated()
    return this.pos + length
  }

  /** The bytes of a chunk, not copied. */
  view(): Uint8Array {
    const end = this.chunk()
    const view = this.bytes.subarray(this.pos, end)
    this.pos = end
    return view
  }

  /** Skips a field whose tag was read. `depth`: the number of messages around it. */
  skip(tag: number, depth = 0): void {
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
        throw decodeError('a group ends that did not start')
      default:
        throw decodeError(`wire type ${tag & 7}`)
    }
  }

  /** Skips a group with its end tag and returns the end of its content. */
  skipGroup(number: number, depth: number): number {
    if (depth > MAX_DEPTH) throw tooDeep()
    for (;;) {
      const end = this.pos
      const tag = this.tag()
      if ((tag & 7) === END_GROUP) {
        if (tag >>> 3 !== number) throw decodeError('a group ends with the tag of another')
        return end
      }
      this.skip(tag, depth)
    }
  }

  #take(length: number): number {
    const at = this.pos
    if (length > this.end - at) throw truncated()
    this.pos = at + length
    return at
  }
}
