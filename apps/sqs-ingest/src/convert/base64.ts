/** Shorter text is taken as it is, as by the JVM connector: a word such as `true` would be valid Base64 too. */
const MIN_CHARS = 16

const SPACE = /\s+/g
const STANDARD = /^[A-Za-z0-9+/]+={0,2}$/
const URL_SAFE = /^[A-Za-z0-9_-]+={0,2}$/

/**
 * The bytes behind Base64 with the standard or the URL-safe alphabet (RFC 4648, 4 and 5), with or without padding and with line breaks
 * (RFC 2045, 6.8). Null: the text is no Base64, or is shorter than 16 characters.
 */
export function decodeBase64(text: string): Buffer | null {
  const packed = text.replaceAll(SPACE, '')
  if (packed.length < MIN_CHARS || !(STANDARD.test(packed) || URL_SAFE.test(packed))) return null
  // Node's decoder takes both alphabets. One character behind groups of four holds no byte.
  return packed.replace(/=+$/, '').length % 4 === 1 ? null : Buffer.from(packed, 'base64')
}
