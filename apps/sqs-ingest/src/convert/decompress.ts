import { decodeBase64 } from './base64.ts'
import { asText, type Content } from './content.ts'
import { hasZlibHeader, inflateBounded, InflateError, type Wrapper, wrapperOf } from './inflate.ts'

export type Format = 'AUTO' | 'GZIP' | 'DEFLATE' | 'ZLIB' | 'ZSTD' | 'NONE'

export interface DecompressOptions {
  readonly format: Format
  /** Whether text in Base64 is decoded first. */
  readonly base64: boolean
  /** Largest result, in bytes. */
  readonly maxBytes: number
}

/**
 * Decompresses content. Bytes that are compressed are taken as they are; other bytes and texts go through Base64 first. AUTO gives
 * back what is not compressed, the very same object. Each other format throws InflateError for it. The result is bytes.
 */
export function decompress(content: Content, options: DecompressOptions): Content | Promise<Content> {
  const { format, base64, maxBytes } = options
  const data = compressedIn(content, format) ?? (base64 ? decoded(content) : null)
  if (format === 'NONE') return data ?? content
  const wrapper = data === null ? null : wrapperFor(data, format)
  if (data !== null && wrapper !== null) return inflateBounded(data, wrapper, maxBytes)
  if (format === 'AUTO') return content
  throw new InflateError(`Not in ${format} format: ${whatItIs(content, data, base64)}`)
}

/** Bytes with the first bytes of the format. Text has none: no compressed data is UTF-8, and a text may begin with x^. */
function compressedIn(content: Content, format: Format): Buffer | null {
  return typeof content !== 'string' && format !== 'NONE' && hasFirstBytes(content, format) ? content : null
}

function hasFirstBytes(data: Buffer, format: Format): boolean {
  return format === 'DEFLATE' ? hasZlibHeader(data) : wrapperFor(data, format) !== null
}

function decoded(content: Content): Buffer | null {
  const text = asText(content)
  // Bytes that are no text may be raw deflate data.
  return typeof text === 'string' ? decodeBase64(text) : text
}

function wrapperFor(data: Buffer, format: Format): Wrapper | null {
  switch (format) {
    case 'AUTO':
      return wrapperOf(data)
    case 'GZIP':
    case 'ZSTD':
      return wrapperOf(data) === format.toLowerCase() ? wrapperOf(data) : null
    case 'ZLIB':
      return hasZlibHeader(data) ? 'zlib' : null
    // The name means zlib's wrapper in HTTP and Java's Inflater, and bare data elsewhere.
    case 'DEFLATE':
      return hasZlibHeader(data) ? 'zlib' : 'raw'
    case 'NONE':
      return null
    default:
      return format satisfies never
  }
}

function whatItIs(content: Content, data: Buffer | null, base64: boolean): string {
  if (data !== null) return `the data begins with the bytes ${data.toString('hex', 0, 4) || 'of nothing'}`
  const kind = typeof content === 'string' ? 'text' : 'data'
  return base64
    ? `the ${kind} is neither compressed nor Base64 of 16 characters or more`
    : `the ${kind} is not compressed, and Base64 is off`
}
