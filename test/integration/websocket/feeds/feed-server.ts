import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'

/** One client of a feed. */
export interface FeedClient {
  readonly socket: WebSocket
  /** The underlying connection. */
  readonly tcp: Socket
  /** Number of the client, from 1. */
  readonly number: number
  /** Texts that the client sent. */
  readonly said: readonly string[]
  /** Time of the handshake, in ms, monotonic. */
  readonly openedAt: number
  say(message: unknown): void
}

/** A WebSocket server whose behaviour a test sets. */
export class FeedServer {
  /** All clients so far, in order. */
  readonly clients: FeedClient[] = []
  readonly #http: Server
  readonly #sockets: WebSocketServer

  private constructor(http: Server, sockets: WebSocketServer) {
    this.#http = http
    this.#sockets = sockets
  }

  /** `onText` gets the texts of clients; JSON is parsed. */
  static async start(behaviour: {
    readonly onClient?: (client: FeedClient) => void
    readonly onText?: (client: FeedClient, message: unknown) => void
    readonly autoPong?: boolean
  }): Promise<FeedServer> {
    const http = createServer()
    const sockets = new WebSocketServer({ server: http, autoPong: behaviour.autoPong ?? true })
    const server = new FeedServer(http, sockets)
    sockets.on('connection', (socket, { socket: tcp }) => {
      const said: string[] = []
      const say = (message: unknown): void =>
        socket.send(typeof message === 'string' ? message : JSON.stringify(message))
      const number = server.clients.length + 1
      const client: FeedClient = { socket, tcp, number, said, say, openedAt: performance.now() }
      server.clients.push(client)
      // The test itself judges errors that a client causes.
      socket.on('error', () => {})
      socket.on('message', (data: Buffer) => {
        said.push(data.toString())
        behaviour.onText?.(client, jsonOrText(data.toString()))
      })
      behaviour.onClient?.(client)
    })
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    return server
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#http.address() as AddressInfo).port}`
  }

  stop(): void {
    for (const { socket } of this.clients) socket.terminate()
    this.#sockets.close()
    this.#http.close()
    this.#http.closeAllConnections()
  }
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
