/** Bytes that a record is written to. One is used for all records of a converter. */
export class Sink {
  bytes: Buffer = Buffer.allocUnsafe(4096)
  at = 0
  /** How deep the record is in types that contain themselves. */
  depth = 0

  /** Makes place for `count` more bytes. */
  need(count: number): void {
    if (this.at + count <= this.bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.at + count))
    this.bytes.copy(larger, 0, 0, this.at)
    this.bytes = larger
  }

  /** A copy of what was written, after which the sink is empty. */
  take(): Buffer {
    const copy = Buffer.allocUnsafe(this.at)
    this.bytes.copy(copy, 0, 0, this.at)
    this.reset()
    return copy
  }

  reset(): void {
    this.at = 0
    this.depth = 0
    // A large record does not hold its memory for ever.
    if (this.bytes.length > KEPT_BYTES) this.bytes = Buffer.allocUnsafe(4096)
  }

  byte(value: number): void {
    this.need(1)
    this.bytes[this.at++] = value
  }

  /** A 32-bit integer as a zigzag varint. */
  int(value: number): void {
    this.need(5)
    let rest = ((value << 1) ^ (value >> 31)) >>> 0
    while (rest > 0x7f) {
      this.bytes[this.at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.bytes[this.at++] = rest
  }

  /** A 64-bit integer as a zigzag varint; a number is a safe integer. */
  long(value: number | bigint): void {
    if (typeof value === 'bigint') {
      if (value < -LIMIT || value > LIMIT) return this.#bigLong(value)
      value = Number(value)
    } else if (value < -Number(LIMIT) || value > Number(LIMIT)) return this.#bigLong(BigInt(value))
    if (value >= -0x40000000 && value < 0x40000000) return this.int(value)
    this.need(10)
    let rest = value < 0 ? -value * 2 - 1 : value * 2
    while (rest > 0x7f) {
      this.bytes[this.at++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    this.bytes[this.at++] = rest
  }

  /** A zigzag of 50 bits or more: a number holds the first seven groups of seven bits, and another one the rest. */
  #bigLong(value: bigint): void {
    this.need(10)
    const zigzag = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
    let low = Number(BigInt.asUintN(49, zigzag))
    let high = Number(zigzag >> 49n)
    for (let group = 0; group < 7; group++) {
      this.bytes[this.at++] = (low % 128) | 0x80
      low = Math.floor(low / 128)
    }
    while (high > 0x7f) {
      this.bytes[this.at++] = (high & 0x7f) | 0x80
      high >>>= 7
    }
    this.bytes[this.at++] = high
  }

  float(value: number): void {
    this.need(4)
    this.at = this.bytes.writeFloatLE(value, this.at)
  }

  double(value: number): void {
    this.need(8)
    this.at = this.bytes.writeDoubleLE(value, this.at)
  }

  string(value: string): void {
    const { length } = value
    if (length < SHORT && this.#ascii(value, length)) return
    const bytes = Buffer.byteLength(value)
    this.int(bytes)
    this.need(bytes)
    this.at += this.bytes.write(value, this.at, bytes, 'utf8')
  }

  /** Short texts are faster without a call into C++. Writes nothing, and returns false, for other than ASCII. */
  #ascii(value: string, length: number): boolean {
    this.need(1 + length)
    const { bytes, at } = this
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i)
      if (code > 0x7f) return false
      bytes[at + 1 + i] = code
    }
    bytes[at] = length << 1
    this.at = at + 1 + length
    return true
  }

  raw(value: Uint8Array): void {
    this.need(value.length)
    this.bytes.set(value, this.at)
    this.at += value.length
  }
}

const KEPT_BYTES = 1024 * 1024
/** A length below this takes one byte. */
const SHORT = 24
/** Twice this is a safe integer. */
const LIMIT = 2n ** 51n
