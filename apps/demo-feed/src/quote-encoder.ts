import type { Quote } from './quotes.ts'

const PREFIX_BYTES = 5
/** The size of a quote without its texts: tags, numbers, lengths. */
const MAX_FIXED_BYTES = PREFIX_BYTES + 64

/**
 * Encodes quotes into one buffer, each with its gRPC prefix. The encoder is written by hand, because a source that
 * costs more than the measured system would itself be measured. A test decodes the quotes with protobufjs.
 */
export class QuoteEncoder {
  #buffer: Buffer
  #at = 0

  constructor(capacity = 64 * 1024) {
    this.#buffer = Buffer.allocUnsafe(capacity)
  }

  get byteCount(): number {
    return this.#at
  }

  /** Returns the bytes of all quotes since the last call. */
  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#at)
    this.#buffer = Buffer.allocUnsafe(this.#buffer.length)
    this.#at = 0
    return taken
  }

  add(quote: Quote): void {
    this.#reserve(MAX_FIXED_BYTES + 3 * (quote.symbol.length + quote.padding.length))
    const start = this.#at
    this.#at += PREFIX_BYTES
    this.#varintField(1, quote.sequence)
    this.#textField(2, quote.symbol)
    this.#doubleField(3, quote.bid)
    this.#doubleField(4, quote.ask)
    this.#timestampField(5, quote.sentAtMs)
    if (quote.padding !== '') this.#textField(6, quote.padding)
    this.#buffer[start] = 0
    this.#buffer.writeUInt32BE(this.#at - start - PREFIX_BYTES, start + 1)
  }

  #varint(value: number): void {
    let rest = value
    while (rest > 127) {
      this.#buffer[this.#at++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    this.#buffer[this.#at++] = rest
  }

  #varintField(field: number, value: number): void {
    this.#buffer[this.#at++] = field << 3
    this.#varint(value)
  }

  #textField(field: number, text: string): void {
    this.#buffer[this.#at++] = (field << 3) | 2
    this.#varint(Buffer.byteLength(text))
    this.#at += this.#buffer.write(text, this.#at)
  }

  #doubleField(field: number, value: number): void {
    this.#buffer[this.#at++] = (field << 3) | 1
    this.#at = this.#buffer.writeDoubleLE(value, this.#at)
  }

  /** google.protobuf.Timestamp: seconds and nanos. */
  #timestampField(field: number, ms: number): void {
    this.#buffer[this.#at++] = (field << 3) | 2
    const lengthAt = this.#at++
    const seconds = Math.floor(ms / 1000)
    this.#varintField(1, seconds)
    const nanos = Math.floor((ms - seconds * 1000) * 1e6)
    if (nanos > 0) this.#varintField(2, nanos)
    this.#buffer[lengthAt] = this.#at - lengthAt - 1
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#at + bytes))
    this.#buffer.copy(larger, 0, 0, this.#at)
    this.#buffer = larger
  }
}
