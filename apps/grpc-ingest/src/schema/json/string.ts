import { output, reserve } from './output.ts'
import { decodeError } from '../wire/wire.ts'

const QUOTE = 34
const PLAIN = 0
const ESCAPED = 1
const HEX = Buffer.from('0123456789abcdef')
const BASE64 = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
/** Characters that Gson escapes besides control characters, quote and backslash, to be safe inside HTML. */
const HTML = "<>&='"
/** The letter after the backslash, by character code; 0: `u` and four hexadecimal digits. */
const SHORT = new Uint8Array(256)
for (const [code, letter] of Object.entries({ 8: 'b', 9: 't', 10: 'n', 12: 'f', 13: 'r', 34: '"', 92: '\\' })) {
  SHORT[Number(code)] = letter.charCodeAt(0)
}

/** The class of each byte: 0 copied, 1 escaped, 2 part of a character beyond ASCII. */
const CLASS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x80) return 2
  return byte < 0x20 || byte === QUOTE || byte === 92 || HTML.includes(String.fromCharCode(byte)) ? ESCAPED : PLAIN
})

/**
 * Writes UTF-8 bytes as a JSON string, escaped like Gson. Malformed UTF-8 throws DataError when `strict`, otherwise it
 * becomes U+FFFD. Makes its own room, and leaves room only for the closing quote.
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

/** Writes JavaScript text as a JSON string. */
export function putText(text: string, pos: number): number {
  const bytes = Buffer.from(text, 'utf8')
  return putString(bytes, 0, bytes.length, true, pos)
}

/** The JSON string of a text, all ASCII. */
export function asciiJson(text: string): string {
  return JSON.stringify(text).replace(
    /[^ -~]|[<>&=']/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Writes the rest of a string from the first byte that is not copied as it is. Room for the unescaped rest exists. */
function putRest(source: Uint8Array, start: number, end: number, strict: boolean, pos: number): number {
  let { buf } = output
  let at = start
  while (at < end) {
    const byte = source[at]!
    const kind = CLASS[byte]
    if (kind === PLAIN) {
      buf[pos++] = byte
      at++
      continue
    }
    if (kind === ESCAPED) {
      pos = putEscaped(byte, end - at, pos)
      buf = output.buf
      at++
      continue
    }
    const length = sequenceLength(source, at, end)
    if (length === 0) {
      if (strict) throw decodeError('a string is not valid UTF-8')
      return putRepaired(source, at, end, pos)
    }
    if (isLineSeparator(source, at)) {
      pos = putEscaped(0x2028 + (source[at + 2]! & 1), end - at, pos)
      buf = output.buf
    } else {
      output.wide = true
      for (let i = 0; i < length; i++) buf[pos++] = source[at + i]!
    }
    at += length
  }
  buf[pos] = QUOTE
  return pos + 1
}

/** U+2028 and U+2029 (E2 80 A8 and E2 80 A9), which Gson escapes because they end lines in old JavaScript. */
function isLineSeparator(source: Uint8Array, at: number): boolean {
  return source[at] === 0xe2 && source[at + 1] === 0x80 && (source[at + 2]! & 0xfe) === 0xa8
}

function putRepaired(source: Uint8Array, start: number, end: number, pos: number): number {
  const text = Buffer.from(source.buffer, source.byteOffset + start, end - start).toString('utf8')
  const repaired = Buffer.from(text, 'utf8')
  reserve(pos, repaired.length + 1)
  return putRest(repaired, 0, repaired.length, true, pos)
}

/** `rest`: the bytes of the source that are still to be written, this one included. */
function putEscaped(code: number, rest: number, pos: number): number {
  reserve(pos, rest + 6)
  const { buf } = output
  const short = code < 256 ? SHORT[code]! : 0
  buf[pos++] = 92
  if (short !== 0) {
    buf[pos++] = short
    return pos
  }
  buf[pos++] = 117 // u
  for (let shift = 12; shift >= 0; shift -= 4) buf[pos++] = HEX[(code >> shift) & 0xf]!
  return pos
}

/** The number of bytes of the character at `at`; 0 when it is malformed (The Unicode Standard, table 3-7). */
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

/** Writes bytes as Base64 with padding, in quotes. Makes its own room. */
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
