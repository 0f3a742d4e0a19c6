import { MAX_TIMER_MS } from './clock.ts'

export interface BackoffOptions {
  /** First wait in ms; a negative one counts as 0. */
  readonly baseMs: number
  /** Longest wait in ms, before jitter. */
  readonly maxMs: number
  /** The wait is a random share of its full length, between these two. Default: half to all of it. */
  readonly jitter?: { readonly from: number; readonly to: number }
  /** In [0, 1); tests pass their own. */
  readonly random?: () => number
}

/** The jitter of KIP-580: clients that failed together try again at different times, and none much before its backoff ends. */
export const KAFKA_JITTER = { from: 0.8, to: 1.2 } as const

const HALF_TO_ALL = { from: 0.5, to: 1 } as const
/** More doublings than this would overflow into a wait of zero. */
const MAX_DOUBLINGS = 30

/** Jittered exponential backoff: the wait in ms before try `attempt` + 1 (`attempt` from 1), `base · 2^(attempt-1)` at most `max`. */
export function backoffMs(attempt: number, options: BackoffOptions): number {
  const { baseMs, maxMs, jitter = HALF_TO_ALL, random = Math.random } = options
  const doublings = Math.min(Math.max(attempt - 1, 0), MAX_DOUBLINGS)
  const full = Math.min(Math.max(baseMs, 0) * 2 ** doublings, Math.max(maxMs, 0), MAX_TIMER_MS)
  return Math.min(Math.round(full * (jitter.from + (jitter.to - jitter.from) * random())), MAX_TIMER_MS)
}
