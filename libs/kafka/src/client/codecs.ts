import { createRequire } from 'node:module'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'

/** The compressions of record batches by the bits 0 to 2 of their attributes. */
export const COMPRESSIONS = { gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const

interface WasmCodecs {
  readonly lz4Compress: (bytes: Uint8Array) => Buffer
  readonly lz4Decompress: (bytes: Uint8Array) => Buffer
  readonly snappyCompress: (bytes: Uint8Array) => Buffer
  readonly snappyDecompress: (bytes: Uint8Array) => Buffer
  readonly crc32c: (bytes: Uint8Array) => number
}

const require = createRequire(import.meta.url)
let wasm: WasmCodecs | undefined

/** snappy and lz4 as WebAssembly, loaded when a batch first needs them. */
export function wasmCodecs(): WasmCodecs {
  return (wasm ??= require('@platformatic/wasm-utils') as WasmCodecs)
}

/**
 * Throws RangeError for a compression that does not exist, and for bytes that would become more than `maxBytes`: a batch of
 * 1 MiB may stand for a GiB.
 */
export function decompress(compression: number, bytes: Buffer, maxBytes: number): Buffer {
  switch (compression) {
    case COMPRESSIONS.gzip:
      return gunzipSync(bytes, { maxOutputLength: maxBytes })
    case COMPRESSIONS.snappy:
      return decompressSnappy(bytes, maxBytes)
    case COMPRESSIONS.lz4:
      if (lz4Bytes(bytes) > maxBytes + LZ4_LARGEST_BLOCK) throw tooLarge(maxBytes)
      return wasmCodecs().lz4Decompress(bytes)
    case COMPRESSIONS.zstd:
      return zstdDecompressSync(bytes, { maxOutputLength: maxBytes })
    default:
      throw new RangeError(`a record batch has the compression ${compression}, which does not exist`)
  }
}

/** The Java client frames snappy in blocks: a magic, two versions, then the length and the bytes of each block. */
const SNAPPY_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const SNAPPY_HEAD_BYTES = 16

function decompressSnappy(bytes: Buffer, maxBytes: number): Buffer {
  if (!bytes.subarray(0, SNAPPY_MAGIC.length).equals(SNAPPY_MAGIC)) return decompressBlock(bytes, maxBytes)
  let left = maxBytes
  const blocks: Buffer[] = []
  for (let at = SNAPPY_HEAD_BYTES; at < bytes.length;) {
    const end = at + 4 + bytes.readInt32BE(at)
    if (end < at + 4 || end > bytes.length) throw new RangeError('a snappy block does not end within its batch')
    const block = decompressBlock(bytes.subarray(at + 4, end), left)
    left -= block.length
    blocks.push(block)
    at = end
  }
  return Buffer.concat(blocks)
}

/** A block begins with its length after decompression, as a varint of up to 5 bytes. */
function decompressBlock(bytes: Buffer, maxBytes: number): Buffer {
  let length = 0
  for (let i = 0; i < 5; i++) {
    const byte = bytes[i] ?? 0
    length += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) break
  }
  if (length > maxBytes) throw tooLarge(maxBytes)
  return wasmCodecs().snappyDecompress(bytes)
}

const LZ4_LARGEST_BLOCK = 4 * 1024 * 1024
/** Magic, flags and block descriptor. */
const LZ4_HEAD_BYTES = 6
const LZ4_CONTENT_SIZE = 1 << 3
const LZ4_BLOCK_CHECKSUM = 1 << 4
const LZ4_UNCOMPRESSED = 0x8000_0000

/** The most that an lz4 frame becomes: each block has the size that its descriptor allows, the last one is shorter. */
function lz4Bytes(bytes: Buffer): number {
  if (bytes.length < LZ4_HEAD_BYTES + 1) return 0
  const flags = bytes[4]!
  // 4 to 7 stand for 64 KiB, 256 KiB, 1 MiB and 4 MiB.
  const blockBytes = 2 ** (8 + 2 * ((bytes[5]! >> 4) & 7))
  const checksum = flags & LZ4_BLOCK_CHECKSUM ? 4 : 0
  let total = 0
  for (let at = LZ4_HEAD_BYTES + (flags & LZ4_CONTENT_SIZE ? 8 : 0) + 1; at + 4 <= bytes.length;) {
    const size = bytes.readUInt32LE(at)
    if (size === 0) break
    const length = size % LZ4_UNCOMPRESSED
    total += size >= LZ4_UNCOMPRESSED ? length : blockBytes
    at += 4 + length + checksum
  }
  return total
}

function tooLarge(maxBytes: number): RangeError {
  return new RangeError(`a record batch becomes more than ${maxBytes} bytes when it is decompressed`)
}

type Checksum = (bytes: Uint8Array) => number

/** CRC-32C by the processor's own instruction where npm has a binary for the platform, else by WebAssembly. */
export const crc32c: Checksum = (() => {
  try {
    return (require('@node-rs/crc32') as { crc32c: Checksum }).crc32c
  } catch {
    return wasmCodecs().crc32c
  }
})()
