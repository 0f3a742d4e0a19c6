import { type Clock, ConnectError, NotConnectedError } from '@tributary/connect-api'
import { HandshakeRefused, type Pausable } from '@tributary/push-source'
import type { Logger } from '@tributary/telemetry'
import { shownUrl, type WebSocketConfig } from '../config/config.ts'
import type { Message } from '../message/message.ts'
import type { MessageRun } from '../message/message-run.ts'
import type { ReceivedMessages } from '../message/received-messages.ts'
import type { ConnectionEnd, ConnectionListener, WebSocketConnection } from '../transport/connection.ts'
import type { Denials } from './denials.ts'
import type { FeedProtocol } from './feed-protocol.ts'
import { Initialization } from './initialization.ts'
import { Liveness, RunningTime } from './liveness.ts'
import { templateValues, type ValueOf, type ValueSource } from './template-values.ts'
import { wsErrors } from '../errors.ts'

/** Documented value of `response_code` when there is no HTTP response. */
const NO_RESPONSE = 'N/A'

export interface FeedConnectionOptions {
  readonly config: WebSocketConfig
  readonly protocol: FeedProtocol
  readonly values: ValueSource
  /** Shared by all connections of the feed. */
  readonly denials: Denials
  readonly clock: Clock
  readonly log: Logger
  readonly connect: (listener: ConnectionListener, signal: AbortSignal) => Promise<WebSocketConnection>
  /**
   * Runs `check` after the next read of the sockets (`setImmediate`). After a stall of this process, data that has
   * arrived in the meantime then counts as a sign of life.
   */
  readonly afterReads: (check: () => void) => void
  readonly runOf: (received: ReceivedMessages) => MessageRun
  /** Called with the messages of the feed. */
  readonly onData: (messages: MessageRun) => void
  /** Called once, after the last message. Not called if `open` has rejected, nor after `terminate`. */
  readonly onEnd: (error: ConnectError) => void
}

/** One connection from its opening handshake to its end, including its initialization and its liveness checks. */
export class FeedConnection implements Pausable {
  readonly #options: FeedConnectionOptions
  readonly #time: RunningTime
  readonly #initialization: Initialization
  readonly #opened = Promise.withResolvers<void>()
  readonly #keepsProtocolMessages: boolean
  #socket: WebSocketConnection | null = null
  #liveness: Liveness | null = null
  #timer: NodeJS.Timeout | undefined
  #paused = false
  #delivered = false
  /** Whether any message arrived. */
  #heard = false
  /** Monotonic ms. */
  #openedAt = 0
  #closing = false
  #isReady = false
  #over = false

