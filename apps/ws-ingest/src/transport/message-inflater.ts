import { constants, inflateRawSync, type ZlibOptions } from 'node:zlib'

/** The furthest that a reference reaches back (RFC 1951, section 2). */
const WINDOW_BYTES = 32 * 1024

/** What a sender takes off the end of each message (RFC 7692, section 7.2.1). */
const TAIL = Buffer.from([0, 0, 0xff, 0xff])

/** Bounds of zlib's output buffer: up to 4 KiB it comes out of Node's pool. */
const MIN_CHUNK_BYTES = 1024
const MAX_CHUNK_BYTES = 64 * 1024

/**
 * One direction of permessage-deflate (RFC 7692), inflated on the spot. `ws` sends each message through Node's thread pool,
 * which costs some fifty times of what the message itself does. What a message may refer to of those before it goes in as
 * zlib's preset dictionary.
 */
export class MessageInflater {
  readonly #maxBytes: number
  /** The last messages up to `#end`; null when the sender begins each anew (`server_no_context_takeover`). */
  readonly #history: Buffer | null
  #end = 0

  /** `maxBytes`: of a message, inflated. */
  constructor(maxBytes: number, keepsContext: boolean) {
    this.#maxBytes = maxBytes
    this.#history = keepsContext ? Buffer.allocUnsafeSlow(4 * WINDOW_BYTES) : null
  }

  /** Throws what zlib throws: code `ERR_BUFFER_TOO_LARGE` above `maxBytes`. */
  inflate(payload: readonly Buffer[]): Buffer {
    const deflated = Buffer.concat([...payload, TAIL])
    const options: ZlibOptions = {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: this.#maxBytes,
      chunkSize: Math.min(MAX_CHUNK_BYTES, Math.max(MIN_CHUNK_BYTES, deflated.length * 8)),
    }
    const dictionary = this.#window()
    if (dictionary !== null) options.dictionary = dictionary
    const inflated = inflateRawSync(deflated, options)
    this.#remember(inflated)
    // zlib answers a part of its output buffer, which a message that waits in a queue would keep whole.
    return inflated.buffer.byteLength > 2 * inflated.length ? Buffer.from(inflated) : inflated
  }

  #window(): Buffer | null {
    if (this.#history === null || this.#end === 0) return null
    return this.#history.subarray(Math.max(0, this.#end - WINDOW_BYTES), this.#end)
  }

  #remember(message: Buffer): void {
    const history = this.#history
    if (history === null) return
    const latest = message.subarray(Math.max(0, message.length - WINDOW_BYTES))
    if (this.#end + latest.length > history.length) {
      history.copyWithin(0, this.#end - WINDOW_BYTES, this.#end)
      this.#end = WINDOW_BYTES
    }
    this.#end += latest.copy(history, this.#end)
  }
}
