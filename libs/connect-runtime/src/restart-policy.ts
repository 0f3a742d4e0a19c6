import { type ErrorKind, errorCode } from '@tributary/connect-api'
import { backoffMs } from './backoff.ts'

/** A new start takes a new producer id, and looks its topics up again: a deleted one is made again, or named as missing. */
const HEALED_BY_RESTART: ReadonlySet<string> = new Set(['PRODUCER_FENCED', 'UNKNOWN_TOPIC_OR_PARTITION'])
const BASE_MS = 1000
const MAX_MS = 60_000
/** A task that ran this long before it failed starts its count anew. */
const HEALTHY_MS = 60_000

/** When a FAILED task is started again by itself: after outages, with growing waits; never after what a user must change. */
export class RestartPolicy {
  restarts = 0
  #inARow = 0

  /** Wait in ms before the restart; null: stays FAILED. */
  next(error: unknown, kind: ErrorKind, ranMs: number): number | null {
    const healsItself = kind === 'retriable' || HEALED_BY_RESTART.has(errorCode(error) ?? '')
    if (!healsItself) return null
    this.#inARow = ranMs >= HEALTHY_MS ? 1 : this.#inARow + 1
    this.restarts++
    return backoffMs(this.#inARow, { baseMs: BASE_MS, maxMs: MAX_MS })
  }
}
