import type { ZlibOptions } from 'node:zlib'

/** Limits in bytes of zlib's output buffer; Node allocates buffers of less than 4 KiB from its pool. */
const MIN_CHUNK_BYTES = 1024
const MAX_CHUNK_BYTES = 64 * 1024
/** Bytes of output for a byte of input that most messages stay below. Others cost zlib further output buffers. */
const USUAL_RATIO = 8
/** Small messages lie one behind the other in slabs of this size, as uncompressed ones lie in what a socket reads. */
const SLAB_BYTES = 64 * 1024
const MAX_SMALL_BYTES = SLAB_BYTES / 8

/** A synchronous function of `node:zlib`, such as `gunzipSync`. */
export type InflateSync = (bytes: Buffer, options: ZlibOptions) => Buffer

let slab = Buffer.alloc(0)
let slabEnd = 0

/**
 * Decompresses one message with a function of zlib, whose answer is a view of its output buffer: 16 KiB by default, also for a
 * message of 96 bytes that waits in a queue. So an answer that fills less than half of that buffer is copied. Throws the error of
 * zlib; its code is `ERR_BUFFER_TOO_LARGE` above `maxOutputLength`.
 */
export function inflateMessage(inflate: InflateSync, bytes: Buffer, options: ZlibOptions): Buffer {
  const chunkSize = Math.min(MAX_CHUNK_BYTES, Math.max(MIN_CHUNK_BYTES, bytes.length * USUAL_RATIO))
  const inflated = inflate(bytes, { ...options, chunkSize })
  return inflated.buffer.byteLength > 2 * inflated.length ? copyOf(inflated) : inflated
}

/** Not in Node's pool: there a copy would keep the output buffers beside it alive. */
function copyOf(bytes: Buffer): Buffer {
  const { length } = bytes
  if (length > MAX_SMALL_BYTES) return Buffer.from(bytes)
  if (slabEnd + length > slab.length) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
    slabEnd = 0
  }
  const copy = slab.subarray(slabEnd, slabEnd + length)
  slabEnd += length
  copy.set(bytes)
  return copy
}
