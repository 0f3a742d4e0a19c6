import { MAX_TIMER_MS } from '@tributary/async'
import type { ClientHttp2Session } from 'node:http2'

/** Servers answer more frequent PINGs with GOAWAY. grpc-java has the same minimum. */
const MIN_INTERVAL_MS = 10_000

/**
 * Sends a PING after each `intervalMs` without data. Without its answer within `timeoutMs` the connection is destroyed.
 */
export class Keepalive {
  readonly #session: ClientHttp2Session
  readonly #timeoutMs: number
  readonly #interval: NodeJS.Timeout | undefined
  #timeout: NodeJS.Timeout | undefined
  #readSincePing = false

  /** `intervalMs` ≤ 0: off. */
  constructor(session: ClientHttp2Session, intervalMs: number, timeoutMs: number) {
    this.#session = session
    this.#timeoutMs = Math.min(timeoutMs, MAX_TIMER_MS)
    const everyMs = Math.min(Math.max(intervalMs, MIN_INTERVAL_MS), MAX_TIMER_MS)
    if (intervalMs > 0) this.#interval = setInterval(() => this.#tick(), everyMs)
  }

  /** Data was read, so the connection lives. */
  read(): void {
    this.#readSincePing = true
  }

  stop(): void {
    clearInterval(this.#interval)
    clearTimeout(this.#timeout)
  }

  #tick(): void {
    // One PING at a time: its answer may take longer than the interval.
    if (this.#timeout !== undefined) return
    const idle = !this.#readSincePing
    this.#readSincePing = false
    if (!idle || this.#session.destroyed) return
    this.#timeout = setTimeout(() => {
      this.#timeout = undefined
      if (this.#readSincePing) return
      this.#session.destroy(new Error(`no answer to a keepalive PING within ${this.#timeoutMs} ms`))
    }, this.#timeoutMs)
    this.#session.ping((error) => {
      if (error) return
      clearTimeout(this.#timeout)
      this.#timeout = undefined
    })
  }
}
