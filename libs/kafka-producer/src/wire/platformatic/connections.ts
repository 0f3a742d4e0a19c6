import { Connection, type ConnectionOptions } from '@platformatic/kafka'
import type { HostPort, KafkaConnection } from '@tributary/config'
import { isIP } from 'node:net'
import { refusedConnection } from '../connection-errors.ts'
import { producerErrors } from '../../errors.ts'

/** A connection, and the error that broke it: the client reports that apart from the requests that failed by it. */
export interface OpenConnection {
  readonly connection: Connection
  lastError: Error | null
}

const CONNECT_TIMEOUT_MS = 10_000
/** The sender limits the requests in flight; the client must not queue on top. */
const MAX_IN_FLIGHT = 1024

/** One connection for each broker, made when it is first asked for and forgotten when it breaks. */
export class Connections {
  readonly #settings: KafkaConnection
  readonly #requestTimeoutMs: number
  readonly #open = new Map<string, Promise<OpenConnection>>()
  #closed = false

  constructor(settings: KafkaConnection, requestTimeoutMs: number) {
    this.#settings = settings
    this.#requestTimeoutMs = requestTimeoutMs
  }

  /** Throws `KAFKA_UNREACHABLE`, or ConfigError when the broker or its certificate is refused. */
  get(to: HostPort): Promise<OpenConnection> {
    const address = `${to.host}:${to.port}`
    let open = this.#open.get(address)
    if (open === undefined) {
      open = this.#connect(to, address)
      this.#open.set(address, open)
      open.catch(() => this.#forget(address, open))
    }
    return open
  }

  async close(): Promise<void> {
    this.#closed = true
    const connections = await Promise.allSettled(this.#open.values())
    this.#open.clear()
    const opened = connections.filter((result) => result.status === 'fulfilled')
    await Promise.allSettled(opened.map((result) => result.value.connection.close()))
  }

  async #connect(to: HostPort, address: string): Promise<OpenConnection> {
    if (this.#closed) throw producerErrors.PRODUCER_CLOSED('the producer was closed')
    const connection = new Connection(this.#settings.clientId, this.#options(to))
    const opened: OpenConnection = { connection, lastError: null }
    connection.on('error', (error) => {
      opened.lastError = error
    })
    try {
      await connection.connect(to.host, to.port)
    } catch (error) {
      const text = `Kafka at ${address} cannot be reached: ${rootMessage(error)}`
      throw (
        refusedConnection(error, address, this.#settings) ?? producerErrors.KAFKA_UNREACHABLE(text, { cause: error })
      )
    }
    const open = this.#open.get(address)
    const forget = (): void => this.#forget(address, open)
    connection.once('close', forget)
    connection.once('error', forget)
    return opened
  }

  #forget(address: string, open: Promise<OpenConnection> | undefined): void {
    if (this.#open.get(address) === open) this.#open.delete(address)
  }

  #options(to: HostPort): ConnectionOptions {
    const { tls, sasl } = this.#settings
    const options: ConnectionOptions = {
      connectTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: this.#requestTimeoutMs,
      maxInflights: MAX_IN_FLIGHT,
    }
    if (tls !== undefined) {
      const { passphrase, ...plain } = tls
      options.tls = passphrase === undefined ? plain : { ...plain, passphrase: passphrase.reveal() }
      // A literal address must not be sent as server name (RFC 6066, section 3).
      if (isIP(to.host) === 0) options.tlsServerName = to.host
    }
    if (sasl !== undefined) {
      options.sasl = { mechanism: sasl.mechanism, username: sasl.username, password: () => sasl.password.reveal() }
    }
    return options
  }
}

function rootMessage(error: unknown): string {
  let root = error
  while (root instanceof Error && root.cause !== undefined) root = root.cause
  return root instanceof Error ? root.message : String(root)
}
