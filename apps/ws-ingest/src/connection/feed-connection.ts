import { type Clock, ConfigError, ConnectError, NotConnectedError } from '@tributary/connect-api'
import type { Pausable } from '@tributary/push-source'
import type { Logger } from '@tributary/telemetry'
import { shownUrl, type WebSocketConfig } from '../config/config.ts'
import type { Frame } from '../message/message.ts'
import type { ConnectionEnd, ConnectionListener, WebSocketConnection } from '../transport/connection.ts'
import { HandshakeRefused } from '../transport/errors.ts'
import type { SessionPlan } from './feed-protocol.ts'
import { Session } from './initialization.ts'
import { Liveness, RunningTime } from './liveness.ts'
import { templateValues, type ValueSource } from './template-values.ts'

/** What the documents show in the place of an HTTP status. */
const NO_RESPONSE = 'N/A'

export interface FeedConnectionOptions {
  readonly config: WebSocketConfig
  readonly plan: SessionPlan
  readonly values: ValueSource
  /** Over all connections of the feed. */
  readonly closes: PolicyCloses
  readonly clock: Clock
  readonly log: Logger
  readonly connect: (listener: ConnectionListener, signal: AbortSignal) => Promise<WebSocketConnection>
  /**
   * Runs something behind the next read of sockets (`setImmediate`): after a stall of ours, what has arrived meanwhile is a sign
   * of life.
   */
  readonly behindReads: (look: () => void) => void
  readonly frameOf: (data: Buffer, binary: boolean) => Frame
  /** A message of the feed. */
  readonly onData: (frame: Frame) => void
  /** Once, after the last message, unless `open` has rejected; not after `terminate`. */
  readonly onEnd: (error: ConnectError) => void
}

/** One connection from its handshake to its end, with its session and its signs of life. */
export class FeedConnection implements Pausable {
  readonly #options: FeedConnectionOptions
  readonly #time: RunningTime
  readonly #session: Session
  readonly #opened = Promise.withResolvers<void>()
  readonly #keepsSessionMessages: boolean
  #socket: WebSocketConnection | null = null
  #liveness: Liveness | null = null
  #timer: NodeJS.Timeout | undefined
  #paused = false
  /** Has any message of the feed come? */
  #delivered = false
  #closing = false
  #isReady = false
  #over = false

