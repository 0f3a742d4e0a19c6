import { isUtf8 } from 'node:buffer'

const SCHEMA_FRAME = 5
/** A value above this is shown as text and not parsed, so that one answer does not hold the event loop. */
const MAX_JSON = 1 << 20

/** Bytes of a record as the API shows them: always as base64, and as what they are. */
export function contentView(bytes: Uint8Array | null): object | null {
  if (bytes === null) return null
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return { size: buffer.length, ...decoded(buffer), base64: buffer.toString('base64') }
}

function decoded(bytes: Buffer): object {
  // The frame of schema registries: a zero byte, and the id of the schema.
  if (bytes.length >= SCHEMA_FRAME && bytes[0] === 0) {
    const rest = bytes.subarray(SCHEMA_FRAME)
    return {
      format: 'schema',
      schema_id: bytes.readUInt32BE(1),
      ...(isUtf8(rest) && isText(rest) && { text: rest.toString() }),
    }
  }
  if (!isUtf8(bytes)) return { format: 'binary' }
  const text = bytes.toString()
  const json = bytes.length > MAX_JSON ? undefined : parsed(text)
  return { format: json === undefined ? 'text' : 'json', text, ...(json !== undefined && { json }) }
}

function isText(bytes: Buffer): boolean {
  return !bytes.some((byte) => byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d)
}

function parsed(text: string): unknown {
  if (!/^\s*[[{"]/.test(text)) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
