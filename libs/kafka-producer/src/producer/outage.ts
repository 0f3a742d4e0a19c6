import { abortable, backoffMs, KAFKA_JITTER, sleep } from '@tributary/async'
import { BrokerError, givenUp, remedyOf } from '../errors.ts'
import { CONCURRENT_TRANSACTIONS } from '../protocol-errors.ts'

/**
 * Reports the start and the end of an outage once, however many partitions and tries are part of it. The producer is
 * down while any subject (a partition, the coordinator, the metadata of a topic) has failed and not yet succeeded
 * again.
 */
export class Outage {
  readonly #failing = new Set<unknown>()
  readonly #report: (state: 'down' | 'up', error: Error | null) => void

  constructor(report: (state: 'down' | 'up', error: Error | null) => void) {
    this.#report = report
  }

  failed(subject: unknown, error: Error): void {
    const first = this.#failing.size === 0
    this.#failing.add(subject)
    if (first) this.#report('down', error)
  }

  /** The subject succeeded, or will not be tried again. */
  over(subject: unknown): void {
    if (this.#failing.size === 0) return
    if (this.#failing.delete(subject) && this.#failing.size === 0) this.#report('up', null)
  }
}

/** The coordinator is still writing the markers of the last transaction, which takes milliseconds. Java waits 20 ms. */
const CONCURRENT_TRANSACTIONS_WAIT_MS = 5

/** The wait before try `failedTries` + 1 in ms: doubles from `retryBackoffMs` to ten times that, with jitter (KIP-580). */
export function retryDelayMs(retryBackoffMs: number, failedTries: number): number {
  return backoffMs(failedTries, { baseMs: retryBackoffMs, maxMs: retryBackoffMs * 10, jitter: KAFKA_JITTER })
}

export interface RetryOptions {
  /** What the request is for, in error messages. */
  readonly what: string
  readonly signal: AbortSignal
  readonly outage: Outage
  readonly retryBackoffMs: number
}

/**
 * Calls `request` until it succeeds. Rejects with the reason of the signal, or with an error that a retry cannot heal.
 */
export async function retryThroughOutage<T>(request: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { what, signal, outage, retryBackoffMs } = options
  const subject = {}
  try {
    for (let failedTries = 1; ; failedTries++) {
      signal.throwIfAborted()
      try {
        return await abortable(request(), signal)
      } catch (error) {
        if (signal.aborted) throw signal.reason
        const remedy = remedyOf(error)
        if (remedy !== 'retry' && remedy !== 'stale' && remedy !== 'coordinator') throw givenUp(error, what)
        if (error instanceof BrokerError && error.protocolCode === CONCURRENT_TRANSACTIONS) {
          await sleep(CONCURRENT_TRANSACTIONS_WAIT_MS, signal)
        } else {
          outage.failed(subject, error as Error)
          await sleep(retryDelayMs(retryBackoffMs, failedTries), signal)
        }
      }
    }
  } finally {
    outage.over(subject)
  }
}
