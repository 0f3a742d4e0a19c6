const START = 1024
/** A buffer that one large record made larger than this is given back. */
const KEEP = 1_048_576
/** The largest message that the implementations of Protobuf read. */
const MAX = 0x7fffffff

/**
 * Writes the wire format into a buffer that is used again for the next message. A message inside a message is written in place: its
 * length gets one byte, and is moved aside when it needs more.
 */
export class Output {
  #bytes = Buffer.allocUnsafeSlow(START)
  pos = 0

  /** A copy of what was written since `reset`. */
  take(): Buffer {
    const copy = Buffer.allocUnsafe(this.pos)
    this.#bytes.copy(copy, 0, 0, this.pos)
    return copy
  }

  reset(): void {
    this.pos = 0
    if (this.#bytes.length > KEEP) this.#bytes = Buffer.allocUnsafeSlow(START)
  }

  #grow(count: number): void {
    const needed = this.pos + count
    if (needed <= this.#bytes.length) return
    if (needed > MAX) throw new RangeError(`a Protobuf message of more than ${MAX} bytes`)
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(this.#bytes.length * 2, MAX)))
    this.#bytes.copy(larger, 0, 0, this.pos)
    this.#bytes = larger
  }

  raw(bytes: Uint8Array): void {
    this.#grow(bytes.length)
    this.#bytes.set(bytes, this.pos)
    this.pos += bytes.length
  }

  /** An unsigned varint of at most 32 bits: tags, lengths, uint32. */
  varint(value: number): void {
    this.#grow(5)
    const bytes = this.#bytes
    let { pos } = this
    while (value > 0x7f) {
      bytes[pos++] = (value & 0x7f) | 0x80
      value >>>= 7
    }
    bytes[pos++] = value
    this.pos = pos
  }

  /** int32 and enums: a negative number takes ten bytes. */
  int32(value: number): void {
    if (value >= 0) this.varint(value)
    else this.#varint64(value >>> 0, 0xffffffff)
  }

  sint32(value: number): void {
    this.varint(((value << 1) ^ (value >> 31)) >>> 0)
  }

  /** int64 and uint64. */
  int64(value: bigint): void {
    if (value >= 0n && value <= 0x7fffffffn) return this.varint(Number(value))
    const unsigned = BigInt.asUintN(64, value)
    this.#varint64(Number(unsigned & 0xffffffffn), Number(unsigned >> 32n))
  }

  sint64(value: bigint): void {
    this.int64((value << 1n) ^ (value >> 63n))
  }

  #varint64(low: number, high: number): void {
    this.#grow(10)
    const bytes = this.#bytes
    let { pos } = this
    while (high !== 0) {
      bytes[pos++] = (low & 0x7f) | 0x80
      low = ((low >>> 7) | (high << 25)) >>> 0
      high >>>= 7
    }
    while (low > 0x7f) {
      bytes[pos++] = (low & 0x7f) | 0x80
      low >>>= 7
    }
    bytes[pos++] = low
    this.pos = pos
  }

  fixed32(value: number): void {
    this.#grow(4)
    this.pos = this.#bytes.writeInt32LE(value | 0, this.pos)
  }

  fixed64(value: bigint): void {
    this.#grow(8)
    this.pos = this.#bytes.writeBigInt64LE(BigInt.asIntN(64, value), this.pos)
  }

  float(value: number): void {
    this.#grow(4)
    this.pos = this.#bytes.writeFloatLE(value, this.pos)
  }

  double(value: number): void {
    this.#grow(8)
    this.pos = this.#bytes.writeDoubleLE(value, this.pos)
  }

  /** With its length. */
  bytes(value: Uint8Array): void {
    this.varint(value.length)
    this.raw(value)
  }

  /** With its length. A lone surrogate becomes U+FFFD. */
  string(value: string): void {
    const { length } = value
    if (length <= 42) {
      // At most three bytes a character: the length fits in one byte.
      this.#grow(1 + length * 3)
      const written = this.#bytes.write(value, this.pos + 1, 'utf8')
      this.#bytes[this.pos] = written
      this.pos += 1 + written
      return
    }
    const size = Buffer.byteLength(value)
    this.varint(size)
    this.#grow(size)
    this.pos += this.#bytes.write(value, this.pos, 'utf8')
  }

  /** Starts a message inside a message. Give the result to `end`. */
  begin(): number {
    this.#grow(1)
    return this.pos++
  }

  end(start: number): void {
    const size = this.pos - start - 1
    if (size <= 0x7f) {
      this.#bytes[start] = size
      return
    }
    const extra = size < 0x4000 ? 1 : size < 0x200000 ? 2 : size < 0x10000000 ? 3 : 4
    this.#grow(extra)
    const end = this.pos
    this.#bytes.copyWithin(start + 1 + extra, start + 1, end)
    this.pos = start
    this.varint(size)
    this.pos = end + extra
  }
}
