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

/** Throws RangeError for a compression that does not exist. */
export function decompress(compression: number, bytes: Buffer): Buffer {
  switch (compression) {
    case COMPRESSIONS.gzip:
      return gunzipSync(bytes)
    case COMPRESSIONS.snappy:
      return decompressSnappy(bytes)
    case COMPRESSIONS.lz4:
      return wasmCodecs().lz4Decompress(bytes)
    case COMPRESSIONS.zstd:
      return zstdDecompressSync(bytes)
    default:
      throw new RangeError(`a record batch has the compression ${compression}, which does not exist`)
  }
}

/** The Java client frames snappy in blocks: a magic, two versions, then the length and the bytes of each block. */
const SNAPPY_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const SNAPPY_HEAD_BYTES = 16

function decompressSnappy(bytes: Buffer): Buffer {
  const { snappyDecompress } = wasmCodecs()
  if (!bytes.subarray(0, SNAPPY_MAGIC.length).equals(SNAPPY_MAGIC)) return snappyDecompress(bytes)
  const blocks: Buffer[] = []
  for (let at = SNAPPY_HEAD_BYTES; at < bytes.length;) {
    const end = at + 4 + bytes.readInt32BE(at)
    if (end > bytes.length) throw new RangeError('a snappy block does not end within its batch')
    blocks.push(snappyDecompress(bytes.subarray(at + 4, end)))
    at = end
  }
  return Buffer.concat(blocks)
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
