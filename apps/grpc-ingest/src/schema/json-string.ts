import { output, reserve } from './json-output.ts'
import { decodeError } from './wire.ts'

const QUOTE = 34
const PLAIN = 0
const ESCAPED = 1
const HEX = Buffer.from('0123456789abcdef')
const BASE64 = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
/** What Gson escapes beside control characters, quote and backslash, to be safe inside HTML. */
const HTML = "<>&='"
const SHORT: Readonly<Record<number, string>> = { 8: 'b', 9: 't', 10: 'n', 12: 'f', 13: 'r', 34: '"', 92: '\\' }

/** By byte: 0 copied, 1 escaped, 2 part of a character beyond ASCII. */
const CLASS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x80) return 2
  return byte < 0x20 || byte === QUOTE || byte === 92 || HTML.includes(String.fromCharCode(byte)) ? ESCAPED : PLAIN
})

/**
 * Writes UTF-8 bytes as a JSON string, escaped as Gson does it. `strict`: malformed UTF-8 throws DataError, otherwise
 * it becomes U+FFFD. Makes its own room, and leaves room for a closing quote only.
 */
export function putString(source: Uint8Array, start: number, end: number, strict: boolean, pos: number): number {
  reserve(pos, end - start + 2)
  const { buf } = output
  buf[pos++] = QUOTE
  let at = start
  while (at < end) {
    const byte = source[at]!
    if (CLASS[byte] !== PLAIN) return putRest(source, at, end, strict, pos)
    buf[pos++] = byte
    at++
  }
  buf[pos] = QUOTE
  return pos + 1
}

/** JavaScript text as a JSON string. */
export function putText(text: string, pos: number): number {
  const bytes = Buffer.from(text, 'utf8')
  return putString(bytes, 0, bytes.length, true, pos)
}

/** The JSON string of text that is known beforehand, all ASCII. */
export function asciiJson(text: string): string {
  return JSON.stringify(text).replace(
    /[^ -~]|[<>&=']/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** From the first byte that is not copied as it is; room for the rest unescaped is there. */
function putRest(source: Uint8Array, start: number, end: number, strict: boolean, pos: number): number {
  let at = start
  while (at < end) {
    const byte = source[at]!
    if (byte < 0x80) {
      if (CLASS[byte] === PLAIN) output.buf[pos++] = byte
      else pos = putEscaped(byte, end - at, pos)
      at++
      continue
    }
    const length = sequenceLength(source, at, end)
    if (length === 0) {
      if (strict) throw decodeError('a string is not valid UTF-8')
      return putRepaired(source, at, end, pos)
    }
    const code = length === 3 ? ((byte & 0xf) << 12) | ((source[at + 1]! & 0x3f) << 6) | (source[at + 2]! & 0x3f) : 0
    if (code === 0x2028 || code === 0x2029) {
      // Line ends in JavaScript of old, which Gson escapes
      pos = putEscaped(code, end - at, pos)
    } else {
      output.wide = true
      for (let i = 0; i < length; i++) output.buf[pos++] = source[at + i]!
    }
    at += length
  }
  output.buf[pos] = QUOTE
  return pos + 1
}

function putRepaired(source: Uint8Array, start: number, end: number, pos: number): number {
  const text = Buffer.from(source.buffer, source.byteOffset + start, end - start).toString('utf8')
  const repaired = Buffer.from(text, 'utf8')
  reserve(pos, repaired.length + 1)
  return putRest(repaired, 0, repaired.length, true, pos)
}

/** `rest`: bytes of the source still to be written, this one included. */
function putEscaped(code: number, rest: number, pos: number): number {
  reserve(pos, rest + 6)
  const { buf } = output
  const short = SHORT[code]
  buf[pos++] = 92
  if (short !== undefined) {
    buf[pos++] = short.charCodeAt(0)
    return pos
  }
  buf[pos++] = 117 // u
  for (let shift = 12; shift >= 0; shift -= 4) buf[pos++] = HEX[(code >> shift) & 0xf]!
  return pos
}

/** Bytes of the character at `at`; 0 when malformed (The Unicode Standard, table 3-7). */
function sequenceLength(source: Uint8Array, at: number, end: number): number {
  const lead = source[at]!
  const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0
  if (length === 0 || at + length > end) return 0
  const second = source[at + 1]!
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
  if (second < lowest || second > highest) return 0
  for (let i = 2; i < length; i++) if ((source[at + i]! & 0xc0) !== 0x80) return 0
  return length
}

/** Bytes as Base64 with padding, in quotes. Makes its own room. */
export function putBase64(source: Uint8Array, start: number, end: number, pos: number): number {
  reserve(pos, Math.ceil((end - start) / 3) * 4 + 2)
  const { buf } = output
  buf[pos++] = QUOTE
  let at = start
  for (; at + 2 < end; at += 3) {
    const group = (source[at]! << 16) | (source[at + 1]! << 8) | source[at + 2]!
    buf[pos++] = BASE64[group >> 18]!
    buf[pos++] = BASE64[(group >> 12) & 63]!
    buf[pos++] = BASE64[(group >> 6) & 63]!
    buf[pos++] = BASE64[group & 63]!
  }
  if (at < end) {
    const group = (source[at]! << 16) | (at + 1 < end ? source[at + 1]! << 8 : 0)
    buf[pos++] = BASE64[group >> 18]!
    buf[pos++] = BASE64[(group >> 12) & 63]!
    buf[pos++] = at + 1 < end ? BASE64[(group >> 6) & 63]! : 61
    buf[pos++] = 61
  }
  buf[pos] = QUOTE
  return pos + 1
}
