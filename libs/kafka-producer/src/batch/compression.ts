import { promisify } from 'node:util'
import { gzip, zstdCompress } from 'node:zlib'
import { COMPRESSIONS, wasmCodecs } from '@tributary/kafka/client'
import { producerErrors } from '../errors.ts'
import type { Compression } from '../api/types.ts'

export interface Codec {
  /** Bits 0 to 2 of a batch's attributes. */
  readonly id: number
  compress(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>
}

const gzipAsync = promisify(gzip)
const zstdAsync = promisify(zstdCompress)

/**
 * gzip and zstd compress on the threads of libuv, beside the event loop. snappy and lz4 are WebAssembly and run in it.
 */
const codecs: Readonly<Record<Exclude<Compression, 'none'>, Codec>> = {
  gzip: { id: COMPRESSIONS.gzip, compress: (bytes) => gzipAsync(bytes) },
  snappy: { id: COMPRESSIONS.snappy, compress: (bytes) => wasmCodecs().snappyCompress(bytes) },
  lz4: { id: COMPRESSIONS.lz4, compress: (bytes) => wasmCodecs().lz4Compress(bytes) },
  zstd: { id: COMPRESSIONS.zstd, compress: (bytes) => zstdAsync(bytes) },
}

/** The codec of a compression; null for `none`. Throws `UNSUPPORTED_COMPRESSION` for an unknown name. */
export function codecOf(compression: Compression): Codec | null {
  if (compression === 'none') return null
  // The name may come from a config file, so the type is not enough.
  const codec = (codecs as Readonly<Record<string, Codec | undefined>>)[compression]
  if (codec !== undefined) return codec
  const possible = ['none', ...Object.keys(codecs)].join(', ')
  throw producerErrors.UNSUPPORTED_COMPRESSION(`compression "${String(compression)}" is none of ${possible}`)
}
