import { randomBytes } from 'node:crypto'
import { FatalError } from '@tributary/connect-api'
import type { Codec } from '@tributary/push-source'
import { type ConnectionInfo, type DecodeMessage, Frame } from './message.ts'

/** Version, binary or not, the run, the connection's number, ms since the epoch as a double; then the message. */
const VERSION = 1
const HEADER_BYTES = 18

/** A connection of a run before this one: it was before the first of this run. */
interface Former {
  readonly run: number
  /** In that run. */
  readonly number: number
  readonly connection: ConnectionInfo
}

/** Messages on disk: as they came, with what their records tell of how they came. */
export class FrameCodec implements Codec<Frame> {
  readonly #decode: DecodeMessage
  /** The numbers of connections begin anew with each run. */
  readonly #run = randomBytes(4).readUInt32LE()
  /** Those of this run that have messages on disk, by number. */
  readonly #connections = new Map<number, ConnectionInfo>()
  #encoded: ConnectionInfo | null = null
  #decoded: ConnectionInfo | null = null
  #former: Former | null = null

  constructor(decode: DecodeMessage) {
    this.#decode = decode
  }

  encode({ data, binary, receivedAt, connection }: Frame): Buffer {
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

  decode(bytes: Buffer): Frame {
    if (bytes[0] !== VERSION || bytes.length < HEADER_BYTES) {
      throw new FatalError(
        'SPILL_FORMAT',
        `a spilled message has format ${bytes[0]}, this version reads ${VERSION}: run the version that wrote it until it is drained`,
      )
    }
    const connection = this.#connectionOf(bytes.readUInt32LE(2), bytes.readUInt32LE(6))
    return new Frame(bytes.subarray(HEADER_BYTES), bytes[1] === 1, bytes.readDoubleLE(10), connection, this.#decode)
  }

  /** One object a connection, the same as for its messages that were never on disk. Messages come back in order. */
  #connectionOf(run: number, number: number): ConnectionInfo {
    if (run !== this.#run) return this.#formerOf(run, number)
    if (this.#decoded?.number === number) return this.#decoded
    for (const known of this.#connections.keys()) if (known < number) this.#connections.delete(known)
    this.#decoded = this.#connections.get(number) ?? { number }
    return this.#decoded
  }

  #formerOf(run: number, number: number): ConnectionInfo {
    if (this.#former?.run !== run || this.#former.number !== number) {
      this.#former = { run, number, connection: { number: 0 } }
    }
    return this.#former.connection
  }
}
