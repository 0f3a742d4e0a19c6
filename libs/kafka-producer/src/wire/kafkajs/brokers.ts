import type { HostPort, KafkaConnection } from '@tributary/config'
import kafkajs, { type SASLOptions } from 'kafkajs'
import Broker from 'kafkajs/src/broker/index.js'
import loggers from 'kafkajs/src/loggers/index.js'
import ConnectionPool from 'kafkajs/src/network/connectionPool.js'
import createSocketFactory from 'kafkajs/src/network/socketFactory.js'
import { codeOf, errorTree, refusedConnection } from '../connection-errors.ts'
import type { ConfigError } from '@tributary/connect-api'
import { producerErrors } from '../../errors.ts'

export interface OpenBroker {
  readonly broker: Broker
  readonly connections: ConnectionPool
}

const CONNECT_TIMEOUT_MS = 10_000

/** kafkajs prints what the errors that it throws say already. */
const silent = loggers.createLogger({ level: kafkajs.logLevel.NOTHING, logCreator: () => () => undefined })
const socketFactory = createSocketFactory()

/**
 * One kafkajs `Broker` for each broker of the cluster, created when it is first asked for. Call `forget` when a request
 * got no answer.
 */
export class Brokers {
  readonly #settings: KafkaConnection
  readonly #requestTimeoutMs: number
  readonly #open = new Map<string, Promise<OpenBroker>>()
  #closed = false

  constructor(settings: KafkaConnection, requestTimeoutMs: number) {
    this.#settings = settings
    this.#requestTimeoutMs = requestTimeoutMs
  }

  /** Throws `KAFKA_UNREACHABLE`, or ConfigError when login or certificate are refused. */
  get(to: HostPort): Promise<OpenBroker> {
    const address = `${to.host}:${to.port}`
    let open = this.#open.get(address)
    if (open === undefined) {
      open = this.#connect(to, address)
      this.#open.set(address, open)
      open.catch(() => this.#open.delete(address))
    }
    return open
  }

  /** Makes the next `get` connect again. */
  forget(to: HostPort, broken: OpenBroker): void {
    const address = `${to.host}:${to.port}`
    const open = this.#open.get(address)
    void open?.then((current) => {
      if (current !== broken || this.#open.get(address) !== open) return
      this.#open.delete(address)
      // The connection is broken already, so the error says nothing new.
      broken.broker.disconnect().catch(() => undefined)
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    const settled = await Promise.allSettled(this.#open.values())
    this.#open.clear()
    const opened = settled.filter((result) => result.status === 'fulfilled')
    await Promise.allSettled(opened.map((result) => result.value.broker.disconnect()))
  }

  async #connect(to: HostPort, address: string): Promise<OpenBroker> {
    if (this.#closed) throw producerErrors.PRODUCER_CLOSED('the producer was closed')
    const connections = new ConnectionPool({
      ...to,
      clientId: this.#settings.clientId,
      ssl: this.#tls(),
      sasl: this.#sasl(),
      socketFactory,
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: this.#requestTimeoutMs,
      enforceRequestTimeout: true,
      logger: silent,
    })
    for (const { requestQueue } of connections.pool) stopSpinning(requestQueue)
    const broker = new Broker({ connectionPool: connections, logger: silent, allowAutoTopicCreation: false })
    try {
      await broker.connect()
    } catch (error) {
      broker.disconnect().catch(() => undefined)
      throw (
        this.refused(error, address) ??
        producerErrors.KAFKA_UNREACHABLE(`Kafka at ${address} cannot be reached: ${String(error)}`, { cause: error })
      )
    }
    return { broker, connections }
  }

  /**
   * Like `refusedConnection`. kafkajs reports every failed login, also a connection that broke during it, with one name
   * and no cause.
   */
  refused(error: unknown, address: string): ConfigError | null {
    for (const part of errorTree(error)) {
      if (part.name !== 'KafkaJSSASLAuthenticationError' || BROKEN.test(part.message) || codeOf(part) !== '') continue
      const refusal = Object.assign(new Error(part.message, { cause: error }), { type: 'SASL_AUTHENTICATION_FAILED' })
      return refusedConnection(refusal, address, this.#settings)
    }
    return refusedConnection(error, address, this.#settings)
  }

  #tls(): ConstructorParameters<typeof ConnectionPool>[0]['ssl'] {
    const { tls } = this.#settings
    if (tls === undefined) return null
    const { passphrase, ...plain } = tls
    return passphrase === undefined ? plain : { ...plain, passphrase: passphrase.reveal() }
  }

  #sasl(): SASLOptions | null {
    const { sasl } = this.#settings
    if (sasl === undefined) return null
    const login = { username: sasl.username, password: sasl.password.reveal() }
    switch (sasl.mechanism) {
      case 'PLAIN':
        return { mechanism: 'plain', ...login }
      case 'SCRAM-SHA-256':
        return { mechanism: 'scram-sha-256', ...login }
      case 'SCRAM-SHA-512':
        return { mechanism: 'scram-sha-512', ...login }
      default:
        return sasl.mechanism satisfies never
    }
  }
}

const BROKEN = /closed|connection error|connection timeout|not connected|timed out/i

/**
 * kafkajs sets a timer to look at waiting requests after every answer, also when none wait, and with a negative delay.
 * Each timer sets the next one: 1,000 a second, and Node 24 warns about each.
 */
function stopSpinning(queue: ConnectionPool['pool'][number]['requestQueue']): void {
  const schedule = queue.scheduleCheckPendingRequests.bind(queue)
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length > 0) schedule()
  }
}
