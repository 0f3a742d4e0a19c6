import { promisify } from 'node:util'
import { constants, createDeflateRaw, createInflateRaw, type DeflateRaw, type InflateRaw } from 'node:zlib'

/** What ends a flushed block, and is left out of a message (RFC 7692, section 7.2.1). */
const TAIL = Buffer.from([0, 0, 0xff, 0xff])

export interface DeflateParameters {
  /** `<direction>_no_context_takeover`: each message begins anew. */
  readonly noContext?: boolean
  /** `<direction>_max_window_bits`, 9 to 15. */
  readonly windowBits?: number
}

/** One direction of permessage-deflate, from message to payload. */
export class MessageDeflater {
  readonly #stream: DeflateRaw
  readonly #noContext: boolean

  constructor({ noContext = false, windowBits = 15 }: DeflateParameters) {
    this.#stream = createDeflateRaw({ windowBits })
    this.#noContext = noContext
  }

  async deflate(message: Buffer): Promise<Buffer> {
    const payload = await passThrough(this.#stream, message)
    if (this.#noContext) this.#stream.reset()
    return payload.subarray(0, payload.length - TAIL.length)
  }
}

/** The other way round. Fails for a payload that was made with a larger window. */
export class MessageInflater {
  readonly #stream: InflateRaw
  readonly #noContext: boolean

  constructor({ noContext = false, windowBits = 15 }: DeflateParameters) {
    this.#stream = createInflateRaw({ windowBits })
    this.#noContext = noContext
  }

  async inflate(payload: Buffer): Promise<Buffer> {
    const message = await passThrough(this.#stream, Buffer.concat([payload, TAIL]))
    if (this.#noContext) this.#stream.reset()
    return message
  }
}

async function passThrough(stream: DeflateRaw | InflateRaw, data: Buffer): Promise<Buffer> {
  const chunks: Buffer[] = []
  const collect = (chunk: Buffer): void => void chunks.push(chunk)
  stream.on('data', collect)
  stream.write(data)
  await promisify((kind: number, done: () => void) => stream.flush(kind, done))(constants.Z_SYNC_FLUSH)
  stream.off('data', collect)
  return Buffer.concat(chunks)
}
