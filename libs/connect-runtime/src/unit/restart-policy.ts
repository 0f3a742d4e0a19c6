import { backoffMs } from '@tributary/async'
import { type ErrorKind, errorCode } from '@tributary/connect-api'

/** A new start takes a new producer id, and looks its topics up again: a deleted one is made again, or named as missing. */
const HEALED_BY_RESTART: ReadonlySet<string> = new Set(['PRODUCER_FENCED', 'UNKNOWN_TOPIC_OR_PARTITION'])

/** `task.restart.*` of the worker. */
export interface RestartSettings {
  /** Restarts between two healthy periods. */
  readonly max: number
  readonly backoffMs: number
  readonly backoffMaxMs: number
  /** A task that ran this long without failing has its whole budget again. */
  readonly healthyMs: number
  /** In [0, 1); passed in for tests. */
  readonly random?: () => number
}

export type Restart =
  /** Someone must change or mend something first. */
  | { readonly kind: 'never' }
  | { readonly kind: 'exhausted'; readonly max: number }
  | { readonly kind: 'after'; readonly waitMs: number; readonly attempt: number; readonly max: number }

/**
 * When a FAILED task is started again by itself: after what may heal, with jittered, exponentially growing waits, as often
 * as its budget allows. Never after what a user must change, nor after a bug.
 */
export class RestartPolicy {
  /** Over the task's life on this worker. */
  restarts = 0
  readonly #settings: RestartSettings
  #inARow = 0

  constructor(settings: RestartSettings) {
    this.#settings = settings
  }

  next(error: unknown, kind: ErrorKind, ranMs: number): Restart {
    const healsItself = kind === 'retriable' || HEALED_BY_RESTART.has(errorCode(error) ?? '')
    if (!healsItself) return { kind: 'never' }
    const { max, backoffMs: baseMs, backoffMaxMs: maxMs, healthyMs, random } = this.#settings
    if (ranMs >= healthyMs) this.#inARow = 0
    if (this.#inARow >= max) return { kind: 'exhausted', max }
    const attempt = ++this.#inARow
    this.restarts++
    return { kind: 'after', waitMs: backoffMs(attempt, { baseMs, maxMs, ...(random && { random }) }), attempt, max }
  }

  /** Someone restarted the task or changed its configuration: the budget is whole again. */
  refill(): void {
    this.#inARow = 0
  }
}

/** What is to come, in words, for the trace's second line; null where the error itself says what to do. */
export function outlook(restart: Restart): string | null {
  switch (restart.kind) {
    case 'never':
      return null
    case 'exhausted':
      return restart.max === 0
        ? 'Not restarted by itself, as task.restart.max is 0: restart the task once the cause is gone.'
        : `Not restarted again: all ${restart.max} restarts of its budget (task.restart.max) are used up. Restart the task once the cause is gone; that gives it a new budget.`
    case 'after':
      return `Restarts by itself in ${(restart.waitMs / 1000).toFixed(1)} s (restart ${restart.attempt} of ${restart.max}).`
    default:
      return restart satisfies never
  }
}
