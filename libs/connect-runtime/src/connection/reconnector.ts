import { abortable, backoffMs, type Clock, Gate } from '@tributary/async'
import {
  ConnectError,
  errorKind,
  NotConnectedError,
  type ReconnectPolicy,
  type SourceTask,
} from '@tributary/connect-api'
import type { Logger } from '@tributary/telemetry'
import { runtimeErrors } from '../errors.ts'

/** The first try after a healthy connection waits up to this many ms, at random, so that many tasks do not reconnect at once. */
const FIRST_TRY_MS = 50
/**
 * A connection that lasted this many ms was healthy, unless the policy says another time. Servers that greet each client and then
 * close deliver too, and they ban clients that connect again and again, so messages alone are no sign of health.
 */
const HEALTHY_MS = 10_000
/** The longest wait in ms that a source may ask for. A wrong header must not stop a connector for good. */
const RETRY_AFTER_MAX_MS = 3_600_000

export const DEFAULT_RECONNECT: ReconnectPolicy = {
  enabled: true,
  intervalMs: 1000,
  backoffMaxMs: 60_000,
  maxAttempts: -1,
  connectTimeoutMs: 30_000,
}

export interface ReconnectorOptions {
  readonly task: Pick<SourceTask, 'connect'>
  readonly policy: ReconnectPolicy
  readonly clock: Clock
  readonly log: Logger
  readonly random?: () => number
  /**
   * Whether another run will replace this one, because a config provider has new values: asked before each try to connect again.
   * Absent: never.
   */
  readonly replaced?: () => Promise<boolean>
}

/**
 * Connects a source and reconnects it. Only this class decides how long to wait before a try. After a connection that lasted
 * `healthyMs` the waits and the tries start anew; a shorter connection counts as a failed try, unless its stream was read to its end
 * (`readToEnd`): in that case only the next wait grows. A wait that the source asked for (`retryAfterMs`) is obeyed, up to an hour.
 */
export class Reconnector {
  readonly #options: ReconnectorOptions
  /** Wall clock, ms since the epoch; null while not connected. */
  connectedSince: number | null = null
  /** Tries to reconnect since the run began. */
  reconnects = 0
  /** Tries since the last healthy connection: the waits grow with them. */
  #tries = 0
  /** Those of them that count for `maxAttempts`: since the last stream that was read to its end, if that is later. */
  #failures = 0
  #connectedAt = 0
  /** Closed: another run of the task is connecting. */
  readonly #allowed = new Gate(true)
  /** Until then, in ms of the monotonic clock, a refusal is taken for an outage. */
  #patientUntil = -Infinity
  #everConnected = false
  #lastError: unknown = null
  /** Polls in a row that failed although the connection lives. */
  #failedPolls = 0

  constructor(options: ReconnectorOptions) {
    this.#options = options
  }

  get connected(): boolean {
    return this.connectedSince !== null
  }
  /** ms since the present connection was made; null while there is none. */
  get ageMs(): number | null {
    return this.connected ? this.#options.clock.monotonic() - this.#connectedAt : null
  }
  /** Why the source is not connected, or why its polls fail; null when the source is connected and readable. */
  get lastError(): unknown {
    return this.connected && this.#failedPolls === 0 ? null : this.#lastError
  }

  /** Called after a poll that succeeded. */
  polled(): void {
    this.#failedPolls = 0
  }

  /** Begins no further try until `release`. The connection that exists goes on. */
  hold(): void {
    this.#allowed.close()
  }

  release(): void {
    this.#allowed.open()
  }

  /**
   * Takes errors of the configuration for outages for `ms`: the source may count the connection of the run before this one for some
   * time after its end, and refuse another one.
   */
  bePatient(ms: number): void {
    this.#patientUntil = this.#options.clock.monotonic() + ms
  }

  /**
   * Connects; tries again as long as the policy allows. Throws an error that is no outage, and the signal's reason. `mayBeReplaced`:
   * false for a run that must go on, because Kafka does not take what it holds.
   */
  async connect(signal: AbortSignal, mayBeReplaced = true): Promise<void> {
    for (;;) {
      await this.#waitForTurn(signal)
      await this.#allowed.passed(signal)
      if (mayBeReplaced && this.#tries > 0 && (await this.#options.replaced?.()) === true) {
        // The other run ends this one.
        await abortable(new Promise(() => {}), signal)
      }
      try {
        await this.#tryOnce(signal)
      } catch (error) {
        if (signal.aborted) throw signal.reason
        if (!this.mayPass(error)) throw error
        this.#failed(error)
        continue
      }
      this.connectedSince = this.#options.clock.now()
      this.#connectedAt = this.#options.clock.monotonic()
      this.#everConnected = true
      return
    }
  }

