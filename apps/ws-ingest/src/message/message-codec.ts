import { randomBytes } from 'node:crypto'
import { itemOf } from '@tributary/connect-api'
import type { Codec } from '@tributary/push-source'
import type { ConnectionInfo, DecodeMessage } from './message.ts'
import { MessageRun } from './message-run.ts'
import { oneMessage } from './received-messages.ts'
import { wsErrors } from '../errors.ts'

/** Version, 1 if binary, id of the run, number of the connection, ms since the epoch as a double; then the message. */
const VERSION = 1
const HEADER_BYTES = 18

/** A connection of a predecessor; it comes before every connection of this run. */
interface PredecessorConnection {
  readonly run: number
  /** Number of the connection within that run. */
  readonly number: number
  readonly connection: ConnectionInfo
}

/** The format of spilled messages: the unchanged message, and what its record says about its reception. */
export class MessageCodec implements Codec<MessageRun> {
  readonly #decode: DecodeMessage
  /** Identifies this run on disk, as the numbers of connections start again with each run. */
  readonly #run = randomBytes(4).readUInt32LE()
  /** Connections of this run that have messages on disk, by number. */
  readonly #connections = new Map<number, ConnectionInfo>()
  #encoded: ConnectionInfo | null = null
  #decoded: ConnectionInfo | null = null
  #predecessor: PredecessorConnection | null = null

  constructor(decode: DecodeMessage) {
    this.#decode = decode
  }

  /** `run` holds one message. */
  encode(run: MessageRun): Buffer {
    const { binary, receivedAt, connection } = run
    const data = itemOf(run, 0)!
    if (connection !== this.#encoded) {
      this.#encoded = connection
      this.#connections.set(connection.number, connection)
    }
    const out = Buffer.allocUnsafe(HEADER_BYTES + data.length)
    out[0] = VERSION
    out[1] = binary ? 1 : 0
    out.writeUInt32LE(this.#run, 2)
    out.writeUInt32LE(connection.number, 6)
    out.writeDoubleLE(receivedAt, 10)
    out.set(data, HEADER_BYTES)
    return out
  }

  decode(bytes: Buffer): MessageRun {
    if (bytes[0] !== VERSION || bytes.length < HEADER_BYTES) {
      throw wsErrors.SPILL_FORMAT(
        `a spilled message has format ${bytes[0]}, this version reads ${VERSION}: run the version that wrote it until it is drained`,
      )
    }
    const connection = this.#connectionOf(bytes.readUInt32LE(2), bytes.readUInt32LE(6))
    const received = oneMessage(bytes.subarray(HEADER_BYTES), bytes[1] === 1, false)
    return new MessageRun(received, bytes.readDoubleLE(10), connection, this.#decode)
  }

  /** One object per connection, the same as for its messages that were never on disk. Messages are decoded in order. */
  #connectionOf(run: number, number: number): ConnectionInfo {
    if (run !== this.#run) return this.#ofPredecessor(run, number)
    if (this.#decoded?.number === number) return this.#decoded
    for (const known of this.#connections.keys()) if (known < number) this.#connections.delete(known)
    this.#decoded = this.#connections.get(number) ?? { number }
    return this.#decoded
  }

  #ofPredecessor(run: number, number: number): ConnectionInfo {
    if (this.#predecessor?.run !== run || this.#predecessor.number !== number) {
      this.#predecessor = { run, number, connection: { number: 0 } }
    }
    return this.#predecessor.connection
  }
}
