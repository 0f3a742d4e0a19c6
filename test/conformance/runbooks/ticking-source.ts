import { setInterval } from 'node:timers/promises'
import type { ServerCredentials } from '@grpc/grpc-js'
import { startTicker, type Ticker, type WatchCall } from '../../support/grpc-ticker.ts'

const INTERVAL_MS = 20
/** An incomplete varint. */
export const MALFORMED = Buffer.from([18, 200, 1])

/**
 * A gRPC stream of numbered ticks, which continues after the number that the request names (by default from 1). It
 * stands for the database of a runbook: it can be down, and one of its records can be malformed.
 */
export class TickingSource {
  /** The number after which each stream was asked to continue; null: from the start. */
  readonly askedFrom: (number | null)[] = []
  readonly malformed = new Set<number>()
  /** The fingerprint of the client certificate with which each stream was asked for; undefined in plain text. */
  readonly certificates: (string | undefined)[] = []
  #ticker: Ticker | null = null
  #ended = new AbortController()
  #port = 0
  #last = 0
  readonly #credentials: ServerCredentials | undefined

  /** `credentials`: by default plain text. */
  constructor(credentials?: ServerCredentials) {
    this.#credentials = credentials
  }

  get port(): number {
    return this.#port
  }

  /** The highest number that was sent. */
  get lastTick(): number {
    return this.#last
  }

  /** Starts the server, each time on the same port. */
  async start(): Promise<void> {
    this.#ended = new AbortController()
    this.#ticker = await startTicker({
      watch: (call) => this.#watch(call),
      port: this.#port,
      ...(this.#credentials && { credentials: this.#credentials }),
    })
    this.#port = this.#ticker.port
  }

  stop(): void {
    this.#ended.abort()
    this.#ticker?.stop()
  }

  /**
   * Makes the next tick, and only that tick, a malformed protobuf message, however often it is read. Returns its
   * number.
   */
  spoilNext(): number {
    const sequence = this.#last + 1
    this.malformed.add(sequence)
    return sequence
  }

  async #watch(call: WatchCall): Promise<void> {
    const from = call.request.from?.sequence
    this.askedFrom.push(from ?? null)
    this.certificates.push(call.getAuthContext()?.sslPeerCertificate?.fingerprint256)
    let sequence = from ?? 0
    for await (const _ of setInterval(INTERVAL_MS, undefined, { signal: this.#ended.signal })) {
      if (call.cancelled) return
      sequence++
      this.#last = Math.max(this.#last, sequence)
      call.write(this.malformed.has(sequence) ? { malformed: MALFORMED } : { sequence, symbol: 'ABC' })
    }
  }
}
