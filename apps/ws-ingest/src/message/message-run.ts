import type { ReceivedMessages } from './received-messages.ts'
import { type ConnectionInfo, type DecodeMessage, Message } from './message.ts'

/** Bytes of the queue that the bounds of a message take. */
const BOUNDS_BYTES = 8

/** Received messages as they wait in the queue, without an object for each. */
export class MessageRun implements ReceivedMessages {
  readonly bytes: Buffer
  readonly bounds: Int32Array
  readonly count: number
  readonly binary: boolean
  readonly validText: boolean
  /** ms since the epoch */
  readonly receivedAt: number
  readonly connection: ConnectionInfo
  readonly #decode: DecodeMessage
  #only: Message | null = null

  constructor(received: ReceivedMessages, receivedAt: number, connection: ConnectionInfo, decode: DecodeMessage) {
    this.bytes = received.bytes
    this.bounds = received.bounds
    this.count = received.count
    this.binary = received.binary
    this.validText = received.validText
    this.receivedAt = receivedAt
    this.connection = connection
    this.#decode = decode
  }

  /** Bytes from the start of the first message to the end of the last one, and those of the bounds. */
  get heldBytes(): number {
    return this.bounds[2 * this.count - 1]! - this.bounds[0]! + BOUNDS_BYTES * this.count
  }

  /** Bytes of the content of the messages. */
  get contentBytes(): number {
    let bytes = 0
    for (let i = 0; i < this.count; i++) bytes += this.bounds[2 * i + 1]! - this.bounds[2 * i]!
    return bytes
  }

  /** The messages from index `from` up to `to`, exclusive; from < to. */
  slice(from: number, to: number): MessageRun {
    return this.with({ bytes: this.bytes, bounds: this.bounds.subarray(2 * from, 2 * to), count: to - from })
  }

  /** A run of other messages that were received like these. */
  with(messages: Pick<ReceivedMessages, 'bytes' | 'bounds' | 'count'>): MessageRun {
    const { binary, validText } = this
    return new MessageRun({ ...messages, binary, validText }, this.receivedAt, this.connection, this.#decode)
  }

  /** The only message of a run is kept, so that what was decoded for a rule need not be decoded again for a record. */
  message(index: number): Message {
    return this.count === 1 ? (this.#only ??= this.#messageAt(index)) : this.#messageAt(index)
  }

  messages(): Message[] {
    return Array.from({ length: this.count }, (_, i) => this.message(i))
  }

  #messageAt(index: number): Message {
    const content = this.bytes.subarray(this.bounds[2 * index], this.bounds[2 * index + 1])
    return new Message(content, this.binary, this.receivedAt, this.connection, this.#decode)
  }
}
