/**
 * The buffer that one message's JSON is written into before it becomes a string: one for the process, as a message is
 * written without a break. Writing bytes and decoding them once is several times faster than joining strings.
 */
export interface Output {
  /** Replaced by a larger one when full: read it again after every call that may write. */
  buf: Buffer
  /** Something beyond ASCII was written, so the text is UTF-8 and not Latin-1. */
  wide: boolean
}

const START_BYTES = 16 * 1024
/** A larger buffer is let go after the message that needed it. */
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

/** The text written up to `pos`. */
export function takeText(pos: number): string {
  const text = output.buf.toString(output.wide ? 'utf8' : 'latin1', 0, pos)
  output.wide = false
  if (output.buf.length > KEEP_BYTES) output.buf = Buffer.allocUnsafeSlow(START_BYTES)
  return text
}

/** Writes ASCII bytes known beforehand. Room must have been made. */
export function putAscii(text: Uint8Array, pos: number): number {
  const { buf } = output
  for (let i = 0; i < text.length; i++) buf[pos++] = text[i]!
  return pos
}
