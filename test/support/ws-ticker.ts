import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Props } from '@tributary/connect-api'

/** Above it a client counts as slow, and the sender waits. */
const MAX_BUFFERED_BYTES = 64 * 1024
/** Messages sent in one turn of the event loop. */
const BURST = 64

export interface WsTickerOptions {
  /** The nth message, from 1; by default its number as JSON. */
  readonly message?: (n: number) => string | Buffer
  /**
   * Bytes after which it waits for the client to answer a ping. What a client that does not read has not taken is then at most
   * this much, however large the sockets' buffers grow.
   */
  readonly windowBytes?: number
  /** A connection is there, the nth from 1. */
  readonly onConnection?: (ticker: WsTicker, nth: number) => void
  /** 0 (default): a free one */
  readonly port?: number
}

/**
 * A numbered feed on a WebSocket server of the `ws` package. Like a live feed it sends to the client that is there; what a slow
 * one does not take waits.
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
      // The close that follows is what counts.
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

  /** The settings of a source that reads it. */
  props(more: Props = {}): Props {
    return { 'websocket.url': `ws://127.0.0.1:${this.port}`, 'kafka.topic': 'ticks', ...more }
  }

  /** Sends the next messages, as fast as the client takes them. */
  send(count: number): void {
    this.#wanted += count
    this.#go()
  }

  /** Ends the connection in good order. */
  close(code = 1001, reason = 'going away'): void {
    this.#socket?.close(code, reason)
    this.#socket = null
  }

  /** Ends the connection as a server that fails. */
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

/** The client has read all that was sent so far, or is gone. */
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
