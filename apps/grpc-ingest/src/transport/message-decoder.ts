import { gunzipSync, inflateSync } from 'node:zlib'
import { inflateMessage, type InflateSync } from '@tributary/push-source'
import { copyBounds, type MessageRun, runOf } from './message-run.ts'
import { type GrpcStatus, localStatus } from './status.ts'

/** Compressed flag (1 byte), length (4 bytes, big endian). */
const PREFIX_BYTES = 5

/** The encodings that this client reads, as `grpc-accept-encoding` lists them. */
export const ACCEPT_ENCODING = 'identity,gzip,deflate'

/** A map, because the server names the encoding: an object would find `constructor`. */
const INFLATE: ReadonlyMap<string, InflateSync> = new Map([
  ['gzip', gunzipSync],
  ['deflate', inflateSync],
])

/** Bounds of the messages of the present chunk. Decoders share the array, as a chunk is decoded without interruption. */
let bounds = new Int32Array(1024)

/** The bytes break the framing of gRPC or a limit of this client. The call ends with `status`. */
export class FramingError extends Error {
  readonly status: GrpcStatus
  constructor(status: GrpcStatus) {
    super(status.message)
    this.name = 'FramingError'
    this.status = status
  }
}

/** One message as a Length-Prefixed-Message (PROTOCOL-HTTP2), uncompressed. */
export function lengthPrefixed(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.length)
  frame[0] = 0
  frame.writeUInt32BE(message.length, 1)
  frame.set(message, PREFIX_BYTES)
  return frame
}

/**
 * Splits the bytes of a gRPC stream into messages. Messages inside one chunk are a run of it and cost no copy, so a
 * held message holds its chunk (HTTP/2 frames are 16 KiB).
 */
export class MessageDecoder {
  readonly #maxBytes: number
  readonly #encoding: string
  readonly #inflate: InflateSync | null
  #pending: Buffer[] = []
  #pendingBytes = 0
  #neededBytes = PREFIX_BYTES

  /** `encoding`: the `grpc-encoding` of the response. Throws FramingError for an encoding that was not offered. */
  constructor(maxBytes: number, encoding = 'identity') {
    this.#maxBytes = maxBytes
    this.#encoding = encoding
    this.#inflate = INFLATE.get(encoding) ?? null
    if (this.#inflate === null && encoding !== 'identity') {
      throw new FramingError(localStatus('INTERNAL', `messages are compressed with ${encoding}, which was not offered`))
    }
  }

  /** The bytes of a message that is not complete yet. */
  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /**
   * Appends the messages that `chunk` completes to `out`. Throws FramingError after the messages before the bad one.
   */
  push(chunk: Buffer, out: MessageRun[]): void {
    let bytes = chunk
    if (this.#pendingBytes > 0) {
      this.#pending.push(chunk)
      this.#pendingBytes += chunk.length
      if (this.#pendingBytes < this.#neededBytes) return
      bytes = Buffer.concat(this.#pending, this.#pendingBytes)
      this.#pending = []
      this.#pendingBytes = 0
    }
    const end = bytes.length
    let at = 0
    let count = 0
    let size = 0
    const found = (): void => {
      if (count > 0) out.push({ bytes, bounds: copyBounds(bounds, 2 * count), count, size })
      count = size = 0
    }
    for (;;) {
      this.#neededBytes = PREFIX_BYTES
      const start = at + PREFIX_BYTES
      if (start > end) break
      const length = bytes.readUInt32BE(at + 1)
      if (length > this.#maxBytes) {
        found()
        throw tooLarge(`${length} bytes`, this.#maxBytes)
      }
      const next = start + length
      if (next > end) {
        this.#neededBytes = PREFIX_BYTES + length
        break
      }
      if (bytes[at] === 0) {
        if (2 * count === bounds.length) bounds = withRoom(bounds)
        bounds[2 * count] = start
        bounds[2 * count + 1] = next
        count++
        size += length
      } else {
        found()
        out.push(runOf(this.#inflated(bytes.subarray(start, next))))
      }
      at = next
    }
    found()
    if (at < end) {
      this.#pending.push(bytes.subarray(at))
      this.#pendingBytes = end - at
    }
  }

  #inflated(message: Buffer): Buffer {
    if (this.#inflate === null) {
      throw new FramingError(
        localStatus('INTERNAL', 'a message is marked as compressed, but no grpc-encoding was said'),
      )
    }
    try {
      return inflateMessage(this.#inflate, message, { maxOutputLength: this.#maxBytes })
    } catch (error) {
      const { code, message: why } = error as NodeJS.ErrnoException
      if (code === 'ERR_BUFFER_TOO_LARGE') {
        throw tooLarge(`more than ${this.#maxBytes} bytes once uncompressed`, this.#maxBytes)
      }
      throw new FramingError(localStatus('INTERNAL', `a ${this.#encoding} message cannot be uncompressed: ${why}`))
    }
  }
}

function withRoom(full: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * full.length)
  larger.set(full)
  return larger
}

function tooLarge(size: string, maxBytes: number): FramingError {
  return new FramingError({
    ...localStatus('RESOURCE_EXHAUSTED', `a message of ${size} came, the limit is ${maxBytes} bytes`),
    tooLarge: true,
  })
}
