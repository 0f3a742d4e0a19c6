import { isUtf8 } from 'node:buffer'
import { gunzipSync, inflateRawSync, inflateSync } from 'node:zlib'
import { parseJson } from '@tributary/config'
import { DataError } from '@tributary/connect-api'
import type { WebSocketConfig } from '../config/config.ts'
import type { Readable } from '../expressions/rule.ts'

/** A connection as its records tell of it: one object, shared by all its frames, which tells it from every other one. */
export interface ConnectionInfo {
  /** From 1, over the task's run; 0 for those of earlier runs. */
  readonly number: number
}

/** One message as it came. What is read of it is read once, and only when somebody asks. */
export class Frame implements Readable {
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
    decode: DecodeMessage = asItCame,
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

  /** What it says: text, or bytes. Throws DataError where it cannot be decoded. */
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
      // What cannot be decoded has no text; whoever makes a record of it says why.
      if (error instanceof DataError) return null
      throw error
    }
  }
}

/** Any text may come; one that is not JSON has no fields. */
function jsonOf(text: string): unknown {
  try {
    return parseJson(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

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
