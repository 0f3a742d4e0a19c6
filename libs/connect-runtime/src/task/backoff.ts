export interface BackoffOptions {
  /** First wait in ms. */
  readonly baseMs: number
  /** Longest wait in ms. */
  readonly maxMs: number
  /** In [0, 1); passed in for tests. */
  readonly random?: () => number
}

/** Node's timers take no more ms, and fire at once instead. */
const LONGEST_MS = 2 ** 31 - 1

/**
 * Jittered exponential backoff: the n-th wait (from 1) lies between half and the whole of `min(base · 2^(n-1), max)`.
 * The exponent is bounded, so that no number of tries overflows into a wait of zero.
 */
export function backoffMs(attempt: number, options: BackoffOptions): number {
  const whole = Math.min(
    Math.max(options.baseMs, 0) * 2 ** Math.min(attempt - 1, 30),
    Math.max(options.maxMs, 0),
    LONGEST_MS,
  )
  return Math.round(whole / 2 + (whole / 2) * (options.random ?? Math.random)())
}
