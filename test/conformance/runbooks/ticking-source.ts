import { setInterval } from 'node:timers/promises'
import { startTicker, type Ticker, type WatchCall } from '../../support/grpc-ticker.ts'

const INTERVAL_MS = 20
/** A varint that ends in its middle. */
export const MALFORMED = Buffer.from([18, 200, 1])

/**
 * A gRPC stream of numbered ticks that goes on after the number asked for, 1 by default; stands for the database of a
 * runbook: it can be down, and one of its records can be bad.
 */
export class TickingSource {
  /** What each stream was asked to go on after; null for from the start. */
  readonly askedFrom: (number | null)[] = []
  readonly malformed = new Set<number>()
  #ticker: Ticker | null = null
  #ended = new AbortController()
  #port = 0
  #last = 0

  get port(): number {
    return this.#port
  }

  /** The highest that was sent. */
  get lastTick(): number {
    return this.#last
  }

  /** On the same port each time. */
  async start(): Promise<void> {
    this.#ended = new AbortController()
    this.#ticker = await startTicker({ watch: (call) => this.#watch(call), port: this.#port })
    this.#port = this.#ticker.port
  }

  stop(): void {
    this.#ended.abort()
    this.#ticker?.stop()
  }

  /** The next tick, and it alone, is no protobuf message, however often it is asked for. Gives its number. */
  spoilNext(): number {
    const sequence = this.#last + 1
    this.malformed.add(sequence)
    return sequence
  }

  async #watch(call: WatchCall): Promise<void> {
    const from = call.request.from?.sequence
    this.askedFrom.push(from ?? null)
    let sequence = from ?? 0
    for await (const _ of setInterval(INTERVAL_MS, undefined, { signal: this.#ended.signal })) {
      if (call.cancelled) return
      sequence++
      this.#last = Math.max(this.#last, sequence)
      call.write(this.malformed.has(sequence) ? { malformed: MALFORMED } : { sequence, symbol: 'ABC' })
    }
  }
}
