import { Decimal, doubleText, floatText } from '@tributary/connect-api'

/** JSON texts as Jackson writes them, where they differ from those of JavaScript. */

const ESCAPE = /\\(?:u(....)|[^u])/g

/** Jackson's escapes have capital digits. */
export function jsonString(value: string): string {
  if (value.length < 50 && needsNoEscape(value)) return `"${value}"`
  const text = JSON.stringify(value)
  if (text.length === value.length + 2 || !text.includes('\\u')) return text
  return text.replaceAll(ESCAPE, (all, digits: string | undefined) => (digits ? `\\u${digits.toUpperCase()}` : all))
}

/** A loop of our own is faster than JSON.stringify for short text. */
function needsNoEscape(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i)
    if (char < 0x20 || char === 0x22 || char === 0x5c || (char >= 0xd800 && char <= 0xdfff)) return false
  }
  return true
}

/** The bytes of JSON text. Jackson escapes what lies beyond U+FFFF as two surrogates. */
export function jsonBytes(text: string): Buffer {
  const bytes = Buffer.from(text)
  return bytes.length === text.length || !/[\ud800-\udfff]/.test(text) ? bytes : Buffer.from(withSurrogates(text))
}

function withSurrogates(text: string): string {
  return text.replaceAll(/[\ud800-\udfff]/g, (half) => `\\u${half.charCodeAt(0).toString(16).toUpperCase()}`)
}

export function jsonDouble(value: number): string {
  return Number.isFinite(value) ? doubleText(value) : `"${value}"`
}

export function jsonFloat(value: number): string {
  const float = Math.fround(value)
  return Number.isFinite(float) ? floatText(float) : `"${float}"`
}

export function base64(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
}

/** One quad with chars up to the space before it, as Jackson reads them. */
const BASE64 = /^(?:[\0- ]*(?:[\w+/](?<!_)){2}(?:(?:[\w+/](?<!_)){2}|(?:[\w+/](?<!_))=|==))*[\0- ]*$/

/** Null: the text is no Base64 with padding. */
export function fromBase64(text: string): Buffer | null {
  if (!BASE64.test(text)) return null
  const quads = text.replaceAll(/[\0- ]/g, '')
  const padding = quads.indexOf('=')
  if (padding < 0 || padding >= quads.length - 2) return Buffer.from(quads, 'base64')
  // Several texts in a row: each ends with its own padding.
  return Buffer.concat(quads.match(/.{4}/g)!.map((quad) => Buffer.from(quad, 'base64')))
}

// Not yet in TypeScript's lib.
const withSource = JSON as unknown as {
  isRawJSON: (this: void, value: unknown) => value is { readonly rawJSON: string }
}

/** A number that was parsed with its source text: see `ParseJsonOptions.numbers`. */
export function sourceOf(json: unknown): string | null {
  const { isRawJSON } = withSource
  return isRawJSON(json) ? json.rawJSON : null
}

/** Null: no number. */
export function numberOf(json: unknown): number | bigint | null {
  if (typeof json === 'number' || typeof json === 'bigint') return json
  const source = sourceOf(json)
  if (source === null) return null
  const number = Number(source)
  return Number.isSafeInteger(number) || !/^-?\d+$/.test(source) ? number : BigInt(source)
}

/** JsonNode.decimalValue: with the scale of the text. Null: no number. */
export function decimalOf(json: unknown): Decimal | null {
  if (typeof json === 'bigint') return new Decimal(json, 0)
  if (typeof json === 'number' && Number.isSafeInteger(json)) return new Decimal(BigInt(json), 0)
  return null
}

/** Jackson's JsonNodeType. */
export function nodeType(json: unknown): string {
  if (json === null) return 'NULL'
  if (typeof json === 'object') {
    if (sourceOf(json) !== null) return 'NUMBER'
    return Array.isArray(json) ? 'ARRAY' : 'OBJECT'
  }
  return typeof json === 'bigint' ? 'NUMBER' : (typeof json).toUpperCase()
}
