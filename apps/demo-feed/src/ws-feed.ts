import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocketServer, type WebSocket } from 'ws'
import { nowMs, OpenLoop } from './open-loop.ts'
import { DEFAULT_SYMBOLS, type Quote, quoteOf, type QuoteRequest } from './quotes.ts'

/** Above it a client counts as slow, and the feed waits for it. */
const MAX_BUFFERED_BYTES = 1024 * 1024
const DEFAULT_RATE = 10
/** Messages sent in one go at full speed. */
const BATCH = 256

export interface WsStats {
  clients: number
  messages: number
}

/**
 * The same quotes as JSON text over a WebSocket: `ws://host:port/quotes?symbols=A,B&rate=100&from=1&payload=0`, rate 0
 * as fast as the client reads.
 */
export class WsFeed {
  readonly #server: WebSocketServer
  readonly stats: WsStats = { clients: 0, messages: 0 }

  constructor(host: string, port: number) {
    this.#server = new WebSocketServer({ host, port, perMessageDeflate: false })
    this.#server.on('connection', (socket, request) => {
      const closed = new AbortController()
      socket.once('close', () => closed.abort())
      // 'close' follows.
      socket.on('error', () => {})
      void this.#serve(socket, new URL(request.url ?? '/', 'ws://feed').searchParams, closed.signal)
    })
  }

  /** Answers the port, once it listens. */
  async listening(): Promise<number> {
    if (this.#server.address() === null) await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  async stop(): Promise<void> {
    for (const client of this.#server.clients) client.terminate()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  /** Never rejects: a client that is gone ends it. */
  async #serve(socket: WebSocket, query: URLSearchParams, closed: AbortSignal): Promise<void> {
    this.stats.clients++
    try {
      const symbols =
        query
          .get('symbols')
          ?.split(',')
          .filter((s) => s !== '') ?? []
      const quotes: QuoteRequest = {
        symbols: symbols.length > 0 ? symbols : DEFAULT_SYMBOLS,
        padding: 'x'.repeat(count(query, 'payload', 0)),
      }
      await this.#send(socket, quotes, count(query, 'rate', DEFAULT_RATE), Math.max(1, count(query, 'from', 1)), closed)
    } catch (error) {
      if (!closed.aborted) socket.close(1008, error instanceof Error ? error.message.slice(0, 120) : 'error')
    } finally {
      this.stats.clients--
    }
  }

  async #send(socket: WebSocket, quotes: QuoteRequest, rate: number, from: number, closed: AbortSignal): Promise<void> {
    const loop = rate > 0 ? new OpenLoop(rate) : null
    for (let sequence = from; ;) {
      await loop?.due(sequence - from, closed)
      const now = nowMs()
      for (let i = 0; i < BATCH; i++, sequence++) {
        const dueAt = loop?.dueAt(sequence - from) ?? now
        if (dueAt > now) break
        socket.send(jsonOf(quoteOf(quotes, sequence, dueAt)))
        this.stats.messages++
      }
      while (socket.bufferedAmount > MAX_BUFFERED_BYTES) await sleep(1, undefined, { signal: closed })
      // Lets the socket, and the other clients, have their turn.
      if (!loop) await new Promise((resolve) => setImmediate(resolve))
      closed.throwIfAborted()
    }
  }
}

function jsonOf({ sequence, symbol, bid, ask, sentAtMs, padding }: Quote): string {
  return JSON.stringify({ sequence, symbol, bid, ask, sentAt: new Date(sentAtMs).toISOString(), padding })
}

function count(query: URLSearchParams, name: string, fallback: number): number {
  const text = query.get(name)
  if (text === null) return fallback
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${name} must be a whole number from 0, it is ${text}`)
  return value
}
