import { isUtf8 } from 'node:buffer'
import { gunzipSync, inflateRawSync, inflateSync } from 'node:zlib'
import { parseJson } from '@tributary/config'
import { DataError } from '@tributary/connect-api'
import { inflateMessage } from '@tributary/push-source'
import type { WebSocketConfig } from '../config/config.ts'
import type { Readable } from '../expressions/rule.ts'
import { wsErrors } from '../errors.ts'

/** Identifies a connection in its records. All messages of a connection share one object. */
export interface ConnectionInfo {
  /** From 1, counted over the task's run; 0 for connections of predecessors, whose messages come from disk. */
  readonly number: number
}

/**
 * One data message as received (RFC 6455, section 5.6). Its value, text and JSON are each decoded at most once, on
 * first use.
 */
export class Message implements Readable {
  readonly data: Buffer
  readonly binary: boolean
  /** ms since the epoch */
  readonly receivedAt: number
  readonly connection: ConnectionInfo
  private readonly decode: DecodeMessage
  private valueRead: string | Buffer | undefined
  private textRead: string | null | undefined
  private jsonRead: unknown
  private jsonParsed: boolean

  constructor(
    data: Buffer,
    binary: boolean,
    receivedAt: number,
    connection: ConnectionInfo,
    decode: DecodeMessage = plainDecode,
  ) {
    this.data = data
    this.binary = binary
    this.receivedAt = receivedAt
    this.connection = connection
    this.decode = decode
    this.valueRead = undefined
    this.textRead = undefined
    this.jsonRead = undefined
    this.jsonParsed = false
  }

  /** The decoded content: text, or bytes. Throws DataError if the content cannot be decoded. */
  get value(): string | Buffer {
    return (this.valueRead ??= this.decode(this.data, this.binary))
  }

  get text(): string | null {
    if (this.textRead === undefined) this.textRead = this.readText()
    return this.textRead
  }

  get json(): unknown {
    if (!this.jsonParsed) {
      this.jsonParsed = true
      this.jsonRead = this.text === null ? undefined : jsonOf(this.text)
    }
    return this.jsonRead
  }

  private readText(): string | null {
    try {
      const { value } = this
      if (typeof value === 'string') return value
      return isUtf8(value) ? value.toString() : null
    } catch (error) {
      // An undecodable message has no text. The code that makes its record reports why.
      if (error instanceof DataError) return null
      throw error
    }
  }
}

/** undefined: the text is not JSON, and so has no fields. */
function jsonOf(text: string): unknown {
  try {
    return parseJson(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Decodes the content of a message to text, or to bytes if the content is not text. Throws DataError. */
export type DecodeMessage = (data: Buffer, binary: boolean) => string | Buffer

/** Text of a text message, unchanged bytes of a binary message. */
export const plainDecode: DecodeMessage = (data, binary) => (binary ? data : data.toString())

/**
 * The decoder for `websocket.binary.decode`. The decoder validates UTF-8 if `websocket.utf8.validation` keeps the
 * transport from doing so.
 */
export function messageDecoder(config: WebSocketConfig): DecodeMessage {
  const validates = !config['websocket.utf8.validation']
  const readText = validates ? validText : (data: Buffer) => data.toString()
  const readBinary = binaryReader(config)
  if (!validates && readBinary === null) return plainDecode
  return (data, binary) => {
    if (!binary) return readText(data)
    return readBinary === null ? data : readBinary(data)
  }
}

function binaryReader(config: WebSocketConfig): ((data: Buffer) => string | Buffer) | null {
  // A small compressed message may expand: the size limit of messages also applies to the decompressed content.
  const options = { maxOutputLength: config['websocket.max.message.bytes'] }
  switch (config['websocket.binary.decode']) {
    case 'text':
      return validText
    case 'gzip':
      return (data) => textOrBytes(decompressed(data, () => inflateMessage(gunzipSync, data, options)))
    case 'deflate':
      return (data) =>
        textOrBytes(
          decompressed(data, () => inflateMessage(hasZlibHeader(data) ? inflateSync : inflateRawSync, data, options)),
        )
    default:
      return null
  }
}

function validText(data: Buffer): string {
  if (isUtf8(data)) return data.toString()
  throw wsErrors.WEBSOCKET_TEXT(`a message of ${data.length} bytes is no text in UTF-8`)
}

function textOrBytes(data: Buffer): string | Buffer {
  return isUtf8(data) ? data.toString() : data
}

function decompressed(data: Buffer, inflate: () => Buffer): Buffer {
  try {
    return inflate()
  } catch (cause) {
    throw wsErrors.WEBSOCKET_INFLATE(
      `a binary message of ${data.length} bytes cannot be decompressed as websocket.binary.decode says: ${(cause as Error).message}`,
      { cause },
    )
  }
}

/**
 * RFC 1950, section 2.2: compression method 8 (deflate), and a check that makes the first two bytes a multiple of 31.
 */
function hasZlibHeader(data: Buffer): boolean {
  return data.length >= 2 && (data[0]! & 0x0f) === 8 && data.readUInt16BE(0) % 31 === 0
}
