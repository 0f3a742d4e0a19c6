import { createConnection, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { HostPort, KafkaConnection } from '@tributary/config'
import type { Api } from './api.ts'
import { ConnectionError } from './errors.ts'
import { Reader } from './reader.ts'
import { login } from './sasl.ts'
import { Writer } from './writer.ts'

export interface ConnectionOptions {
  /** Limit of the connect and of the login together, in ms. */
  readonly connectTimeoutMs: number
  /** A request without an answer for this many ms breaks the connection. */
  readonly requestTimeoutMs: number
}

interface PendingRequest {
  readonly id: number
  readonly flexible: boolean
  readonly read: (reader: Reader) => unknown
  readonly dueAt: number
  resolve(answer: unknown): void
  reject(error: Error): void
}

const SIZE_BYTES = 4
const CORRELATION_ID_BYTES = 4
/** A session is renewed when this part of its life is over (KIP-368). */
const RENEW_AFTER = 0.8
/** Node's timers wait no longer; a longer time counts as 1 ms. */
const MAX_TIMER_MS = 0x7fff_ffff
const MAX_CORRELATION_ID = 0x7fff_ffff

/**
 * One connection to a broker: TCP or TLS, login, framing, and the requests in flight. A broker answers the requests of a
 * connection in their order.
 */
export class Connection {
  readonly host: string
  readonly port: number
  readonly #settings: KafkaConnection
  readonly #requestTimeoutMs: number
  readonly #socket: Socket
  /** The requests in flight, in order. */
  readonly #pending: PendingRequest[] = []
  readonly #closed = Promise.withResolvers<void>()
  #open = false
  #error: Error | null = null
  #correlationId = 0
  /** Bytes of an answer whose end has not arrived. */
  #chunks: Buffer[] = []
  #received = 0
  /** Size of the next answer, with its size field; 0: not known yet. */
  #expected = 0
  #started = false
  /** The timer of the oldest request in flight. */
  #deadline: NodeJS.Timeout | null = null
  #renewal: NodeJS.Timeout | null = null
  /** Requests wait while a session is renewed, because the broker then expects those of the login only. */
  #renewing: Promise<void> | null = null

  /**
   * Connects and logs in. Throws ConnectionError, or AuthenticationError when the broker refuses the login. The cause is the
   * socket's own error.
   */
  static async open(settings: KafkaConnection, to: HostPort, options: ConnectionOptions): Promise<Connection> {
    const connection = new Connection(settings, to, options.requestTimeoutMs)
    const late = setTimeout(() => {
      connection.#break(new ConnectionError(`no connection to ${to.host}:${to.port} in ${options.connectTimeoutMs} ms`))
    }, options.connectTimeoutMs)
    try {
      await connection.#connected()
      await connection.#login()
      connection.#open = true
      return connection
    } catch (error) {
      connection.#break(error as Error)
      throw error
    } finally {
      clearTimeout(late)
    }
  }

  private constructor(settings: KafkaConnection, { host, port }: HostPort, requestTimeoutMs: number) {
    this.host = host
    this.port = port
    this.#settings = settings
    this.#requestTimeoutMs = requestTimeoutMs
    this.#socket = connectSocket(settings, host, port)
    this.#socket.setNoDelay(true)
    this.#socket.on('data', (chunk) => this.#receive(chunk))
    this.#socket.on('error', (cause: NodeJS.ErrnoException) => {
      const reason = cause.message || cause.code
      this.#break(new ConnectionError(`connection to ${host}:${port}: ${reason}`, { cause }))
    })
    this.#socket.on('close', () => this.#end())
  }

  get isOpen(): boolean {
    return this.#open
  }

  /** What broke the connection; null while it is open, and after `close`. */
  get error(): Error | null {
    return this.#error
  }

  /** Resolves when the connection has ended, for whatever reason. */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  /**
   * Sends a request and resolves with the answer, which may contain error codes. Throws ConnectionError when no answer came
   * that can be read.
   */
  async request<Args extends unknown[], Answer>(api: Api<Args, Answer>, ...args: Args): Promise<Answer> {
    while (this.#renewing !== null) await this.#renewing
    return this.#send(api, ...args)
  }

  /** Sends what was written and ends the connection. Requests in flight reject. Idempotent. */
  async close(): Promise<void> {
    this.#open = false
    this.#socket.destroySoon()
    await this.#closed.promise
  }

  #send<Args extends unknown[], Answer>(api: Api<Args, Answer>, ...args: Args): Promise<Answer> {
    if (this.#socket.destroyed || this.#socket.writableEnded) return Promise.reject(this.#noAnswer())
    this.#correlationId = (this.#correlationId + 1) & MAX_CORRELATION_ID
    const id = this.#correlationId
    const body = new Writer().appendInt32(0).appendInt16(api.key).appendInt16(api.version).appendInt32(id)
    body.appendShortString(this.#settings.clientId)
    if (api.flexible) body.appendTaggedFields()
    api.write(body, ...args)
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const dueAt = performance.now() + this.#requestTimeoutMs
    this.#pending.push({ id, flexible: api.flexible, read: api.read, dueAt, resolve, reject })
    this.#deadline ??= setTimeout(() => this.#expire(), this.#requestTimeoutMs)
    this.#write(body)
    return promise
  }

  /** Writes a request, whose first field is its size, which is still to be filled in. */
  #write(request: Writer): void {
    const size = request.length - SIZE_BYTES
    const parts = request.parts()
    const first = parts[0] as Buffer
    first.writeInt32BE(size)
    if (parts.length === 1) {
      this.#socket.write(first)
      return
    }
    this.#socket.cork()
    for (const part of parts) this.#socket.write(part)
    this.#socket.uncork()
  }

  #receive(chunk: Buffer): void {
    if (!this.#started) {
      this.#started = true
      if (!this.#settings.tls && isTlsRecord(chunk)) return this.#break(new ConnectionError('Broker requires TLS.'))
    }
    this.#chunks.push(chunk)
    this.#received += chunk.length
    while (this.#received >= SIZE_BYTES && this.#error === null) {
      if (this.#expected === 0) {
        const bytes = this.#joined(SIZE_BYTES).readInt32BE(0)
        if (bytes < CORRELATION_ID_BYTES) return this.#unreadable(new RangeError(`it has ${bytes} bytes`))
        this.#expected = SIZE_BYTES + bytes
      }
      if (this.#received < this.#expected) return
      const all = this.#joined(this.#expected)
      const frame = all.subarray(SIZE_BYTES, this.#expected)
      this.#received -= this.#expected
      this.#chunks = this.#received === 0 ? [] : [all.subarray(this.#expected)]
      this.#expected = 0
      this.#answer(frame)
    }
  }

  /** The received bytes, of which at least the first `bytes` are in one buffer. */
  #joined(bytes: number): Buffer {
    if (this.#chunks[0]!.length < bytes) this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0]!
  }

  #answer(frame: Buffer): void {
    const reader = new Reader(frame)
    const id = reader.readInt32()
    const request = this.#pending[0]
    if (request?.id !== id) {
      const text = `${this.host}:${this.port} answered request ${id}, which is not the oldest one in flight`
      return this.#break(new ConnectionError(text))
    }
    try {
      if (request.flexible) reader.readTaggedFields()
      request.resolve(request.read(reader))
      this.#pending.shift()
    } catch (cause) {
      this.#unreadable(cause as Error)
    }
  }

  /** Where the bytes went wrong is unknown, so no later answer of the connection can be trusted. */
  #unreadable(cause: Error): void {
    const text = `${this.host}:${this.port} sent an answer that cannot be read: ${cause.message}`
    this.#break(new ConnectionError(text, { cause }))
  }

  #expire(): void {
    this.#deadline = null
    const oldest = this.#pending[0]
    if (oldest === undefined) return
    const leftMs = oldest.dueAt - performance.now()
    if (leftMs > 0) this.#deadline = setTimeout(() => this.#expire(), Math.ceil(leftMs))
    else this.#break(new ConnectionError(`no answer from ${this.host}:${this.port} in ${this.#requestTimeoutMs} ms`))
  }

  #connected(): Promise<void> {
    const event = this.#settings.tls ? 'secureConnect' : 'connect'
    const connected = new Promise<void>((resolve) => this.#socket.once(event, resolve))
    return Promise.race([connected, this.#closed.promise.then(() => Promise.reject(this.#noAnswer()))])
  }

  async #login(): Promise<void> {
    const { sasl } = this.#settings
    if (sasl === undefined) return
    const lifeMs = await login(sasl, (api, ...args) => this.#send(api, ...args))
    if (lifeMs <= 0 || this.#socket.destroyed) return
    this.#renewal = setTimeout(() => this.#renew(), Math.min(lifeMs * RENEW_AFTER, MAX_TIMER_MS))
  }

  #renew(): void {
    this.#renewing = this.#login()
      .catch((error: unknown) => this.#break(error as Error))
      .finally(() => (this.#renewing = null))
  }

  #break(error: Error): void {
    this.#error ??= error
    this.#open = false
    this.#socket.destroy()
  }

  #end(): void {
    this.#open = false
    if (this.#deadline) clearTimeout(this.#deadline)
    if (this.#renewal) clearTimeout(this.#renewal)
    const error = this.#noAnswer()
    for (const request of this.#pending.splice(0)) request.reject(error)
    this.#closed.resolve()
  }

  #noAnswer(): Error {
    return this.#error ?? new ConnectionError(`the connection to ${this.host}:${this.port} was closed`)
  }
}

function connectSocket({ tls }: KafkaConnection, host: string, port: number): Socket {
  if (tls === undefined) return createConnection({ host, port })
  const { passphrase, ...plain } = tls
  return connectTls({
    ...plain,
    ...(passphrase && { passphrase: passphrase.reveal() }),
    // A literal address must not be sent as server name (RFC 6066, section 3).
    ...(isIP(host) === 0 && { servername: host }),
    ...{ host, port },
  })
}

/** An alert or a handshake record of TLS (RFC 8446, section 5.1): no answer begins like that, as none has 300 MB. */
function isTlsRecord(chunk: Buffer): boolean {
  const [type = 0, major, minor = 0] = chunk
  return type >= 0x14 && type <= 0x17 && major === 0x03 && minor <= 0x04
}
