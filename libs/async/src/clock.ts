import { sleep } from './abort.ts'

/** Time as the code sees it, so that tests can pass a clock of their own. */
export interface Clock {
  /** Wall clock, ms since the epoch. */
  now(): number
  /** Monotonic clock, ms. */
  monotonic(): number
  /** Resolves after `ms`. Rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep,
}

/** The longest delay in ms that a Node timer takes; a longer one fires at once. Users write Long.MAX_VALUE for "never". */
export const MAX_TIMER_MS = 2 ** 31 - 1

/** Settles as `work` does. Calls `warn` once if that takes longer than `afterMs`, so that the log names what is waited for. */
export async function warnWhenSlow<T>(work: Promise<T>, afterMs: number, warn: () => void): Promise<T> {
  const timer = setTimeout(warn, afterMs)
  try {
    return await work
  } finally {
    clearTimeout(timer)
  }
}