  constructor(options: FeedConnectionOptions) {
    const { config, plan, values, clock, log } = options
    this.#options = options
    this.#time = new RunningTime(clock)
    this.#keepsSessionMessages = config['websocket.session.messages.in.topic']
    this.#session = new Session({
      plan,
      values,
      timeoutMs: config['websocket.session.timeout.ms'],
      send: (text) => this.#socket?.send(text),
      log,
    })
    // `open` may have been left by its signal before it comes to this promise.
    this.#opened.promise.catch(() => {})
  }

  /** Has any message of the feed come by it? */
  get hasDelivered(): boolean {
    return this.#delivered
  }

  get isOpen(): boolean {
    return this.#socket !== null && !this.#over
  }

  /**
   * Resolves when all is said, accepted, and the feed streams; or before, when the queue is full, as a reply may come behind
   * what fills it: the session then goes on while messages are taken out. Rejects with what ended the connection before it
   * brought anything, or with the signal's reason.
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
      if (this.#over) throw new NotConnectedError('WEBSOCKET_CLOSED', 'The connection was given up while it was made')
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

  /** Ends it in good order: what the server sent before its close frame still comes, then `onEnd`. */
  close(code: number, reason: string): void {
    if (this.#socket === null || this.#over || this.#closing) return
    this.#closing = true
    this.#options.log.info('websocket_closing', { code, reason })
    this.#socket.close(code, reason)
  }

  /** Ends it at once and silently. */
  terminate(): void {
    this.#over = true
    clearInterval(this.#timer)
    this.#socket?.terminate()
  }

  async #connect(signal: AbortSignal): Promise<WebSocketConnection> {
    const { connect, frameOf } = this.#options
    const listener: ConnectionListener = {
      onMessage: (data, binary) => this.#message(frameOf(data, binary)),
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
    if (this.#paused) this.pause()
    log.info('websocket_opened', {
      message: 'Connection opened',
      url: shownUrl(config['websocket.url']),
      response_code: socket.responseCode,
    })
    this.#liveness = this.#livenessOf(socket)
    const { behindReads } = this.#options
    this.#timer = setInterval(() => behindReads(() => this.#tick()), this.#liveness.tickMs)
    this.#session.start(this.#time.now())
    this.#sessionMoved()
  }

  #livenessOf(socket: WebSocketConnection): Liveness {
    const { config, plan, clock } = this.#options
    const { heartbeat } = plan
    return new Liveness(
      {
        pingIntervalMs: config['websocket.ping.interval.ms'],
        pongTimeoutMs: config['websocket.pong.timeout.ms'],
        ping: () => socket.ping(''),
        heartbeat: heartbeat && {
          intervalMs: config['websocket.heartbeat.interval.ms'],
          timeoutMs: heartbeat.reply && config['websocket.heartbeat.timeout.ms'],
          send: () => this.#say(() => heartbeat.message.render(this.#values(null, 'websocket.heartbeat.message'))),
        },
        idleTimeoutMs: config['websocket.idle.timeout.ms'],
      },
      clock.monotonic(),
      this.#time.now(),
    )
  }

  #message(frame: Frame): void {
    if (this.#over) return
    if (this.#isOfSession(frame)) {
      this.#liveness?.heard()
      if (this.#over || !this.#keepsSessionMessages) return
    } else {
      this.#liveness?.data()
    }
    this.#delivered = true
    this.#options.onData(frame)
  }

  /** Takes note of the messages that the session's and the heartbeats' rules match. */
  #isOfSession(frame: Frame): boolean {
    const { heartbeat, answer } = this.#options.plan
    if (this.#session.listens && this.#session.accept(frame, this.#time.now())) {
      this.#sessionMoved()
      return true
    }
    if (answer !== null && answer.request(frame)) {
      this.#say(() => answer.response.render(this.#values(frame, 'websocket.heartbeat.response')))
      return true
    }
    if (heartbeat?.reply?.(frame)) {
      this.#liveness?.replied()
      return true
    }
    return false
  }

  #values(received: Frame | null, key: string): (name: string) => string {
    return templateValues(this.#options.values, received, key)
  }

  #say(render: () => string): void {
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

  #sessionMoved(): void {
    const { state } = this.#session
    if (state.state === 'failed') this.#failed(state.error)
    else if (state.state === 'streaming') this.#ready()
  }

  #ready(): void {
    this.#isReady = true
    this.#opened.resolve()
  }

  #tick(): void {
    if (this.#closing || this.#over) return
    const running = this.#time.now()
    this.#session.tick(running)
    this.#sessionMoved()
    if (this.#over) return
    const reason = this.#liveness?.tick(this.#options.clock.monotonic(), running) ?? null
    if (reason !== null) this.#failed(new NotConnectedError('WEBSOCKET_SILENT', `The connection is mute: ${reason}`))
  }

  /** We end it. */
  #failed(error: ConnectError): void {
    if (this.#over) return
    this.terminate()
    this.#logFailure(error)
    this.#tellEnd(error)
  }

  /** The server, or the network, ended it; or both of us after `close`. */
  #ended({ code, reason, error }: ConnectionEnd): void {
    if (this.#over) return
    this.#over = true
    clearInterval(this.#timer)
    const { log, closes } = this.#options
    if (code === 1006 || error.cause !== undefined) {
      this.#logFailure(error)
    } else if (!this.#closing) {
      log.info('websocket_closing', { code, reason })
    }
    log.info('websocket_closed', { message: `Connection closed: code=${code}`, code, reason })
    this.#tellEnd(closes.judge(code, this.#inSession(error), this.#delivered))
  }

  #logFailure({ message }: ConnectError, status: number | string = NO_RESPONSE): void {
    const fields = { message: 'Connection failed', error_message: message, response_code: status }
    this.#options.log.error('websocket_failure', fields)
  }

  /** Many a server refuses by closing: the error says at what. */
  #inSession(error: ConnectError): ConnectError {
    const { state } = this.#session
    if (state.state !== 'waiting' || !(error instanceof NotConnectedError)) return error
    const text = `${error.message}, before its reply to the ${state.step.name}`
    return new NotConnectedError('WEBSOCKET_CLOSED', text, { cause: error })
  }

  /** What came is handed out before the error, also when the session was never complete. */
  #tellEnd(error: ConnectError): void {
    if (this.#delivered) this.#ready()
    if (this.#isReady) this.#options.onEnd(error)
    else this.#opened.reject(error)
  }
}

/** Times in a row that a server may close so: a token that is renewed in the meantime heals it. */
const DENIED_TRIES = 3

/** RFC 6455: policy violation; IANA's registry of close codes: unauthorized, forbidden. */
const DENIED: readonly number[] = [1008, 3000, 3003]

/** Counts, over a feed's connections, those that the server closed because of who we are, before it sent anything. */
export class PolicyCloses {
  #count = 0

  /** The error that a connection's end is, given the one that it would be on its own. */
  judge(code: number, error: ConnectError, delivered: boolean): ConnectError {
    this.#count = !delivered && DENIED.includes(code) ? this.#count + 1 : 0
    if (this.#count < DENIED_TRIES) return error
    const text = `The server closed ${this.#count} connections in a row before it sent anything. ${error.message}`
    return new ConfigError('WEBSOCKET_DENIED', text, { cause: error })
  }
}
