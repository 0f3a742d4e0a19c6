/**
 * The buffer for the JSON of one message before it becomes a string, or of many messages before they become one buffer. The process
 * has one, because it is filled without interruption. Writing bytes and decoding them once is several times as fast as joining
 * strings.
 */
export interface Output {
  /** Replaced by a larger buffer when it is full: read it again after every call that may write. */
  buf: Buffer
  /** A character beyond ASCII was written, so the text is UTF-8 and not Latin-1. */
  wide: boolean
}

const START_BYTES = 16 * 1024
/** A larger buffer is released after the message that needed it. */
const KEEP_BYTES = 1024 * 1024

export const output: Output = { buf: Buffer.allocUnsafeSlow(START_BYTES), wide: false }

/** Makes room for `size` bytes from `pos` on. */
export function reserve(pos: number, size: number): void {
  const needed = pos + size
  if (needed <= output.buf.length) return
  const larger = Buffer.allocUnsafeSlow(Math.max(needed, output.buf.length * 2))
  output.buf.copy(larger, 0, 0, pos)
  output.buf = larger
}

/** Returns the text up to `pos` and resets the output. */
export function takeText(pos: number): string {
  const text = output.buf.toString(output.wide ? 'utf8' : 'latin1', 0, pos)
  reset()
  return text
}

/** Returns a copy of the bytes up to `pos`, which are UTF-8, and resets the output. */
export function takeBytes(pos: number): Buffer {
  const bytes = Buffer.allocUnsafe(pos)
  output.buf.copy(bytes, 0, 0, pos)
  reset()
  return bytes
}

function reset(): void {
  output.wide = false
  if (output.buf.length > KEEP_BYTES) output.buf = Buffer.allocUnsafeSlow(START_BYTES)
}

/** Writes ASCII bytes. The caller has made room. */
export function putAscii(text: Uint8Array, pos: number): number {
  const { buf } = output
  for (let i = 0; i < text.length; i++) buf[pos++] = text[i]!
  return pos
}
