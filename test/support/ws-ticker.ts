import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Props } from '@tributary/connect-api'

/** A client with more unread bytes counts as slow, and the sender waits. */
const MAX_BUFFERED_BYTES = 64 * 1024
/** Messages sent in one turn of the event loop. */
const BURST = 64

export interface WsTickerOptions {
  /** The nth message, from 1; by default its number as JSON. */
  readonly message?: (n: number) => string | Buffer
  /**
   * Bytes after which the server waits until the client has answered a ping. So a client that does not read has at most
   * this many bytes not taken, however large the buffers of the sockets grow.
   */
  readonly windowBytes?: number
  /** Called for each connection, the nth from 1. */
  readonly onConnection?: (ticker: WsTicker, nth: number) => void
  /** 0 (default): a free port. */
  readonly port?: number
}

/**
 * A numbered feed on a WebSocket server of the `ws` package. Like a live feed it sends to the connected client.
 * Messages that a slow client does not take wait.
 */
export class WsTicker {
  readonly #server: WebSocketServer
  readonly #message: (n: number) => string | Buffer
  readonly #windowBytes: number
  #socket: WebSocket | null = null
  #wanted = 0
  #sending = false
  /** Messages handed to the transport so far. */
  written = 0
  /** Connections so far. */
  connections = 0

  private constructor({
    message = (n) => `{"n":${n}}`,
    windowBytes = Infinity,
    onConnection,
    port = 0,
  }: WsTickerOptions) {
    this.#message = message
    this.#windowBytes = windowBytes
    this.#server = new WebSocketServer({ port, host: '127.0.0.1', perMessageDeflate: false })
    this.#server.on('connection', (socket) => {
      this.#socket = socket
      this.connections++
      // The following event 'close' counts.
      socket.on('error', () => {})
      onConnection?.(this, this.connections)
      this.#go()
    })
  }

  static async start(options: WsTickerOptions = {}): Promise<WsTicker> {
    const ticker = new WsTicker(options)
    await once(ticker.#server, 'listening')
    return ticker
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** The settings of a source that reads the feed. */
  props(more: Props = {}): Props {
    return { 'websocket.url': `ws://127.0.0.1:${this.port}`, 'kafka.topic': 'ticks', ...more }
  }

  /** Sends the next messages, as fast as the client takes them. */
  send(count: number): void {
    this.#wanted += count
    this.#go()
  }

  /** Ends the connection properly. */
  close(code = 1001, reason = 'going away'): void {
    this.#socket?.close(code, reason)
    this.#socket = null
  }

  /** Ends the connection like a server that fails. */
  cut(): void {
    this.#socket?.terminate()
    this.#socket = null
  }

  /** Cuts all connections and frees the port. */
  stop(): void {
    for (const client of this.#server.clients) client.terminate()
    this.#socket = null
    this.#server.close()
  }

  #go(): void {
    if (!this.#sending) void this.#send()
  }

  async #send(): Promise<void> {
    this.#sending = true
    let unanswered = 0
    for (let socket = this.#socket; socket !== null && this.written < this.#wanted; socket = this.#socket) {
      for (let i = 0; i < BURST && this.written < this.#wanted && unanswered < this.#windowBytes; i++) {
        const message = this.#message(++this.written)
        unanswered += message.length
        socket.send(message)
      }
      if (unanswered >= this.#windowBytes) {
        await answered(socket)
        unanswered = 0
      }
      while (socket.bufferedAmount >= MAX_BUFFERED_BYTES && socket === this.#socket) await pause(5)
      await pause(0)
    }
    this.#sending = false
  }
}

/** Waits until the client has read everything that was sent so far, or is gone. */
function answered(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readyState !== socket.OPEN) return resolve()
    const done = (): void => {
      socket.off('pong', done)
      socket.off('close', done)
      resolve()
    }
    socket.on('pong', done)
    socket.on('close', done)
    socket.ping()
  })
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
