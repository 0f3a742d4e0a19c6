import { constants, inflateRawSync, type ZlibOptions } from 'node:zlib'
import { inflateMessage } from '@tributary/push-source'

/** Longest distance of a back-reference (RFC 1951, section 2). */
const WINDOW_BYTES = 32 * 1024

/** Bytes that the sender removes from the end of each message (RFC 7692, section 7.2.1). */
const TAIL = Buffer.from([0, 0, 0xff, 0xff])

/**
 * Decompresses the received messages of permessage-deflate (RFC 7692) synchronously. `ws` would send each message
 * through Node's thread pool, which costs about ten times the CPU. The earlier messages to which a message may refer
 * are passed to zlib as a preset dictionary.
 */
export class MessageInflater {
  readonly #maxBytes: number
  /** The last messages, up to `#end`; null if messages do not refer to earlier ones (`server_no_context_takeover`). */
  readonly #history: Buffer | null
  #end = 0

  /** `maxBytes`: largest decompressed message. */
  constructor(maxBytes: number, keepsContext: boolean) {
    this.#maxBytes = maxBytes
    this.#history = keepsContext ? Buffer.allocUnsafeSlow(2 * WINDOW_BYTES) : null
  }

  /** Throws the error of zlib; its code is `ERR_BUFFER_TOO_LARGE` above `maxBytes`. */
  inflate(payload: readonly Buffer[]): Buffer {
    const deflated = Buffer.concat([...payload, TAIL])
    const options: ZlibOptions = {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: this.#maxBytes,
    }
    const dictionary = this.#window()
    if (dictionary !== null) options.dictionary = dictionary
    const inflated = inflateMessage(inflateRawSync, deflated, options)
    this.#remember(inflated)
    return inflated
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
