import { MAX_TIMER_MS } from '@tributary/async'
import type { ClientHttp2Session } from 'node:http2'

/** Silence is noticed between one and one and a quarter times the interval. */
const TICKS = 4

/**
 * Sends a PING after each `intervalMs` without data. Without its answer within `timeoutMs` the connection is destroyed. Silence is
 * counted in ticks, since a timer set again for each read would cost more.
 */
export class Keepalive {
  readonly #session: ClientHttp2Session
  readonly #timeoutMs: number
  readonly #interval: NodeJS.Timeout | undefined
  #timeout: NodeJS.Timeout | undefined
  #silentTicks = 0
  #readSincePing = false

  /** `intervalMs` ≤ 0: off. */
  constructor(session: ClientHttp2Session, intervalMs: number, timeoutMs: number) {
    this.#session = session
    this.#timeoutMs = Math.min(timeoutMs, MAX_TIMER_MS)
    const tickMs = Math.min(Math.ceil(intervalMs / TICKS), MAX_TIMER_MS)
    if (intervalMs > 0) this.#interval = setInterval(() => this.#tick(), tickMs)
  }

  /** Data was read, so the connection lives. */
  read(): void {
    // The next tick may come at once, so it does not count.
    this.#silentTicks = -1
    this.#readSincePing = true
  }

  stop(): void {
    clearInterval(this.#interval)
    clearTimeout(this.#timeout)
  }

  #tick(): void {
    // One PING at a time: its answer may take longer than the interval.
    if (this.#timeout !== undefined || ++this.#silentTicks < TICKS || this.#session.destroyed) return
    this.#silentTicks = 0
    this.#readSincePing = false
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
