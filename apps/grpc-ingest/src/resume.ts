import type { SourceOffset, TaskStats } from '@tributary/connect-api'
import type { RateLimitedLog } from '@tributary/push-source'

/** The value of the resume field: a number (of any size), or a token. */
export type ResumeValue = bigint | string

export interface ResumeOptions {
  /** The last committed value; null: none. */
  readonly committed: ResumeValue | null
  /** A number not above the last one came before. */
  readonly monotonic: boolean
  /** Numbers grow by one. */
  readonly contiguous: boolean
  readonly stats: TaskStats
  readonly log: RateLimitedLog
}

/**
 * Where the stream stands. Starts at the last committed value and follows what is received, so that a reconnect goes on
 * after the last received message, and a restart after the last committed one. A token is only remembered; for numbers,
 * what came before is told apart (`sequence_duplicate`), and what is missing is counted (`sequence_gap`).
 */
export class Resume {
  readonly #options: ResumeOptions
  #last: ResumeValue | null

  constructor(options: ResumeOptions) {
    this.#options = options
    this.#last = options.committed
  }

  /** The last value received, or committed when nothing was received yet. */
  get last(): ResumeValue | null {
    return this.#last
  }

  /** Takes a message's value, null when it has none. False: a duplicate, to be dropped. */
  accept(value: ResumeValue | null): boolean {
    if (value === null) return true
    const last = typeof value === 'bigint' && typeof this.#last === 'string' ? numberIn(this.#last) : this.#last
    if (typeof value === 'bigint' && typeof last === 'bigint' && this.#options.monotonic) {
      if (value <= last) {
        this.#options.stats.duplicates++
        this.#options.log.warn('sequence_duplicate', { sequence: value, last_received: last })
        return false
      }
      if (this.#options.contiguous && value - last !== 1n) this.#gap(last + 1n, value - 1n)
    }
    this.#last = value
    return true
  }

  #gap(from: bigint, to: bigint): void {
    const { stats, log } = this.#options
    const missing = to - from + 1n
    stats.sequenceGaps++
    stats.sequenceGapMessages += Number(missing)
    log.warn('sequence_gap', { from, to, gap_size: missing, last_received: from - 1n, current: to + 1n })
  }
}

/** The value to ask the server for: the last one, or with `next` the one after it. A token has no next one. */
export function valueToAskFor(last: ResumeValue, next: boolean): ResumeValue {
  const number = typeof last === 'string' ? numberIn(last) : last
  return next && number !== null ? number + 1n : last
}

/** The `resume` of a stored offset, written by us or altered by REST; null: none. */
export function committedValue(offset: SourceOffset | null): ResumeValue | null {
  const value = offset?.['resume']
  if (value === null || value === undefined) return null
  if (typeof value === 'bigint') return value
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value)
  return String(value)
}

/** A number that somebody wrote as text into an offset; null: no number. */
function numberIn(token: string): bigint | null {
  return /^-?\d+$/.test(token) ? BigInt(token) : null
}