  /** Called when the connection has ended. Throws when the policy allows no further try. */
  lost(error: unknown): void {
    const { clock, policy } = this.#options
    const lastedMs = clock.monotonic() - this.#connectedAt
    this.connectedSince = null
    this.#failedPolls = 0
    if (lastedMs >= (policy.healthyMs ?? HEALTHY_MS)) this.#tries = this.#failures = 0
    this.#failed(error)
  }

  /** Waits before the next poll, after an outage in `poll` that did not end the connection. Throws once the tries are used up. */
  async waitToPollAgain(error: unknown, signal: AbortSignal): Promise<void> {
    const { policy, clock, log } = this.#options
    this.#lastError = error
    if (policy.maxAttempts > 0 && this.#failedPolls >= policy.maxAttempts) throw this.#exhausted(error)
    const waitMs = Math.max(this.#backoff(++this.#failedPolls), retryAfterMs(error))
    log.warn('poll_retry_scheduled', { attempt: this.#failedPolls, backoff_ms: waitMs, error })
    await clock.sleep(waitMs, signal)
  }

  /** Whether a new try can help after this error. */
  mayPass(error: unknown): boolean {
    const kind = errorKind(error)
    return kind === 'retriable' || (kind === 'config' && this.#options.clock.monotonic() < this.#patientUntil)
  }

  /** Whether the connection lives on after this error of a poll. */
  survives(error: unknown): boolean {
    return errorKind(error) === 'retriable' && !(error instanceof NotConnectedError)
  }

  /** Called when the run, and so its connection, has ended. */
  close(): void {
    this.connectedSince = null
  }

  #failed(error: unknown): void {
    const { policy, log } = this.#options
    this.#lastError = error
    if (!policy.enabled) {
      log.info('reconnect_skipped', { reason: 'disabled_or_shutdown' })
      throw runtimeErrors.RECONNECT_DISABLED(
        `the connection to the source ended and reconnecting is switched off: ${messageOf(error)}; restart the task, or switch reconnecting on`,
        { cause: error },
      )
    }
    this.#tries++
    if (wasReadToEnd(error)) {
      this.#failures = 0
      return
    }
    if (policy.maxAttempts > 0 && this.#failures >= policy.maxAttempts) {
      log.error('reconnect_failed', {
        reason: 'max_attempts_reached',
        max_attempts: policy.maxAttempts,
        current_attempt: this.#failures,
      })
      throw this.#exhausted(error)
    }
    this.#failures++
  }

  #exhausted(error: unknown): Error {
    return runtimeErrors.RECONNECT_EXHAUSTED(
      `gave up after ${this.#options.policy.maxAttempts} tries to reconnect, as configured: ${messageOf(error)}; restart the task once the source is back`,
      { cause: error },
    )
  }

  async #waitForTurn(signal: AbortSignal): Promise<void> {
    if (this.#tries === 0) return
    const { clock, log, random = Math.random } = this.#options
    const first = this.#everConnected && this.#tries === 1
    const ownWaitMs = first
      ? Math.round(random() * FIRST_TRY_MS)
      : this.#backoff(this.#everConnected ? this.#tries - 1 : this.#tries)
    const waitMs = Math.max(ownWaitMs, retryAfterMs(this.#lastError))
    log.info('reconnect_scheduled', {
      message: `Reconnecting in ${waitMs} ms`,
      attempt: this.#tries,
      backoff_ms: waitMs,
      error: this.#lastError instanceof Error ? this.#lastError.message : undefined,
    })
    await clock.sleep(waitMs, signal)
    this.reconnects++
    log.info('reconnect_executing', { attempt: this.#tries })
  }

  #backoff(attempt: number): number {
    const { policy, random = Math.random } = this.#options
    return backoffMs(attempt, { baseMs: policy.intervalMs, maxMs: policy.backoffMaxMs, random })
  }

  async #tryOnce(signal: AbortSignal): Promise<void> {
    const { task, policy } = this.#options
    const limitMs = policy.connectTimeoutMs
    if (limitMs <= 0) return task.connect(signal)
    const timeout = new AbortController()
    const timer = setTimeout(() => {
      timeout.abort(runtimeErrors.CONNECT_TIMEOUT(`the source did not answer within ${limitMs} ms; trying again`))
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

/** The wait in ms that the source asked for, bounded; 0 without one. */
function retryAfterMs(error: unknown): number {
  const asked = (error as { retryAfterMs?: unknown } | null)?.retryAfterMs
  return typeof asked === 'number' && asked > 0 ? Math.min(asked, RETRY_AFTER_MAX_MS) : 0
}

function wasReadToEnd(error: unknown): boolean {
  return error instanceof ConnectError && error.readToEnd
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
