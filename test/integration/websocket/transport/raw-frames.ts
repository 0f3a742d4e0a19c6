import { promisify } from 'node:util'
import { constants, createDeflateRaw, createInflateRaw, type DeflateRaw, type InflateRaw } from 'node:zlib'
/** Frames of RFC 6455, section 5.2, written and read byte by byte, so that a test can break every rule. */

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

export interface FrameOptions {
  /** Default true. */
  readonly fin?: boolean
  /** The three bits as a number, RSV1 being 4. Default 0. */
  readonly rsv?: number
  /** True masks the payload, as clients do and servers must not. Default false. */
  readonly masked?: boolean
}

export function frame(opcode: number, payload: string | Buffer = '', options: FrameOptions = {}): Buffer {
  const data = Buffer.from(payload)
  const { fin = true, rsv = 0, masked = false } = options
  const head = [(fin ? 0x80 : 0) | (rsv << 4) | opcode]
  const mask = masked ? 0x80 : 0
  const length = Buffer.alloc(8)
  length.writeBigUInt64BE(BigInt(data.length))
  if (data.length < 126) head.push(mask | data.length)
  else if (data.length < 65_536) head.push(mask | 126, ...length.subarray(6))
  else head.push(mask | 127, ...length)
  // A mask of zeros leaves the payload unchanged.
  if (masked) head.push(0, 0, 0, 0)
  return Buffer.concat([Buffer.from(head), data])
}

/** A message in frames of at most `size` bytes. */
export function fragments(opcode: number, payload: string | Buffer, size: number, rsv = 0): Buffer[] {
  const data = Buffer.from(payload)
  const frames: Buffer[] = []
  for (let at = 0; at < data.length || at === 0; at += size) {
    const first = at === 0
    const options = { fin: at + size >= data.length, rsv: first ? rsv : 0 }
    frames.push(frame(first ? opcode : OPCODE.continuation, data.subarray(at, at + size), options))
  }
  return frames
}

export function closeFrame(code?: number, reason: string | Buffer = ''): Buffer {
  if (code === undefined) return frame(OPCODE.close, reason)
  const data = Buffer.alloc(2)
  data.writeUInt16BE(code)
  return frame(OPCODE.close, Buffer.concat([data, Buffer.from(reason)]))
}

/** A frame of the client, without its mask. */
export interface ClientFrame {
  readonly opcode: number
  readonly fin: boolean
  readonly compressed: boolean
  readonly payload: Buffer
}

/** Reads the frames of a client. Throws for a frame without a mask, which no client may send. */
export class ClientFrames {
  #rest: Buffer = Buffer.alloc(0)

  push(chunk: Buffer): ClientFrame[] {
    this.#rest = Buffer.concat([this.#rest, chunk])
    const frames: ClientFrame[] = []
    for (let found = this.#next(); found !== null; found = this.#next()) frames.push(found)
    return frames
  }

  #next(): ClientFrame | null {
    const data = this.#rest
    if (data.length < 2) return null
    const short = data[1]! & 0x7f
    if (!(data[1]! & 0x80)) throw new Error('the client sent a frame without a mask')
    const start = short === 126 ? 4 : short === 127 ? 10 : 2
    if (data.length < start + 4) return null
    const length = short === 126 ? data.readUInt16BE(2) : short === 127 ? Number(data.readBigUInt64BE(2)) : short
    const end = start + 4 + length
    if (data.length < end) return null
    const mask = data.subarray(start, start + 4)
    const payload = Buffer.from(data.subarray(start + 4, end)).map((byte, i) => byte ^ mask[i & 3]!)
    this.#rest = data.subarray(end)
    const head = data[0]!
    const bits = { opcode: head & 15, fin: (head & 0x80) !== 0, compressed: (head & 0x40) !== 0 }
    return { ...bits, payload: Buffer.from(payload) }
  }
}

/** The end of a flushed block, which a message leaves out (RFC 7692, section 7.2.1). */
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

/** The other direction, from payload to message. Fails for a payload that was made with a larger window. */
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
