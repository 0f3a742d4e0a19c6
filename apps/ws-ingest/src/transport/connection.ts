import type { Socket } from 'node:net'
import type { ConnectError } from '@tributary/connect-api'
import type { WebSocket } from 'ws'
import { endError } from './errors.ts'
import type { FeedSocket } from './feed-socket.ts'
import type { ReceivedMessages } from '../message/received-messages.ts'

/** How a connection ended. */
export interface ConnectionEnd {
  /**
   * Close code (RFC 6455, section 7.4) from the server, or from us in answer to an invalid frame. 1005: a Close frame
   * without a code; 1006: no Close frame.
   */
  readonly code: number
  /** Close reason from the server; '' if there is none. */
  readonly reason: string
  /** The end as an error of the task: NotConnectedError, or ConfigError if reconnecting cannot help. */
  readonly error: ConnectError
}

export interface ConnectionListener {
  /** Called with messages in order of arrival. Messages of one read arrive within one turn of the event loop. */
  onMessages(messages: ReceivedMessages): void
  /** Called for each ping, in order with the messages, after the pong is sent. */
  onPing?(data: Buffer): void
  /** Called for each pong, solicited or not. */
  onPong?(data: Buffer): void
  /** Called once, after the last message; not called after `terminate`. */
  onEnd(end: ConnectionEnd): void
}

/** An open WebSocket connection: the opening handshake is complete. */
export interface WebSocketConnection {
  /** HTTP status of the handshake response: 101. */
  readonly responseCode: number
  /** The subprotocol that the server chose; '' if none. */
  readonly subprotocol: string
  /** Sends one text message. The message is dropped if the connection is ending: `onFailed` is called, and `onEnd` follows. */
  send(text: string, onFailed?: (error: Error) => void): void
  /** Sends a ping with at most 125 bytes of data. */
  ping(data: string): void
  /** Stops reading the socket, so that TCP makes the server wait. Messages of a finished read are still delivered. */
  pause(): void
  resume(): void
  /**
   * Starts the closing handshake. Messages are delivered until the server's Close frame; `onEnd` follows within 2 s.
   */
  close(code: number, reason: string): void
  /** Destroys the connection at once, without `onEnd`. */
  terminate(): void
}

export interface LiveConnectionParts {
  readonly socket: FeedSocket
  /** The TCP or TLS connection below. */
  readonly tcp: Socket
  readonly subprotocol: string
  /** URL for errors, without secrets. */
  readonly shownUrl: string
  readonly listener: ConnectionListener
}

/**
 * A connection after its opening handshake. It reads from a later turn of the event loop on, when its owner is ready.
 */
export class LiveConnection implements WebSocketConnection {
  readonly responseCode = 101
  readonly subprotocol: string
  readonly #parts: LiveConnectionParts
  #failure: Error | null = null
  #paused = false
  #ended = false

  constructor(parts: LiveConnectionParts) {
    const { socket, tcp, listener } = parts
    this.subprotocol = parts.subprotocol
    this.#parts = parts
    socket.pause()
    setImmediate(() => {
      if (!this.#paused) socket.resume()
    })
    const pongs = new Pongs(socket)
    socket.onMessages = (messages) => {
      if (!this.#ended) listener.onMessages(messages)
    }
    socket.on('ping', (data) => {
      pongs.answer(data)
      if (!this.#ended) listener.onPing?.(data)
    })
    socket.on('pong', (data) => {
      if (!this.#ended) listener.onPong?.(data)
    })
    socket.on('error', (error) => {
      this.#failure ??= error
    })
    socket.onClosing = (code, reason) => process.nextTick(() => this.#end(code, reason))
    socket.on('close', (code, reason) => this.#end(code, reason.toString()))
    tcp.on('error', (error) => {
      this.#failure ??= error
    })
    // A server that has ended its side sends nothing more, but may keep the other side open for ever.
    tcp.on('end', () => tcp.destroy())
  }

  send(text: string, onFailed?: (error: Error) => void): void {
    this.#parts.socket.send(text, (error) => {
      if (error) onFailed?.(error)
    })
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
    const error = endError(shownUrl, code, reason, this.#failure)
    listener.onEnd({ code, reason, error })
  }
}

/** A failed send needs no handling here: `onEnd` follows. */
function ignore(): void {}

/** Most pongs in flight. `ws` itself would end the connection at 60, which one read full of pings exceeds. */
const MAX_PENDING = 256

/**
 * Answers pings. While `MAX_PENDING` pongs are in flight, one pong answers only the most recent ping, as RFC 6455,
 * section 5.5.3 allows, so that a server that does not read costs no memory.
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
