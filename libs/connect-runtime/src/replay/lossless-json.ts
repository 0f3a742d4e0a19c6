import { isUtf8 } from 'node:buffer'

/** JSON.rawJSON and the source text of a reviver (ECMAScript's proposal json-parse-with-source), which Node 24 has. */
const json = JSON as unknown as {
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown
  rawJSON(text: string): object
  isRawJSON(value: unknown): value is { readonly rawJSON: string }
}

/** The value of UTF-8 JSON text; undefined: the bytes are no JSON. A number that JavaScript would write in another way is kept raw. */
export function losslessJson(bytes: Uint8Array): unknown {
  if (!isUtf8(bytes)) return undefined
  try {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
    return json.parse(text, (_key, value, { source }) =>
      typeof value === 'number' && source !== undefined && source !== String(value) ? json.rawJSON(source) : value,
    )
  } catch {
    return undefined
  }
}

/** A number as it is written. */
export function rawNumber(text: string): object {
  return json.rawJSON(text)
}

/** The text of a raw number; null: the value is something else. */
export function numberText(value: unknown): string | null {
  return json.isRawJSON(value) ? value.rawJSON : null
}

export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_key, v: unknown) => (typeof v === 'bigint' ? json.rawJSON(String(v)) : v)) ?? 'null'
}
