import type { HostPort, KafkaConnection } from '@tributary/config'
import { Connection } from '@tributary/kafka/client'
import { refusedConnection } from '../connection-errors.ts'
import { producerErrors } from '../../errors.ts'

const CONNECT_TIMEOUT_MS = 10_000

/** One connection for each broker, made when it is first asked for and forgotten when it breaks. */
export class Connections {
  readonly #settings: KafkaConnection
  readonly #requestTimeoutMs: number
  readonly #open = new Map<string, Promise<Connection>>()
  #closed = false

  constructor(settings: KafkaConnection, requestTimeoutMs: number) {
    this.#settings = settings
    this.#requestTimeoutMs = requestTimeoutMs
  }

  /** Throws `KAFKA_UNREACHABLE`, or ConfigError when the broker or its certificate is refused. */
  get(to: HostPort): Promise<Connection> {
    const address = `${to.host}:${to.port}`
    let open = this.#open.get(address)
    if (open === undefined) {
      open = this.#connect(to, address)
      this.#open.set(address, open)
      const opening = open
      const forget = (): void => this.#forget(address, opening)
      open.then((connection) => connection.closed.then(forget), forget)
    }
    return open
  }

  async close(): Promise<void> {
    this.#closed = true
    const connections = await Promise.allSettled(this.#open.values())
    this.#open.clear()
    const opened = connections.filter((result) => result.status === 'fulfilled')
    await Promise.allSettled(opened.map((result) => result.value.close()))
  }

  async #connect(to: HostPort, address: string): Promise<Connection> {
    if (this.#closed) throw producerErrors.PRODUCER_CLOSED('the producer was closed')
    const options = { connectTimeoutMs: CONNECT_TIMEOUT_MS, requestTimeoutMs: this.#requestTimeoutMs }
    try {
      return await Connection.open(this.#settings, to, options)
    } catch (error) {
      const text = `Kafka at ${address} cannot be reached: ${rootMessage(error)}`
      throw (
        refusedConnection(error, address, this.#settings) ?? producerErrors.KAFKA_UNREACHABLE(text, { cause: error })
      )
    }
  }

  #forget(address: string, open: Promise<Connection>): void {
    if (this.#open.get(address) === open) this.#open.delete(address)
  }
}

function rootMessage(error: unknown): string {
  let root = error
  while (root instanceof Error && root.cause !== undefined) root = root.cause
  return root instanceof Error ? root.message : String(root)
}
