import { isUtf8 } from 'node:buffer'

/** A connection as its records tell of it; shared by all its frames. */
export interface ConnectionInfo {
  /** From 1, over the task's run. */
  readonly number: number
}

/** One message as it came. What is read of it is read once, and only when somebody asks. */
export class Frame {
  readonly data: Buffer
  readonly binary: boolean
  /** ms since the epoch */
  readonly receivedAt: number
  readonly connection: ConnectionInfo
  private textRead: string | null | undefined
  private jsonRead: unknown
  private jsonParsed = false

  constructor(data: Buffer, binary: boolean, receivedAt: number, connection: ConnectionInfo) {
    this.data = data
    this.binary = binary
    this.receivedAt = receivedAt
    this.connection = connection
    this.textRead = undefined
    this.jsonRead = undefined
  }

  /** Its text; null for a binary message that is not UTF-8. */
  get text(): string | null {
    this.textRead ??= this.binary && !isUtf8(this.data) ? null : this.data.toString()
    return this.textRead
  }

  /** Its JSON value; undefined when it is not JSON. */
  get json(): unknown {
    if (!this.jsonParsed) {
      this.jsonParsed = true
      try {
        this.jsonRead = JSON.parse(this.text ?? '')
      } catch {
        // Any text may come; one that is not JSON has no fields.
        this.jsonRead = undefined
      }
    }
    return this.jsonRead
  }
}