  constructor(options: FeedConnectionOptions) {
    const { config, protocol, values, clock, log } = options
    this.#options = options
    this.#time = new RunningTime(clock)
    this.#keepsProtocolMessages = config['websocket.session.messages.in.topic']
    this.#initialization = new Initialization({
      protocol,
      values,
      timeoutMs: config['websocket.session.timeout.ms'],
      send: (text, onFailed) => this.#socket?.send(text, onFailed),
      log,
    })
    // The signal may end `open` before `open` awaits this promise.
    this.#opened.promise.catch(() => {})
  }

  /** Whether this connection has delivered a message of the feed. */
  get hasDelivered(): boolean {
    return this.#delivered
  }

  get isOpen(): boolean {
    return this.#socket !== null && !this.#over
  }

  /**
   * Opens the connection. Resolves when the initialization is complete. If the queue fills up earlier, `open` resolves
   * then, because an awaited reply may come after the messages that filled the queue; the initialization continues
   * while messages are taken out. Rejects with the error that ended the connection before its first message, or with
   * the signal's reason.
   */
  async open(signal: AbortSignal): Promise<void> {
    const abort = (): void => {
      this.terminate()
      this.#opened.reject(signal.reason as Error)
    }
    try {
      const socket = await this.#connect(signal)
      signal.addEventListener('abort', abort, { once: true })
      if (this.#over || signal.aborted) socket.terminate()
      signal.throwIfAborted()
      if (this.#over) throw wsErrors.WEBSOCKET_CLOSED('The connection was given up while it was made')
      this.#start(socket)
      await this.#opened.promise
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  pause(): void {
    this.#paused = true
    this.#time.pause()
    this.#socket?.pause()
    if (this.#socket !== null) this.#ready()
  }

  resume(): void {
    this.#paused = false
    this.#time.resume()
    this.#socket?.resume()
  }

  /** Starts the closing handshake. Messages are delivered until the server's Close frame, then `onEnd` is called. */
  close(code: number, reason: string): void {
    if (this.#socket === null || this.#over || this.#closing) return
    this.#closing = true
    this.#options.log.info('websocket_closing', { code, reason })
    this.#socket.close(code, reason)
  }

  /** Destroys the connection at once, without `onEnd`. */
  terminate(): void {
    this.#over = true
    clearInterval(this.#timer)
    this.#socket?.terminate()
  }

  async #connect(signal: AbortSignal): Promise<WebSocketConnection> {
    const { connect, runOf } = this.#options
    const listener: ConnectionListener = {
      onMessages: (received) => this.#received(runOf(received)),
      onPing: () => this.#liveness?.heard(),
      onPong: () => this.#liveness?.heard(),
      onEnd: (end) => this.#ended(end),
    }
    try {
      return await connect(listener, signal)
    } catch (error) {
      if (error instanceof ConnectError && !signal.aborted) {
        const status = error.cause instanceof HandshakeRefused ? error.cause.status : NO_RESPONSE
        this.#logFailure(error, status)
      }
      throw error
    }
  }

  #start(socket: WebSocketConnection): void {
    const { config, log } = this.#options
    this.#socket = socket
    this.#openedAt = this.#options.clock.monotonic()
    if (this.#paused) this.pause()
    log.info('websocket_opened', {
      message: 'Connection opened',
      url: shownUrl(config['websocket.url']),
      response_code: socket.responseCode,
    })
    this.#liveness = this.#livenessOf(socket)
    const { afterReads } = this.#options
    this.#timer = setInterval(() => afterReads(() => this.#tick()), this.#liveness.tickMs)
    this.#initialization.start(this.#time.now())
    this.#initializationChanged()
  }

  #livenessOf(socket: WebSocketConnection): Liveness {
    const { config, protocol, clock } = this.#options
    const { heartbeat } = protocol
    return new Liveness(
      {
        pingIntervalMs: config['websocket.ping.interval.ms'],
        pongTimeoutMs: config['websocket.pong.timeout.ms'],
        ping: () => socket.ping(''),
        heartbeat: heartbeat && {
          intervalMs: config['websocket.heartbeat.interval.ms'],
          timeoutMs: heartbeat.reply && config['websocket.heartbeat.timeout.ms'],
          send: () => this.#send(() => heartbeat.message.render(this.#values(null, 'websocket.heartbeat.message'))),
        },
        idleTimeoutMs: config['websocket.idle.timeout.ms'],
      },
      clock.monotonic(),
      this.#time.now(),
    )
  }

  #received(run: MessageRun): void {
    if (!this.#readsMessages) return this.#data(run)
    for (let i = 0; i < run.count; i++) this.#receivedOne(run.slice(i, i + 1))
  }

  /** Whether a message may belong to the protocol and not to the data of the feed. */
  get #readsMessages(): boolean {
    const { heartbeat, serverHeartbeat } = this.#options.protocol
    return this.#initialization.awaitsReply || serverHeartbeat !== null || (heartbeat?.reply ?? null) !== null
  }

  /** `run` holds one message. */
  #receivedOne(run: MessageRun): void {
    if (this.#over) return
    if (!this.#isProtocolMessage(run.message(0))) return this.#data(run)
    this.#heard = true
    this.#liveness?.heard()
    if (!this.#over && this.#keepsProtocolMessages) this.#deliver(run)
  }

  #data(run: MessageRun): void {
    if (this.#over) return
    this.#heard = true
    this.#liveness?.data()
    this.#deliver(run)
  }

  #deliver(run: MessageRun): void {
    this.#delivered = true
    this.#options.onData(run)
  }

  /**
   * Handles a message that a rule for the initialization or for heartbeats matches. false: the message is data of the
   * feed.
   */
  #isProtocolMessage(message: Message): boolean {
    const { heartbeat, serverHeartbeat } = this.#options.protocol
    if (this.#initialization.awaitsReply && this.#initialization.accept(message, this.#time.now())) {
      this.#initializationChanged()
      return true
    }
    if (serverHeartbeat !== null && serverHeartbeat.request(message)) {
      this.#send(() => serverHeartbeat.response.render(this.#values(message, 'websocket.heartbeat.response')))
      return true
    }
    if (heartbeat?.reply?.(message)) {
      this.#liveness?.replied()
      return true
    }
    return false
  }

  #values(received: Message | null, key: string): ValueOf {
    return templateValues(this.#options.values, received, key)
  }

  #send(render: () => string): void {
    let text: string
    try {
      text = render()
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error
      this.#failed(error)
      return
    }
    this.#socket?.send(text)
  }

  #initializationChanged(): void {
    const { state } = this.#initialization
    if (state.state === 'failed') this.#failed(state.error)
    else if (state.state === 'complete') this.#ready()
  }

  #ready(): void {
    this.#isReady = true
    this.#opened.resolve()
  }

  #tick(): void {
    if (this.#closing || this.#over) return
    const running = this.#time.now()
    this.#initialization.tick(running)
    this.#initializationChanged()
    if (this.#over) return
    const reason = this.#liveness?.tick(this.#options.clock.monotonic(), running) ?? null
    if (reason !== null) this.#failed(wsErrors.WEBSOCKET_SILENT(`The connection is mute: ${reason}`))
  }

  /** Ends the connection from our side. */
  #failed(error: ConnectError): void {
    if (this.#over) return
    this.terminate()
    this.#logFailure(error)
    this.#reportEnd(error)
  }

  /** The server or the network ended the connection, or the closing handshake is complete. */
  #ended({ code, reason, error }: ConnectionEnd): void {
    if (this.#over) return
    this.#over = true
    clearInterval(this.#timer)
    const { log, denials, clock } = this.#options
    if (code === 1006 || error.cause !== undefined) {
      this.#logFailure(error)
    } else if (!this.#closing) {
      log.info('websocket_closing', { code, reason })
    }
    log.info('websocket_closed', { message: `Connection closed: code=${code}`, code, reason })
    const life = { heard: this.#heard, lastedMs: clock.monotonic() - this.#openedAt }
    this.#reportEnd(denials.closed(code, this.#withPendingStep(error), life))
  }

  #logFailure({ message }: ConnectError, status: number | string = NO_RESPONSE): void {
    const fields = { message: 'Connection failed', error_message: message, response_code: status }
    this.#options.log.error('websocket_failure', fields)
  }

  /**
   * Many servers refuse a message by closing the connection. The error therefore names the step whose reply is pending.
   */
  #withPendingStep(error: ConnectError): ConnectError {
    const { state } = this.#initialization
    if (state.state !== 'waiting' || !(error instanceof NotConnectedError)) return error
    const text = `${error.message}, before its reply to the ${state.step.name}`
    return wsErrors.WEBSOCKET_CLOSED(text, { cause: error })
  }

  /** Messages already received are delivered before the error, even if the initialization was never completed. */
  #reportEnd(error: ConnectError): void {
    if (this.#delivered) this.#ready()
    if (this.#isReady) this.#options.onEnd(error)
    else this.#opened.reject(error)
  }
}
