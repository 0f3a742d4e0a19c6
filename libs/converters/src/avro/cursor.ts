import { converterErrors } from '../errors.ts'

/** Bytes that a record is read from. Every read throws DataError where the bytes end too early, or are none of Avro's. */
export class Cursor {
  readonly bytes: Buffer
  at = 0
  /** How deep the record is in structs. */
  depth = 0
  /** How many more structs, elements and entries it may have, so that few bytes do not become much memory. */
  #left: number

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#left = bytes.byteLength * ITEMS_PER_BYTE + MIN_ITEMS
  }

  get done(): boolean {
    return this.at === this.bytes.length
  }

  item(): void {
    if (--this.#left < 0) throw damaged('it has more elements than bytes can hold')
  }

  deeper(): void {
    if (++this.depth > MAX_DEPTH) throw damaged(`it is nested more than ${MAX_DEPTH} deep`)
  }

  boolean(): boolean {
    return this.#take(1)[0] !== 0
  }

  int(): number {
    const { bytes } = this
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = bytes[this.at++]
      if (byte === undefined) throw damaged('it ends within a number')
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        if (shift === 28 && byte > 0x0f) break
        return (value >>> 1) ^ -(value & 1)
      }
    }
    throw damaged('an int has more than 32 bits')
  }

  long(): bigint {
    const { bytes } = this
    // Up to 28 bits are read as a number, which is far cheaper than bigint.
    let low = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = bytes[this.at++]
      if (byte === undefined) throw damaged('it ends within a number')
      low |= (byte & 0x7f) << shift
      if (byte < 0x80) return BigInt((low >>> 1) ^ -(low & 1))
    }
    let value = BigInt(low)
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = bytes[this.at++]
      if (byte === undefined) throw damaged('it ends within a number')
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) {
        if (value >= 1n << 64n) break
        return (value >> 1n) ^ -(value & 1n)
      }
    }
    throw damaged('a long has more than 64 bits')
  }

  float(): number {
    this.#need(4)
    const value = this.bytes.readFloatLE(this.at)
    this.at += 4
    return value
  }

  double(): number {
    this.#need(8)
    const value = this.bytes.readDoubleLE(this.at)
    this.at += 8
    return value
  }

  string(): string {
    const length = this.#length()
    const from = this.at
    this.at += length
    return this.bytes.toString('utf8', from, this.at)
  }

  data(): Buffer {
    return this.#take(this.#length())
  }

  fixed(size: number): Buffer {
    return this.#take(size)
  }

  rest(): Buffer {
    return this.#take(this.bytes.length - this.at)
  }

  /** Calls `each` for every element of an array, or entry of a map, in all its blocks. */
  blocks(each: () => void): void {
    for (;;) {
      let count = Number(this.long())
      if (count === 0) return
      if (count < 0) {
        count = -count
        // Its size in bytes, for readers that skip it.
        this.long()
      }
      for (let i = 0; i < count; i++) {
        this.item()
        each()
      }
    }
  }

  #length(): number {
    const length = Number(this.long())
    this.#need(length)
    return length
  }

  #need(count: number): void {
    if (!(count >= 0 && this.at + count <= this.bytes.length)) throw damaged('a length is beyond its end')
  }

  /** A copy, since the record's bytes are a part of a larger answer of Kafka. */
  #take(count: number): Buffer {
    this.#need(count)
    const from = this.at
    this.at += count
    return Buffer.from(this.bytes.subarray(from, this.at))
  }
}

const MAX_DEPTH = 200
const ITEMS_PER_BYTE = 64
const MIN_ITEMS = 10_000

export function damaged(reason: string): Error {
  return converterErrors.CONVERTER_AVRO_BYTES(`the bytes of the record do not fit its Avro schema: ${reason}`)
}
