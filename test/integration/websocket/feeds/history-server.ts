import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request to the server. */
export interface HistoryRequest {
  /** Number of the request, from 1. */
  readonly nth: number
  readonly from: number
  readonly to: number
  readonly stream: string | null
  readonly headers: IncomingHttpHeaders
  readonly response: ServerResponse
}

/** Returns a value, which is sent as JSON. undefined: the function has answered itself, or does not answer. */
export type Answer = (request: HistoryRequest) => unknown

/** An HTTP server that has the messages which a feed skipped. */
export class HistoryServer {
  readonly requests: HistoryRequest[] = []
  readonly #http: Server

  private constructor(http: Server) {
    this.#http = http
  }

  static async start(answer: Answer): Promise<HistoryServer> {
    const http = createServer((request, response) => {
      const { searchParams: query } = new URL(request.url ?? '', 'http://history')
      const asked: HistoryRequest = {
        nth: server.requests.length + 1,
        from: Number(query.get('from')),
        to: Number(query.get('to')),
        stream: query.get('stream'),
        headers: request.headers,
        response,
      }
      server.requests.push(asked)
      const value = answer(asked)
      if (value !== undefined) response.end(JSON.stringify(value))
    })
    const server = new HistoryServer(http)
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    return server
  }

  /** The value of `backfill.url`. It contains a secret. */
  get url(): string {
    const { port } = this.#http.address() as AddressInfo
    return `http://127.0.0.1:${port}/history?from={{from}}&to={{to}}&stream={{stream}}&token=s3cret`
  }

  /** The requested ranges, in order. */
  get ranges(): [from: number, to: number][] {
    return this.requests.map(({ from, to }) => [from, to])
  }

  stop(): void {
    this.#http.close()
    this.#http.closeAllConnections()
  }
}
