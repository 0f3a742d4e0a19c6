import { backoffMs } from '@tributary/async'
import { type ErrorKind, errorCode } from '@tributary/connect-api'

/** A restart gets a new producer id and looks topics up again. It creates a deleted topic, or fails with TOPIC_MISSING. */
const HEALED_BY_RESTART: ReadonlySet<string> = new Set(['PRODUCER_FENCED', 'UNKNOWN_TOPIC_OR_PARTITION'])

/** `task.restart.*` of the worker. */
export interface RestartSettings {
  /** Restarts between two healthy periods. */
  readonly max: number
  readonly backoffMs: number
  readonly backoffMaxMs: number
  /** A task that ran for so many ms without failing has its whole budget again. */
  readonly healthyMs: number
  /** In [0, 1); passed in for tests. */
  readonly random?: () => number
}

export type Restart =
  /** A user must change or mend something first. */
  | { readonly kind: 'never' }
  | { readonly kind: 'exhausted'; readonly max: number }
  | { readonly kind: 'after'; readonly waitMs: number; readonly attempt: number; readonly max: number }

/**
 * Decides when the runtime restarts a FAILED task. After an error that may heal, the task restarts with jittered, exponentially
 * growing waits, as often as its budget allows. After an error that a user must mend, and after a bug, the task stays FAILED.
 */
export class RestartPolicy {
  /** Restarts since the task was assigned to this worker. */
  restarts = 0
  readonly #settings: RestartSettings
  #inARow = 0

  constructor(settings: RestartSettings) {
    this.#settings = settings
  }

  /** Decides about a task that failed after it had run for `ranMs`. */
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

  /** Restores the whole budget: a user restarted the task or changed its configuration. */
  refill(): void {
    this.#inARow = 0
  }
}

/** Returns the second line of the trace: what happens next. null if the error itself says what to do. */
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
