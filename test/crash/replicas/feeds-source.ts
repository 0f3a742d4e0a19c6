import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { SourceOffset } from '@tributary/connect-api'
import { type WebSocket, WebSocketServer } from 'ws'
import { Streams } from './streams.ts'

/** The server waits for a receiver that leaves this many bytes unread. */
const MAX_UNREAD_BYTES = 1024 * 1024

/**
 * A WebSocket server of streams, one for each path: a feed of JSON with numbers, none of which can be read again. In a
 * stream whose name begins with `ids-` the numbers serve as ids.
 */
export class FeedsSource extends Streams {
  override readonly app = 'ws-ingest'
  readonly #port: number
  readonly #http: Server
  readonly #feeds = new WebSocketServer({ noServer: true })

  private constructor(http: Server) {
    super()
    this.#http = http
    this.#port = (http.address() as AddressInfo).port
    http.on('upgrade', (request, socket, head) => {
      let feed: WebSocket | null = null
      socket.on('error', () => socket.destroy())
      const ended = this.begin(request.url!.slice(1), 0, {
        answer: () => this.#feeds.handleUpgrade(request, socket, head, (opened) => (feed = opened)),
        write: (messages) => {
          for (const message of messages) feed?.send(JSON.stringify(message))
        },
        ready: () => feed !== null && feed.readyState === feed.OPEN && feed.bufferedAmount < MAX_UNREAD_BYTES,
      })
      socket.on('close', ended)
    })
  }

  static async listen(): Promise<FeedsSource> {
    const http = createServer()
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    return new FeedsSource(http)
  }

  override config(stream: string): Record<string, string> {
    return {
      'connector.class': 'io.tributary.connect.websocket.WebSocketSourceConnector',
      'websocket.url': `ws://127.0.0.1:${this.#port}/${stream}`,
      [this.#hasIds(stream) ? 'dedupe.field' : 'sequence.field']: 'sequence',
    }
  }

  /** Without `sequence.field` an offset counts the records from the first one. */
  override committed(stream: string, offset: SourceOffset | null): number {
    if (offset === null || !this.#hasIds(stream)) return Number(offset?.['stream_sequence'] ?? 0)
    return this.callsOf(stream)[0]!.from - 1 + Number(offset['sequence'])
  }

  /** Whether the stream's numbers serve as ids, which show a duplicate but not a gap. */
  #hasIds(stream: string): boolean {
    return stream.startsWith('ids-')
  }

  override close(): void {
    super.close()
    for (const feed of this.#feeds.clients) feed.terminate()
    this.#http.closeAllConnections()
    this.#http.close()
  }
}
