import {
  constants,
  gunzip,
  gunzipSync,
  inflate,
  inflateRaw,
  inflateRawSync,
  inflateSync,
  zstdDecompress,
  zstdDecompressSync,
  type ZlibOptions,
  type ZstdOptions,
} from 'node:zlib'
import { promisify } from 'node:util'
import { errorCode } from '@tributary/connect-api'

/** `raw`: the data of RFC 1951 without a wrapper. */
export type Wrapper = 'gzip' | 'zlib' | 'raw' | 'zstd'

/** Damaged data, or data that would become too large. */
export class InflateError extends Error {}

/** Larger data, and data with a larger result, in bytes, is inflated in a thread of libuv, so that the event loop goes on. */
const SMALL_DATA = 256 * 1024
const SMALL_RESULT = 1024 * 1024

/** By its first bytes: RFC 1952, RFC 8878, and RFC 1950 with the window of 32 KiB that all usual encoders write. Raw data has none. */
export function wrapperOf(data: Buffer): Exclude<Wrapper, 'raw'> | null {
  if (data.length < 4) return null
  if (data[0] === 0x1f && data[1] === 0x8b) return 'gzip'
  if (data.readUInt32LE(0) === 0xfd2fb528) return 'zstd'
  return data[0] === 0x78 && hasZlibHeader(data) ? 'zlib' : null
}

/** Method, window size, check bits, and no preset dictionary (RFC 1950, 2.2). */
export function hasZlibHeader(data: Buffer): boolean {
  if (data.length < 2) return false
  const [method, flags] = [data[0]!, data[1]!]
  return (method & 0x0f) === 8 && method >> 4 <= 7 && data.readUInt16BE(0) % 31 === 0 && (flags & 0x20) === 0
}

const NOW = { gzip: gunzipSync, zlib: inflateSync, raw: inflateRawSync }
const LATER = {
  gzip: promisify<Buffer, ZlibOptions, Buffer>(gunzip),
  zlib: promisify<Buffer, ZlibOptions, Buffer>(inflate),
  raw: promisify<Buffer, ZlibOptions, Buffer>(inflateRaw),
}

/**
 * Inflates data: at once what is small, which takes some milliseconds, and all else in a thread. Stops as soon as the result has more
 * than `maxBytes`, and then, or when the data is damaged, throws InflateError.
 */
export function inflateBounded(data: Buffer, wrapper: Wrapper, maxBytes: number): Buffer | Promise<Buffer> {
  if (data.length <= SMALL_DATA) {
    const bytes = Math.min(maxBytes, SMALL_RESULT)
    try {
      return wrapper === 'zstd' ? zstdFrames(data, bytes) : NOW[wrapper](data, optionsFor(data, bytes))
    } catch (error) {
      if (!isTooLarge(error) || bytes === maxBytes) throw explained(error, wrapper, maxBytes)
    }
  }
  const later = wrapper === 'zstd' ? zstdFramesLater(data, maxBytes) : LATER[wrapper](data, optionsFor(data, maxBytes))
  return later.catch((error: unknown) => {
    throw explained(error, wrapper, maxBytes)
  })
}

const optionsFor = (data: Buffer, maxOutputLength: number): ZlibOptions => ({
  maxOutputLength,
  chunkSize: data.length < 8192 ? 16_384 : 65_536,
})

/** What Node answers with `info`: the result, and the stream, which knows how many bytes it took. Its types leave the option out. */
interface Inflated {
  readonly buffer: Buffer
  readonly engine: { readonly bytesWritten: number }
}
const zstdNow = zstdDecompressSync as unknown as (data: Buffer, options: ZstdOptions) => Inflated
const zstdLater = promisify(zstdDecompress) as unknown as (data: Buffer, options: ZstdOptions) => Promise<Inflated>

/** Each frame costs a context of its own. Compressors that work in parallel make one frame for some hundred KiB. */
const MAX_FRAMES = 1000

/** Collects the frames of Zstandard data, which may have several (RFC 8878, 3.1). Node's functions end with the first one. */
class Frames {
  readonly #data: Buffer
  readonly #maxBytes: number
  readonly #parts: Buffer[] = []
  #taken = 0
  #bytes = 0

  constructor(data: Buffer, maxBytes: number) {
    this.#data = data
    this.#maxBytes = maxBytes
  }

  /** What is not inflated yet; null at the end. */
  rest(): Buffer | null {
    if (this.#taken >= this.#data.length && this.#parts.length > 0) return null
    if (this.#parts.length >= MAX_FRAMES) throw new InflateError(`the zstd data has more than ${MAX_FRAMES} frames`)
    return this.#data.subarray(this.#taken)
  }

  options(): ZstdOptions {
    // A frame may ask for a window of 128 MiB whatever its content. 8 MiB are granted (RFC 8878, 3.1.1.1.2), and more only where the
    // result may be larger.
    const windowLog = Math.min(27, Math.max(23, Math.ceil(Math.log2(this.#maxBytes))))
    const left = Math.max(1, this.#maxBytes - this.#bytes)
    return { maxOutputLength: left, params: { [constants.ZSTD_d_windowLogMax]: windowLog }, info: true }
  }

  add({ buffer, engine }: Inflated): void {
    this.#parts.push(buffer)
    this.#taken += engine.bytesWritten
    this.#bytes += buffer.length
    if (this.#bytes > this.#maxBytes) throw new TooLarge()
    if (engine.bytesWritten === 0) throw new InflateError('the zstd data is damaged: an empty frame')
  }

  result(): Buffer {
    return this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts)
  }
}

function zstdFrames(data: Buffer, maxBytes: number): Buffer {
  const frames = new Frames(data, maxBytes)
  for (let rest = frames.rest(); rest !== null; rest = frames.rest()) frames.add(zstdNow(rest, frames.options()))
  return frames.result()
}

async function zstdFramesLater(data: Buffer, maxBytes: number): Promise<Buffer> {
  const frames = new Frames(data, maxBytes)
  for (let rest = frames.rest(); rest !== null; rest = frames.rest())
    frames.add(await zstdLater(rest, frames.options()))
  return frames.result()
}

/** Frames that fit one by one, and not together. */
class TooLarge extends Error {}

function isTooLarge(error: unknown): boolean {
  return error instanceof TooLarge || errorCode(error) === 'ERR_BUFFER_TOO_LARGE'
}

function explained(error: unknown, wrapper: Wrapper, maxBytes: number): InflateError {
  if (error instanceof InflateError) return error
  if (isTooLarge(error)) return new InflateError(`the result has more than ${maxBytes} bytes`, { cause: error })
  const name = wrapper === 'raw' ? 'deflate' : wrapper
  return new InflateError(`the ${name} data is damaged: ${(error as Error).message}`, { cause: error })
}
