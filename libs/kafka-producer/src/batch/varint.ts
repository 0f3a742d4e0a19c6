import type { RecordHeaders } from '../api/record.ts'

const encoder = new TextEncoder()

/** UTF-8 of header names. A task uses the same few names for all records. */
const headerNames = new Map<string, Uint8Array>()
const MAX_HEADER_NAMES = 1024

function headerName(name: string): Uint8Array {
  let bytes = headerNames.get(name)
  if (bytes === undefined) {
    if (headerNames.size >= MAX_HEADER_NAMES) headerNames.clear()
    headerNames.set(name, (bytes = encoder.encode(name)))
  }
  return bytes
}

/** The arithmetic uses doubles, because timestamp deltas may have more than 32 bits. */
export function zigZag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value
}

export function varintSize(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x200000) return 3
  let size = 3
  for (let rest = value / 0x200000; rest >= 1; rest /= 0x80) size++
  return size
}

export function bytesSize(bytes: Uint8Array | null): number {
  return bytes === null ? 1 : varintSize(bytes.length * 2) + bytes.length
}

export function headersSize(headers: RecordHeaders | undefined): number {
  if (headers === undefined) return 1
  let size = varintSize(headers.length * 2)
  for (const [name, content] of headers) size += bytesSize(headerName(name)) + bytesSize(content)
  return size
}

export function writeVarint(out: Uint8Array, at: number, value: number): number {
  let end = at
  let rest = value
  while (rest >= 0x80000000) {
    out[end++] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  while (rest >= 0x80) {
    out[end++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  out[end++] = rest
  return end
}

/** The length as zigzag varint (-1 for null), then the bytes. */
export function writeBytes(out: Uint8Array, at: number, bytes: Uint8Array | null): number {
  if (bytes === null) {
    out[at] = 1
    return at + 1
  }
  const end = writeVarint(out, at, bytes.length * 2)
  out.set(bytes, end)
  return end + bytes.length
}

/** As `writeBytes`, for `bytes[start]` up to `bytes[end - 1]`; a negative start stands for null. Makes no view of the bytes. */
export function writeSlice(out: Buffer, at: number, bytes: Buffer, start: number, end: number): number {
  if (start < 0) {
    out[at] = 1
    return at + 1
  }
  const from = writeVarint(out, at, (end - start) * 2)
  bytes.copy(out, from, start, end)
  return from + end - start
}

/** The number of headers as varint, then each name and value. */
export function writeHeaders(out: Uint8Array, at: number, headers: RecordHeaders | undefined): number {
  if (headers === undefined) {
    out[at] = 0
    return at + 1
  }
  let end = writeVarint(out, at, headers.length * 2)
  for (const [name, content] of headers) {
    end = writeBytes(out, end, headerName(name))
    end = writeBytes(out, end, content)
  }
  return end
}
