import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net'

import { type KafkaBroker, startKafka } from './kafka-broker.ts'

/** A broker, and the proxy in front of it. */
export interface ProxiedKafka {
  readonly broker: KafkaBroker
  readonly proxy: KafkaProxy
  /** Addresses that lead through the proxy. */
  readonly brokers: readonly string[]
  /** Addresses that avoid the proxy. */
  readonly direct: readonly string[]
  stop(): Promise<void>
}

/**
 * Starts a broker that advertises the address of a `KafkaProxy`, so that every connection of a client to a partition leader or
 * a group coordinator passes the proxy.
 *
 * @param properties further keys of server.properties
 */
export async function startProxiedKafka(properties: Readonly<Record<string, string>> = {}): Promise<ProxiedKafka> {
  const proxy = await KafkaProxy.listen()
  const broker = await startKafka({ proxy: proxy.address, properties })
  proxy.forwardTo(Number(broker.brokers[0]!.split(':')[1]))
  return {
    broker,
    proxy,
    brokers: [proxy.address],
    direct: broker.direct ?? [],
    stop: async () => {
      await proxy.close()
      await broker.stop()
    },
  }
}

/** Numbers of Kafka requests (https://kafka.apache.org/protocol#protocol_api_keys). */
export const apiKeys = { produce: 0, initProducerId: 22, addPartitionsToTxn: 24, endTxn: 26 } as const

/** Of an answer: size, correlation id, and the empty tagged fields of a flexible version. */
const HEAD_BYTES = 4 + 4 + 1

/** The request for which `KafkaProxy.hold` waits. */
export interface Held {
  readonly apiKey: number
  /** A name in the request: a topic or a transactional id. */
  readonly naming: string
  /** `request`: the broker does not receive the request. `answer`: the broker has acted on it. */
  readonly what: 'request' | 'answer'
}

/**
 * A TCP proxy between Kafka clients and one broker that can break their connections in five ways: lose or spoil the answer to a request
 * on which the broker acted, stop one connection at a chosen request, freeze all connections silently, or refuse them.
 */
export class KafkaProxy {
  readonly #server: Server
  readonly #pairs = new Set<{ readonly client: Socket; readonly broker: Socket }>()
  readonly #port: number
  #brokerPort = 0
  #losing: number | null = null
  #spoiling = false
  #frozen = false
  #refusing = false
  #onLost: (() => void)[] = []
  #hold: (Held & { readonly resolve: () => void }) | null = null
  /** The number of accepted connections. */
  accepted = 0

  private constructor(server: Server, port: number) {
    this.#server = server
    this.#port = port
    server.on('connection', (client) => this.#accept(client))
  }

  static async listen(): Promise<KafkaProxy> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new KafkaProxy(server, (server.address() as AddressInfo).port)
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`
  }

  forwardTo(brokerPort: number): void {
    this.#brokerPort = brokerPort
  }

  /**
   * Lets the next request of this kind reach the broker, and cuts the connection when the answer comes. Resolves then.
   */
  loseNextAnswerTo(apiKey: number): Promise<void> {
    this.#losing = apiKey
    this.#spoiling = false
    return new Promise((resolve) => this.#onLost.push(resolve))
  }

  /**
   * Lets the next request of this kind reach the broker, and forwards an answer of the right size and correlation id whose body is
   * nonsense. Resolves then.
   */
  spoilNextAnswerTo(apiKey: number): Promise<void> {
    const spoiled = this.loseNextAnswerTo(apiKey)
    this.#spoiling = true
    return spoiled
  }

  /**
   * Stops the connection of the next such request silently at that request. Other connections continue. Resolves when
   * the connection has stopped.
   */
  hold(held: Held): Promise<void> {
    return new Promise((resolve) => (this.#hold = { ...held, resolve }))
  }

  /** Swallows everything that is sent from now on. Connections stay open. */
  freeze(): void {
    this.#frozen = true
  }

  /** Cuts all connections, and each new connection at once, until `thaw`. */
  refuse(): void {
    this.#refusing = true
    this.#cutAll()
  }

  /** Accepts new connections again, and cuts the frozen ones. */
  thaw(): void {
    this.#frozen = false
    this.#refusing = false
    this.#cutAll()
  }

  async close(): Promise<void> {
    this.#cutAll()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  #cutAll(): void {
    for (const { client, broker } of this.#pairs) {
      client.destroy()
      broker.destroy()
    }
  }

  #accept(client: Socket): void {
    this.accepted++
    if (this.#refusing) {
      client.destroy()
      return
    }
    const broker = connect(this.#brokerPort, '127.0.0.1')
    const pair = { client, broker }
    this.#pairs.add(pair)
    let cutOnAnswer = false
    let stopping: (Held & { readonly resolve: () => void }) | null = null
    let stopped = false
    let arrived = Buffer.alloc(0)
    const seen = new RequestReader((apiKey) => {
      if (this.#hold?.apiKey === apiKey && names(arrived, this.#hold.naming)) {
        stopping = this.#hold
        this.#hold = null
      }
      if (apiKey !== this.#losing) return
      this.#losing = null
      cutOnAnswer = true
    })
    const stop = (at: Held['what']): boolean => {
      if (stopping?.what === at) {
        stopped = true
        stopping.resolve()
        stopping = null
      }
      return stopped
    }
    const end = (): void => {
      this.#pairs.delete(pair)
      client.destroy()
      broker.destroy()
    }
    client.on('data', (chunk) => {
      if (this.#frozen || stopped) return
      arrived = chunk
      seen.read(chunk)
      if (!stop('request')) broker.write(chunk)
    })
    broker.on('data', (chunk) => {
      if (this.#frozen || stop('answer')) return
      if (!cutOnAnswer) {
        client.write(chunk)
        return
      }
      if (this.#spoiling) client.write(chunk.fill(0xff, HEAD_BYTES))
      else end()
      cutOnAnswer = false
      for (const resolve of this.#onLost.splice(0)) resolve()
    })
    for (const socket of [client, broker]) socket.on('close', end).on('error', end)
  }
}

/** Whether a chunk contains `name` as a STRING or COMPACT_STRING of the protocol, not as part of a longer text. */
function names(chunk: Buffer, name: string): boolean {
  for (let at = chunk.indexOf(name); at >= 0; at = chunk.indexOf(name, at + 1)) {
    const before = chunk[at - 1]
    if (before === name.length || before === name.length + 1) return true
  }
  return false
}

/** Finds the api key of each request in a byte stream: INT32 size, INT16 api key, … */
class RequestReader {
  readonly #onRequest: (apiKey: number) => void
  #head = Buffer.alloc(0)
  #skip = 0

  constructor(onRequest: (apiKey: number) => void) {
    this.#onRequest = onRequest
  }

  read(chunk: Buffer): void {
    let rest = chunk
    for (;;) {
      const skipped = Math.min(this.#skip, rest.length)
      this.#skip -= skipped
      rest = rest.subarray(skipped)
      if (rest.length === 0) return
      this.#head = Buffer.concat([this.#head, rest])
      if (this.#head.length < 6) return
      const size = this.#head.readInt32BE(0)
      this.#onRequest(this.#head.readInt16BE(4))
      rest = this.#head
      this.#head = Buffer.alloc(0)
      this.#skip = 4 + size
    }
  }
}
