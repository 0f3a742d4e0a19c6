import { isUtf8 } from 'node:buffer'
import type { Writable } from 'node:stream'
import type { ReceivedMessages } from '../message/received-messages.ts'

/** First bytes of a frame that is a whole message, without extension bits (RFC 6455, section 5.2). */
const WHOLE_TEXT = 0x81
const WHOLE_BINARY = 0x82
/**
 * Stands in the place of the bytes of a header that are not ASCII, so that one check of a run finds out whether each of its
 * messages is valid UTF-8: no sequence goes on over it.
 */
const SEPARATOR = 0

const FIN = 0x80
const OPCODE = 0x0f
const CONTINUATION = 0
const BINARY = 2
const LENGTH = 0x7f
/** The length of the payload follows in 2 bytes, or in 8. */
const LENGTH_16 = 126
const LENGTH_64 = 127

export interface WholeFramesParts {
  /** The receiver of `ws`. */
  readonly receiver: Writable
  /** Writes to the receiver as `ws` does. */
  readonly pass: (part: Buffer) => void
  readonly maxMessageBytes: number
  readonly utf8Validation: boolean
  readonly onMessages: (messages: ReceivedMessages) => void
}

/**
 * Takes whole, unfragmented data frames directly from what the socket read. All else goes to the receiver of `ws`, frame by frame
 * and in order: fragments, control frames, the frame that a read cuts, and what breaks the protocol or a limit. The receiver costs
 * several objects and events for each frame. Without extensions it handles a frame before its `write` returns.
 */
export class WholeFrames {
  readonly #parts: WholeFramesParts
  /** The header of the frame of which the receiver has a part. */
  readonly #header = Buffer.alloc(10)
  #headerBytes = 0
  /** Bytes of that frame that are still to come. */
  #missing = 0
  /** The receiver has the beginning of a fragmented message. */
  #fragmented = false
  #bounds = new Int32Array(1024)

  constructor(parts: WholeFramesParts) {
    this.#parts = parts
  }

  read(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length && !this.#over) {
      if (this.#headerBytes === 0 && !this.#fragmented) at = this.#takeRun(chunk, at)
      if (at < chunk.length && !this.#over) at = this.#passFrame(chunk, at)
    }
  }

  /** The receiver reads nothing more: after a Close frame, or an error. */
  get #over(): boolean {
    const { receiver } = this.#parts
    return receiver.writableEnded || receiver.destroyed || receiver.errored !== null
  }

  /** Takes the whole messages of one type that begin at `at`. Returns the end of the last one. */
  #takeRun(chunk: Buffer, at: number): number {
    const { maxMessageBytes } = this.#parts
    const first = chunk[at]
    if (first !== WHOLE_TEXT && first !== WHOLE_BINARY) return at
    const isText = first === WHOLE_TEXT
    let count = 0
    let end = at
    while (end + 2 <= chunk.length && chunk[end] === first) {
      let length = chunk[end + 1]!
      let start = end + 2
      if (length >= LENGTH_16) {
        if (length > LENGTH_16 || end + 4 > chunk.length) break
        start = end + 4
        length = (chunk[end + 2]! << 8) | chunk[end + 3]!
      }
      if (length > maxMessageBytes || start + length > chunk.length) break
      if (isText) {
        chunk[end] = SEPARATOR
        if (start - end > 2) chunk[end + 2] = chunk[end + 3] = SEPARATOR
      }
      if (2 * count === this.#bounds.length) this.#growBounds()
      this.#bounds[2 * count] = start
      this.#bounds[2 * count + 1] = start + length
      count++
      end = start + length
    }
    if (count === 0) return at
    const whole = at === 0 && end === chunk.length
    const validText = isText && isUtf8(whole ? chunk : chunk.subarray(at, end))
    if (isText && !validText && this.#parts.utf8Validation) return this.#takeValid(chunk, at, count)
    this.#deliver(chunk, at, count, !isText, validText)
    return end
  }

  /** One of the text messages is not valid UTF-8: takes those before it, and leaves it to the receiver, which closes with 1007. */
  #takeValid(chunk: Buffer, at: number, count: number): number {
    const bounds = this.#bounds
    let valid = 0
    while (valid < count && isUtf8(chunk.subarray(bounds[2 * valid], bounds[2 * valid + 1]))) valid++
    const frame = valid === 0 ? at : bounds[2 * valid - 1]!
    const [start, end] = [bounds[2 * valid]!, bounds[2 * valid + 1]!]
    chunk[frame] = WHOLE_TEXT
    if (start - frame > 2) chunk.writeUInt16BE(end - start, frame + 2)
    if (valid > 0) this.#deliver(chunk, at, valid, false, true)
    return this.#over ? chunk.length : this.#passFrame(chunk, frame)
  }

  /** The frames from `at` on hold the first `count` messages of `#bounds`. */
  #deliver(chunk: Buffer, at: number, count: number, binary: boolean, validText: boolean): void {
    const bounds = count === 1 ? this.#onlyBounds() : this.#bounds.slice(0, 2 * count)
    const end = bounds[2 * count - 1]!
    let bytes = chunk
    // A few messages must not hold the memory of much that was read with them.
    if ((end - at) * 2 < chunk.buffer.byteLength) {
      bytes = Buffer.allocUnsafeSlow(end - at)
      chunk.copy(bytes, 0, at, end)
      for (let i = 0; i < bounds.length; i++) bounds[i]! -= at
    }
    this.#parts.onMessages({ bytes, bounds, count, binary, validText })
  }

  #onlyBounds(): Int32Array {
    const bounds = new Int32Array(2)
    bounds[0] = this.#bounds[0]!
    bounds[1] = this.#bounds[1]!
    return bounds
  }

  /** Passes one frame to the receiver, or as much of it as was read. Returns its end. */
  #passFrame(chunk: Buffer, at: number): number {
    let end = at
    while (end < chunk.length && this.#headerBytes < this.#headerLength) {
      this.#header[this.#headerBytes++] = chunk[end++]!
      if (this.#headerBytes === this.#headerLength) this.#missing = this.#payloadLength
    }
    const isWhole = this.#headerBytes === this.#headerLength && this.#missing <= chunk.length - end
    const payload = this.#headerBytes < this.#headerLength ? 0 : Math.min(this.#missing, chunk.length - end)
    this.#missing -= payload
    end += payload
    if (isWhole) {
      this.#headerBytes = 0
      this.#noteFragments(this.#header[0]!)
    }
    this.#parts.pass(chunk.subarray(at, end))
    return end
  }

  get #headerLength(): number {
    if (this.#headerBytes < 2) return 2
    const length = this.#header[1]! & LENGTH
    return length < LENGTH_16 ? 2 : length === LENGTH_16 ? 4 : 10
  }

  get #payloadLength(): number {
    const length = this.#header[1]! & LENGTH
    if (length === LENGTH_16) return this.#header.readUInt16BE(2)
    return length === LENGTH_64 ? Number(this.#header.readBigUInt64BE(2)) : length
  }

  #noteFragments(first: number): void {
    const opcode = first & OPCODE
    if (opcode > BINARY) return
    this.#fragmented = opcode === CONTINUATION ? this.#fragmented && (first & FIN) === 0 : (first & FIN) === 0
  }

  #growBounds(): void {
    const grown = new Int32Array(2 * this.#bounds.length)
    grown.set(this.#bounds)
    this.#bounds = grown
  }
}
