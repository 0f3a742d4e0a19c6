import { converterErrors } from '../errors.ts'

export interface TextEncoding {
  encode(text: string): Buffer
  decode(bytes: Buffer): string
}

/** Java's names of character sets, and the most used aliases. Null is UTF-8. */
const ENCODINGS: Readonly<Record<string, TextEncoding | null>> = {
  'UTF-8': null,
  UTF8: null,
  'ISO-8859-1': { encode: (text) => singleBytes(text, 0xff), decode: (bytes) => bytes.toString('latin1') },
  LATIN1: { encode: (text) => singleBytes(text, 0xff), decode: (bytes) => bytes.toString('latin1') },
  'US-ASCII': { encode: (text) => singleBytes(text, 0x7f), decode: decodeAscii },
  ASCII: { encode: (text) => singleBytes(text, 0x7f), decode: decodeAscii },
  'UTF-16LE': { encode: (text) => Buffer.from(text, 'utf16le'), decode: (bytes) => decodeUtf16(bytes, true) },
  'UTF-16BE': { encode: bigEndian, decode: (bytes) => decodeUtf16(bytes, false) },
  // Java writes a mark of the byte order, and takes big-endian when there is none.
  'UTF-16': {
    encode: (text) => (text === '' ? Buffer.alloc(0) : bigEndian(`\ufeff${text}`)),
    decode: (bytes) => {
      const little = bytes[0] === 0xff && bytes[1] === 0xfe
      const marked = little || (bytes[0] === 0xfe && bytes[1] === 0xff)
      return decodeUtf16(marked ? bytes.subarray(2) : bytes, little)
    },
  },
}

/** Throws ConfigError for a name that is not known here. */
export function textEncoding(name: string): TextEncoding | null {
  const wanted = name.trim().toUpperCase()
  if (Object.hasOwn(ENCODINGS, wanted)) return ENCODINGS[wanted]!
  const known = 'UTF-8, UTF-16, UTF-16BE, UTF-16LE, ISO-8859-1, US-ASCII'
  throw converterErrors.CONVERTER_CONFIG_INVALID(
    `Invalid value ${name} for configuration converter.encoding: the encodings here are ${known}`,
    { field: 'converter.encoding' },
  )
}

/** A character beyond the set is a question mark, as in Java; a pair of surrogates is one character. */
function singleBytes(text: string, max: number): Buffer {
  return Buffer.from([...text].map((char) => (char.codePointAt(0)! <= max ? char.codePointAt(0)! : 0x3f)))
}

function decodeAscii(bytes: Buffer): string {
  return bytes.toString('latin1').replaceAll(/[^\0-\x7f]/g, '\ufffd')
}

function bigEndian(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16()
}

function decodeUtf16(bytes: Buffer, little: boolean): string {
  return new TextDecoder(little ? 'utf-16le' : 'utf-16be', { ignoreBOM: true }).decode(bytes)
}
