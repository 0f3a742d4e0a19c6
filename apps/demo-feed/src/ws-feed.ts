import { on, once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocketServer, type WebSocket } from 'ws'
import { MAX_PADDING_BYTES } from './market-data.ts'
import { nowMs, OpenLoop } from './open-loop.ts'
import { DEFAULT_SYMBOLS, jsonOf, quoteOf, type QuoteRequest } from './quotes.ts'

/** A client with more unsent bytes is slow, and the feed waits for it. */
const MAX_BUFFERED_BYTES = 1024 * 1024
const DEFAULT_RATE = 10
/** A subscription has some 40 bytes. */
const MAX_REQUEST_BYTES = 4096
/** The number of messages sent at once at full speed. */
const BATCH = 256

export interface WsStats {
  clients: number
  messages: number
}

/**
 * The same quotes as JSON text over a WebSocket.
 *
 * - `ws://host:port/quotes?symbols=A,B&rate=100&from=1&payload=0`: numbered from `from` on, for each client separately.
 *   Rate 0 sends as fast as the client reads.
 * - `ws://host:port/live?symbols=A,B&rate=100&payload=0`: a feed like that of an exchange. It runs even if nobody
 *   listens. Its numbers are counted since 1970, so that they show what a client has missed. The client must first send
 *   `{"op":"subscribe","channel":"quotes"}`, which the feed answers with `op` `subscribed`, or `error` and a message.
 */
export class WsFeed {
  readonly #server: WebSocketServer
  readonly stats: WsStats = { clients: 0, messages: 0 }

  constructor(host: string, port: number) {
    this.#server = new WebSocketServer({
      host,
      port,
      perMessageDeflate: false,
      maxPayload: MAX_REQUEST_BYTES,
    })
    this.#server.on('connection', (socket, request) => {
      const closed = new AbortController()
      socket.once('close', () => closed.abort())
      // 'close' follows.
      socket.on('error', () => {})
      void this.#serve(socket, new URL(request.url ?? '/', 'ws://feed'), closed.signal)
    })
  }

  /** Resolves with the port when the server listens. */
  async listening(): Promise<number> {
    if (this.#server.address() === null) await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  async stop(): Promise<void> {
    for (const client of this.#server.clients) client.terminate()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  /** Never rejects: the end of the client ends this function. */
  async #serve(socket: WebSocket, { pathname, searchParams: query }: URL, closed: AbortSignal): Promise<void> {
    this.stats.clients++
    try {
      const symbols =
        query
          .get('symbols')
          ?.split(',')
          .filter((s) => s !== '') ?? []
      const quotes: QuoteRequest = {
        symbols: symbols.length > 0 ? symbols : DEFAULT_SYMBOLS,
        padding: 'x'.repeat(count(query, 'payload', 0, MAX_PADDING_BYTES)),
      }
      const rate = count(query, 'rate', DEFAULT_RATE)
      if (pathname === '/live') {
        await subscribed(socket, closed)
        const loop = new OpenLoop(Math.max(1, rate), 0)
        await this.#send(socket, quotes, loop, Math.ceil((nowMs() / 1000) * Math.max(1, rate)), 0, closed)
      } else {
        const from = Math.max(1, count(query, 'from', 1))
        await this.#send(socket, quotes, rate > 0 ? new OpenLoop(rate) : null, from, from, closed)
      }
    } catch (error) {
      if (!closed.aborted) socket.close(1008, error instanceof Error ? error.message.slice(0, 120) : 'error')
    } finally {
      this.stats.clients--
    }
  }

  /** Sends quotes from number `from` on. Quote `origin` is due when the loop starts. */
  async #send(
    socket: WebSocket,
    quotes: QuoteRequest,
    loop: OpenLoop | null,
    from: number,
    origin: number,
    closed: AbortSignal,
  ): Promise<void> {
    for (let sequence = from; ;) {
      await loop?.due(sequence - origin, closed)
      const now = nowMs()
      for (let i = 0; i < BATCH; i++, sequence++) {
        const dueAt = loop?.dueAt(sequence - origin) ?? now
        if (dueAt > now) break
        socket.send(jsonOf(quoteOf(quotes, sequence, dueAt)))
        this.stats.messages++
      }
      while (socket.bufferedAmount > MAX_BUFFERED_BYTES) await sleep(1, undefined, { signal: closed })
      // Gives the socket and the other clients their turn.
      if (!loop) await new Promise((resolve) => setImmediate(resolve))
      closed.throwIfAborted()
    }
  }
}

/** Answers the client's messages until the client has subscribed. */
async function subscribed(socket: WebSocket, closed: AbortSignal): Promise<void> {
  for await (const [data] of on(socket, 'message', { signal: closed }) as AsyncIterable<[Buffer]>) {
    const refusal = refusalOf(data.toString())
    socket.send(
      JSON.stringify(refusal === null ? { op: 'subscribed', channel: 'quotes' } : { op: 'error', message: refusal }),
    )
    if (refusal === null) return
  }
}

function refusalOf(request: string): string | null {
  let asked: unknown
  try {
    asked = JSON.parse(request)
  } catch {
    return 'expected JSON'
  }
  const { op, channel } = Object(asked) as { op?: unknown; channel?: unknown }
  if (op !== 'subscribe') return `unknown op ${JSON.stringify(op)}`
  return channel === 'quotes' ? null : `unknown channel ${JSON.stringify(channel)}`
}

function count(query: URLSearchParams, name: string, fallback: number, max = Number.MAX_SAFE_INTEGER): number {
  const text = query.get(name)
  if (text === null) return fallback
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${name} must be a whole number from 0, it is ${text}`)
  if (value > max) throw new Error(`${name} must be at most ${max}`)
  return value
}
