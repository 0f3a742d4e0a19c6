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
 * Decompresses content. Bytes that are compressed are taken as they are; texts, and bytes that are text, go through Base64 first. AUTO gives
 * back what is not compressed, the very same object. Each other format throws InflateError for it. The result is bytes.
 */
export function decompress(content: Content, options: DecompressOptions): Content | Promise<Content> {
  const { format, base64, maxBytes } = options
  const data = dataIn(content, format, base64)
  if (format === 'NONE') return data ?? content
  const wrapper = data === null ? null : wrapperFor(data, format)
  if (data !== null && wrapper !== null) return inflateBounded(data, wrapper, maxBytes)
  if (format === 'AUTO') return content
  throw new InflateError(`Not in ${format} format: ${whatItIs(data, base64)}`)
}

/** The data of content; null: a text that is no Base64. No compressed data is UTF-8, and a plain text may begin with x^. */
function dataIn(content: Content, format: Format, base64: boolean): Buffer | null {
  if (typeof content === 'string') return base64 ? decodeBase64(content) : null
  if (!base64 || hasFirstBytes(content, format)) return content
  const text = asText(content)
  return (typeof text === 'string' ? decodeBase64(text) : null) ?? content
}

function hasFirstBytes(data: Buffer, format: Format): boolean {
  return format === 'DEFLATE' ? hasZlibHeader(data) : wrapperFor(data, format) !== null
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

function whatItIs(data: Buffer | null, base64: boolean): string {
  if (data !== null) return `the data begins with the bytes ${data.toString('hex', 0, 4) || 'of nothing'}`
  return base64 ? 'the text is no Base64 of 16 characters or more' : 'the text is not compressed, and Base64 is off'
}
