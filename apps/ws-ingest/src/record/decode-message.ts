import { isUtf8 } from 'node:buffer'
import { gunzipSync, inflateRawSync, inflateSync } from 'node:zlib'
import { DataError } from '@tributary/connect-api'
import type { WebSocketConfig } from '../spec.ts'

/** What a message says: text, or bytes where it is none. Throws DataError. */
export type DecodeMessage = (data: Buffer, binary: boolean) => string | Buffer

/** A text message's text, a binary message's bytes. */
export const asItCame: DecodeMessage = (data, binary) => (binary ? data : data.toString())

/** How messages are read, by `websocket.binary.decode` and, where the transport did not check text, by ourselves. */
export function messageDecoder(config: WebSocketConfig): DecodeMessage {
  const unchecked = !config['websocket.utf8.validation']
  const readText = unchecked ? checkedText : (data: Buffer) => data.toString()
  const readBinary = binaryReader(config)
  if (!unchecked && readBinary === null) return asItCame
  return (data, binary) => {
    if (!binary) return readText(data)
    return readBinary === null ? data : readBinary(data)
  }
}

function binaryReader(config: WebSocketConfig): ((data: Buffer) => string | Buffer) | null {
  // What is small compressed may be large: the bound of a message holds for what is inside, too.
  const options = { maxOutputLength: config['websocket.max.message.bytes'] }
  switch (config['websocket.binary.decode']) {
    case 'text':
      return checkedText
    case 'gzip':
      return (data) => textOrBytes(inflated(data, () => gunzipSync(data, options)))
    case 'deflate':
      return (data) =>
        textOrBytes(inflated(data, () => (hasZlibHeader(data) ? inflateSync : inflateRawSync)(data, options)))
    default:
      return null
  }
}

function checkedText(data: Buffer): string {
  if (isUtf8(data)) return data.toString()
  throw new DataError('WEBSOCKET_TEXT', `a message of ${data.length} bytes is no text in UTF-8`)
}

function textOrBytes(data: Buffer): string | Buffer {
  return isUtf8(data) ? data.toString() : data
}

function inflated(data: Buffer, inflate: () => Buffer): Buffer {
  try {
    return inflate()
  } catch (cause) {
    throw new DataError(
      'WEBSOCKET_INFLATE',
      `a binary message of ${data.length} bytes cannot be inflated as websocket.binary.decode says: ${(cause as Error).message}`,
      { cause },
    )
  }
}

/** RFC 1950, section 2.2: method 8 (deflate), and a check that makes the first two bytes a multiple of 31. */
function hasZlibHeader(data: Buffer): boolean {
  return data.length >= 2 && (data[0]! & 0x0f) === 8 && data.readUInt16BE(0) % 31 === 0
}
