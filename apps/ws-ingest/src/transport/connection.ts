import type { Socket } from 'node:net'
import type { ConnectError } from '@tributary/connect-api'
import type { WebSocket } from 'ws'
import { endError } from './errors.ts'
import type { FeedSocket } from './feed-socket.ts'

/** How a connection ended. */
export interface ConnectionEnd {
  /**
   * Close code of RFC 6455, section 7.4, which the server gave, or which we gave because of what it sent. 1005: a close
   * frame without one, 1006: no close frame.
   */
  readonly code: number
  /** The server's words; '' without any. */
  readonly reason: string
  /** The same as an error of the task: NotConnectedError, or ConfigError for what no second try heals. */
  readonly error: ConnectError
}

export interface ConnectionListener {
  /** Called for every message in order, as it comes; a burst comes within one turn of the event loop. */
  onMessage(data: Buffer, binary: boolean): void
  /** A ping came, in order with the messages; it has been answered. */
  onPing?(data: Buffer): void
  /** A pong came, asked for or not. */
  onPong?(data: Buffer): void
  /** Once, after the last message; not after `terminate`. */
  onEnd(end: ConnectionEnd): void
}

/** An open WebSocket connection, whose handshake the server accepted. */
export interface WebSocketConnection {
  /** HTTP status of the handshake's answer, 101. */
  readonly responseCode: number
  /** The subprotocol that the server chose; '' for none. */
  readonly protocol: string
  /** Sends one text frame. What can no longer be sent is dropped: `onEnd` follows. */
  send(text: string): void
  /** Sends a ping with at most 125 bytes. */
  ping(data: string): void
  /** Stops reading the socket, so that TCP makes the server wait; what one read brought still comes. */
  pause(): void
  resume(): void
  /** Starts the closing handshake; messages come until the server's close frame, then `onEnd`; at the latest after 2 s. */
  close(code: number, reason: string): void
  /** Ends it at once and silently. */
  terminate(): void
}

export interface LiveConnectionParts {
  readonly socket: FeedSocket
  /** The connection below. */
  readonly tcp: Socket
  readonly protocol: string
  /** The address as errors may show it. */
  readonly shownUrl: string
  readonly listener: ConnectionListener
}

/** A connection after its handshake. It begins to read in a later turn of the event loop, so that its owner can get ready. */
export class LiveConnection implements WebSocketConnection {
  readonly responseCode = 101
  readonly protocol: string
  readonly #parts: LiveConnectionParts
  #broke: Error | null = null
  #paused = false
  #ended = false

  constructor(parts: LiveConnectionParts) {
    const { socket, tcp, listener } = parts
    this.protocol = parts.protocol
    this.#parts = parts
    socket.pause()
    setImmediate(() => {
      if (!this.#paused) socket.resume()
    })
    const pongs = new Pongs(socket)
    socket.on('message', (data: Buffer, binary: boolean) => {
      if (!this.#ended) listener.onMessage(data, binary)
    })
    socket.on('ping', (data) => {
      pongs.answer(data)
      if (!this.#ended) listener.onPing?.(data)
    })
    socket.on('pong', (data) => {
      if (!this.#ended) listener.onPong?.(data)
    })
    socket.on('error', (error) => {
      this.#broke ??= error
    })
    socket.onClosing = (code, reason) => process.nextTick(() => this.#end(code, reason))
    socket.on('close', (code, reason) => this.#end(code, reason.toString()))
    tcp.on('error', (error) => {
      this.#broke ??= error
    })
    // A server that has ended its side has nothing more to say; it may keep the other side open for ever.
    tcp.on('end', () => tcp.destroy())
  }

  send(text: string): void {
    this.#parts.socket.send(text, ignore)
  }

  ping(data: string): void {
    this.#parts.socket.ping(data, true, ignore)
  }

  pause(): void {
    this.#paused = true
    if (!this.#ended) this.#parts.socket.pause()
  }

  resume(): void {
    this.#paused = false
    this.#parts.socket.resume()
  }

  close(code: number, reason: string): void {
    this.#parts.socket.startClosing(code, reason)
  }

  terminate(): void {
    this.#ended = true
    this.#parts.socket.terminate()
  }

  #end(code: number, reason: string): void {
    if (this.#ended) return
    this.#ended = true
    const { listener, shownUrl } = this.#parts
    const error = endError(shownUrl, code, reason, this.#broke)
    listener.onEnd({ code, reason, error })
  }
}

/** What was not sent is known by the end that follows. */
function ignore(): void {}

/** Answers on their way at one time; `ws` itself would end the connection at 60, a burst of pings in one read. */
const MAX_PENDING = 256

/**
 * Answers pings: each one, as long as the server reads the answers; beyond `MAX_PENDING` the latest stands for those
 * before it, as RFC 6455, section 5.5.3 allows, so that a server that does not read costs no memory.
 */
export class Pongs {
  readonly #socket: WebSocket
  readonly #sent = (): void => this.#wasSent()
  #pending = 0
  #latest: Buffer | null = null

  constructor(socket: WebSocket) {
    this.#socket = socket
  }

  answer(data: Buffer): void {
    if (this.#pending >= MAX_PENDING) {
      this.#latest = data
      return
    }
    this.#pending++
    this.#socket.pong(data, true, this.#sent)
  }

  #wasSent(): void {
    this.#pending--
    const data = this.#latest
    this.#latest = null
    if (data !== null) this.answer(data)
  }
}
