import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { IncomingHttpHeaders, IncomingMessage, Server } from 'node:http'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { fixture } from '../../support/grpc-ticker.ts'

/**
 * The protocol of a feed in the documents: its answer to a subscription, null where it needs none, and its nth message.
 */
interface ExampleFeed {
  readonly answer: ((subscription: string) => string) | null
  readonly message: (n: number) => string
}

const trade = (n: number): string =>
  `{"e":"trade","E":${1_732_190_000_000 + n},"s":"BTCUSDT","t":${n},"p":"97512.10000000","q":"0.00150","m":false}`

/** The feeds by the path under which the example server offers them. */
const FEEDS: Readonly<Record<string, ExampleFeed>> = {
  '/binance': {
    answer: (text) => `{"result":null,"id":${(JSON.parse(text) as { id: number }).id}}`,
    message: trade,
  },
  '/coinbase': {
    answer: (text) => {
      const { product_ids, channels } = JSON.parse(text) as { product_ids: string[]; channels: string[] }
      return JSON.stringify({ type: 'subscriptions', channels: channels.map((name) => ({ name, product_ids })) })
    },
    message: (n) => `{"type":"l2update","product_id":"BTC-USD","changes":[["buy","97512.10","0.${n}"]]}`,
  },
  '/echo': { answer: (text) => text, message: (n) => `tick ${n}` },
  '/plain': { answer: null, message: (n) => `{"n":${n}, "price": 1.10}` },
}

export interface ExampleServer {
  readonly port: number
  /** The port with TLS. The certificate is signed by `fixtures/grpc/tls/ca.crt`. */
  readonly tlsPort: number
  /** The number of open connections. */
  readonly connections: number
  /** The headers and the subscription that the last client of a path sent. */
  headers(path: string): IncomingHttpHeaders | undefined
  subscription(path: string): string | undefined
  stop(): void
}

/** The values of the first `count` records of a path, for a client that subscribes with `subscription`. */
export function expectedValues(path: string, subscription: string | undefined, count: number): string[] {
  const { answer, message } = FEEDS[path]!
  const answers = answer === null ? [] : [answer(subscription ?? '')]
  return [...answers, ...Array.from({ length: count }, (_, i) => message(i + 1))].slice(0, count)
}

/** Every feed that the documents' examples name, in plain text and over TLS. Feeds do not end. */
export async function startExampleServer(): Promise<ExampleServer> {
  const headers = new Map<string, IncomingHttpHeaders>()
  const subscriptions = new Map<string, string>()
  const open = new Set<WebSocket>()

  const serve = (socket: WebSocket, request: IncomingMessage): void => {
    const path = request.url ?? ''
    const feed = FEEDS[path]
    if (feed === undefined) return socket.close(1008, `no feed at ${path}`)
    headers.set(path, request.headers)
    open.add(socket)
    let timer: NodeJS.Timeout | undefined
    const begin = (): void => {
      let n = 0
      timer = setInterval(() => socket.send(feed.message(++n)), 5)
    }
    socket.on('message', (data: Buffer) => {
      subscriptions.set(path, data.toString())
      if (feed.answer === null || timer !== undefined) return
      socket.send(feed.answer(data.toString()))
      begin()
    })
    socket.on('close', () => {
      clearInterval(timer)
      open.delete(socket)
    })
    if (feed.answer === null) begin()
  }
  const plain = createServer()
  const tls = createTlsServer({
    key: readFileSync(fixture('tls/server.key')),
    cert: readFileSync(fixture('tls/server.crt')),
  })
  const sockets = [plain, tls].map((server) => new WebSocketServer({ server }).on('connection', serve))
  return {
    port: await listen(plain),
    tlsPort: await listen(tls),
    get connections() {
      return open.size
    },
    headers: (path) => headers.get(path),
    subscription: (path) => subscriptions.get(path),
    stop() {
      for (const socket of open) socket.terminate()
      for (const server of [...sockets, plain, tls]) server.close()
    },
  }
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}
