import { isUtf8 } from 'node:buffer'
import { parseJson } from '@tributary/config'
import { DataError } from '@tributary/connect-api'
import { asItCame, type DecodeMessage } from './record/decode-message.ts'

/** A connection as its records tell of it: one object, shared by all its frames, which tells it from every other one. */
export interface ConnectionInfo {
  /** From 1, over the task's run; 0 for those of earlier runs. */
  readonly number: number
}

/** What rules and paths read: a message, or an element of one that is split. */
export interface Readable {
  /** null: it is bytes that are no text. */
  readonly text: string | null
  /** undefined: it is not JSON. Integers beyond ±2^53 are bigint. */
  readonly json: unknown
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
