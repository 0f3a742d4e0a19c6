import type { Clock } from '@tributary/connect-api'

/** Intervals and deadlines in ms. */
export interface LivenessOptions {
  /** 0: no pings. */
  readonly pingIntervalMs: number
  readonly pongTimeoutMs: number
  readonly ping: () => void
  /** null: no heartbeat messages. */
  readonly heartbeat: {
    readonly intervalMs: number
    /** null: no reply is expected. */
    readonly timeoutMs: number | null
    readonly send: () => void
  } | null
  /** 0: no limit. */
  readonly idleTimeoutMs: number
}

const LONGEST_TICK_MS = 1000
const SHORTEST_TICK_MS = 10
/** A missed deadline is noticed after at most 1.1 times the deadline. */
const TICKS_PER_DEADLINE = 10

/**
 * Checks that the server is alive: sends pings and heartbeat messages, and detects a silent connection. The owner calls
 * `tick` every `tickMs`. Between ticks the methods only set flags, so that a message costs next to nothing.
 */
export class Liveness {
  readonly #options: LivenessOptions
  readonly tickMs: number
  #pingAt: number
  #heartbeatAt: number
  /** When the oldest unanswered ping was sent, in running time; null: none is unanswered. */
  #pingedAt: number | null = null
  #heartbeatSentAt: number | null = null
  #dataAt: number
  #heard = false
  #data = false

  /** `now` and `runningNow` as for `tick`. */
  constructor(options: LivenessOptions, now: number, runningNow: number) {
    const { pingIntervalMs, pongTimeoutMs, heartbeat, idleTimeoutMs } = options
    this.#options = options
    const pings = pingIntervalMs > 0 ? [pingIntervalMs, pongTimeoutMs] : []
    const heartbeats = heartbeat === null ? [] : [heartbeat.intervalMs, heartbeat.timeoutMs ?? heartbeat.intervalMs]
    const shortest = Math.min(...pings, ...heartbeats, idleTimeoutMs || Infinity, LONGEST_TICK_MS * TICKS_PER_DEADLINE)
    this.tickMs = Math.max(SHORTEST_TICK_MS, Math.floor(shortest / TICKS_PER_DEADLINE))
    this.#pingAt = now + (pingIntervalMs || Infinity)
    this.#heartbeatAt = now + (heartbeat?.intervalMs ?? Infinity)
    this.#dataAt = runningNow
  }

  /** Any data arrived: a message, a ping or a pong. A pong waits behind other data, so all data counts as a pong. */
  heard(): void {
    this.#heard = true
  }

  /** A message of the feed arrived. */
  data(): void {
    this.#data = true
    this.#heard = true
  }

  /** The reply to a heartbeat message arrived. */
  replied(): void {
    this.#heartbeatSentAt = null
  }

  /**
   * Sends due pings and heartbeats by `now` (monotonic ms), also while the connection is paused, because the server may
   * require them. Deadlines run in `runningNow` (see RunningTime). Returns the reason to give up the connection, or
   * null.
   */
  tick(now: number, runningNow: number): string | null {
    const { idleTimeoutMs } = this.#options
    if (this.#heard) this.#pingedAt = null
    if (this.#data) this.#dataAt = runningNow
    this.#heard = false
    this.#data = false
    const reason = this.#overdue(runningNow)
    if (reason !== null) return reason
    if (idleTimeoutMs > 0 && runningNow - this.#dataAt >= idleTimeoutMs) return `no message for ${idleTimeoutMs} ms`
    this.#sendDue(now, runningNow)
    return null
  }

  #overdue(runningNow: number): string | null {
    const { pongTimeoutMs, heartbeat } = this.#options
    if (this.#pingedAt !== null && runningNow - this.#pingedAt >= pongTimeoutMs) {
      return `no pong within ${pongTimeoutMs} ms of a ping`
    }
    const timeoutMs = heartbeat?.timeoutMs ?? Infinity
    if (this.#heartbeatSentAt !== null && runningNow - this.#heartbeatSentAt >= timeoutMs) {
      return `no reply within ${timeoutMs} ms of a heartbeat message`
    }
    return null
  }

  #sendDue(now: number, runningNow: number): void {
    const { pingIntervalMs, ping, heartbeat } = this.#options
    if (now >= this.#pingAt) {
      this.#pingAt = now + pingIntervalMs
      this.#pingedAt ??= runningNow
      ping()
    }
    if (heartbeat !== null && now >= this.#heartbeatAt) {
      this.#heartbeatAt = now + heartbeat.intervalMs
      if (heartbeat.timeoutMs !== null) this.#heartbeatSentAt ??= runningNow
      heartbeat.send()
    }
  }
}

/** Time that stops while a connection is paused: deadlines must not run while the server cannot be heard. */
export class RunningTime {
  readonly #clock: Clock
  #pausedAt: number | null = null
  #pausedMs = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Monotonic ms. */
  now(): number {
    return (this.#pausedAt ?? this.#clock.monotonic()) - this.#pausedMs
  }

  pause(): void {
    this.#pausedAt ??= this.#clock.monotonic()
  }

  resume(): void {
    if (this.#pausedAt === null) return
    this.#pausedMs += this.#clock.monotonic() - this.#pausedAt
    this.#pausedAt = null
  }
}
