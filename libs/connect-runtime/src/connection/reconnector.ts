import { backoffMs } from '@tributary/async'
import {
  ConfigError,
  type Clock,
  type ReconnectPolicy,
  type SourceTask,
  errorKind,
  NotConnectedError,
} from '@tributary/connect-api'
import type { Logger } from '@tributary/telemetry'

/** After a healthy connection the first try comes within this many ms, at random so that many tasks do not knock at once. */
const FIRST_TRY_MS = 50
/** A connection that delivered and lasted for so many ms was healthy; a server that ends each one at once gets growing waits. */
const HEALTHY_MS = 500

export const DEFAULT_RECONNECT: ReconnectPolicy = {
  enabled: true,
  intervalMs: 1000,
  backoffMaxMs: 60_000,
  maxAttempts: -1,
  connectTimeoutMs: 30_000,
}

export interface ConnectionKeeperOptions {
  readonly task: SourceTask
  readonly policy: ReconnectPolicy
  readonly clock: Clock
  readonly log: Logger
  readonly random?: () => number
}

/**
 * The one place where a source is connected and connected again (design: the contract of a source). A connection that
 * delivered for a while, or lasted longer than the interval, was healthy: the waits start anew. The limit of tries counts
 * anew after any connection that delivered.
 */
export class ConnectionKeeper {
  readonly #options: ConnectionKeeperOptions
  /** Wall clock, ms since the epoch; null while not connected. */
  connectedSince: number | null = null
  /** Tries to connect again, over the task's life. */
  reconnects = 0
  /** Tries in a row without a connection that delivered, for the limit. */
  #tries = 0
  /** Waits since the last healthy connection, for the backoff. */
  #waits = 0
  #connectedAt = 0
  #delivered = false
  #everConnected = false
  #lastError: unknown = null

  constructor(options: ConnectionKeeperOptions) {
    this.#options = options
  }

  get connected(): boolean {
    return this.connectedSince !== null
  }
  /** ms since the present connection was made; null while there is none. */
  get ageMs(): number | null {
    return this.connected ? this.#options.clock.monotonic() - this.#connectedAt : null
  }
  /** Why it is not connected; null while it is. */
  get lastError(): unknown {
    return this.connected ? null : this.#lastError
  }

  /** Tells that the present connection has delivered. */
  delivered(): void {
    this.#delivered = true
  }

  /** Connects, trying as long as the policy allows. Throws what cannot heal, and the signal's reason. */
  async connect(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#waitForTurn(signal)
      try {
        await this.#tryOnce(signal)
      } catch (error) {
        if (signal.aborted) throw signal.reason
        if (errorKind(error) !== 'retriable') throw error
        this.#failed(error)
        continue
      }
      this.connectedSince = this.#options.clock.now()
      this.#connectedAt = this.#options.clock.monotonic()
      this.#delivered = false
      this.#everConnected = true
      return
    }
  }

  /** The connection is gone. Throws when the policy allows no other. */
  lost(error: unknown): void {
    const { clock, policy } = this.#options
    const lastedMs = clock.monotonic() - this.#connectedAt
    const healthy = lastedMs > (this.#delivered ? HEALTHY_MS : Math.max(policy.intervalMs, 1000))
    this.connectedSince = null
    if (healthy) this.#waits = 0
    if (healthy || this.#delivered) this.#tries = 0
    this.#failed(error)
  }

  #failed(error: unknown): void {
    const { policy, log } = this.#options
    this.#lastError = error
    const message = error instanceof Error ? error.message : String(error)
    if (!policy.enabled) {
      log.info('reconnect_skipped', { reason: 'disabled_or_shutdown' })
      throw new ConfigError(
        'RECONNECT_DISABLED',
        `the connection to the source ended and reconnecting is switched off: ${message}; restart the task, or switch reconnecting on`,
        { cause: error },
      )
    }
    if (policy.maxAttempts > 0 && this.#tries >= policy.maxAttempts) {
      log.error('reconnect_failed', {
        reason: 'max_attempts_reached',
        max_attempts: policy.maxAttempts,
        current_attempt: this.#tries,
      })
      throw new ConfigError(
        'RECONNECT_EXHAUSTED',
        `gave up after ${policy.maxAttempts} tries to reconnect, as configured: ${message}; restart the task once the source is back`,
        { cause: error },
      )
    }
    this.#tries++
    this.#waits++
  }

  async #waitForTurn(signal: AbortSignal): Promise<void> {
    if (this.#waits === 0) return
    const { policy, clock, log, random = Math.random } = this.#options
    const first = this.#everConnected && this.#waits === 1
    const waitMs = first
      ? Math.round(random() * FIRST_TRY_MS)
      : backoffMs(this.#everConnected ? this.#waits - 1 : this.#waits, {
          baseMs: policy.intervalMs,
          maxMs: policy.backoffMaxMs,
          random,
        })
    log.info('reconnect_scheduled', {
      message: `Reconnecting in ${waitMs} ms`,
      attempt: this.#waits,
      backoff_ms: waitMs,
      error: this.#lastError instanceof Error ? this.#lastError.message : undefined,
    })
    await clock.sleep(waitMs, signal)
    this.reconnects++
    log.info('reconnect_executing', { attempt: this.#waits })
  }

  async #tryOnce(signal: AbortSignal): Promise<void> {
    const { task, policy } = this.#options
    const limitMs = policy.connectTimeoutMs
    if (limitMs <= 0) return task.connect(signal)
    const timeout = new AbortController()
    const timer = setTimeout(() => {
      timeout.abort(
        new NotConnectedError('CONNECT_TIMEOUT', `the source did not answer within ${limitMs} ms; trying again`),
      )
    }, limitMs)
    try {
      await task.connect(AbortSignal.any([signal, timeout.signal]))
    } catch (error) {
      throw timeout.signal.aborted && !signal.aborted ? timeout.signal.reason : error
    } finally {
      clearTimeout(timer)
    }
  }
}
