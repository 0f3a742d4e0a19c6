import { setMaxListeners } from 'node:events'

/** Full waits between tries in ms: `baseMs`, doubling to `maxMs`, each with ±20 % of jitter. */
export class Backoff {
  readonly #baseMs: number
  readonly #maxMs: number
  readonly #random: () => number
  #attempt = 0

  constructor(baseMs = 100, maxMs = 5000, random: () => number = Math.random) {
    this.#baseMs = baseMs
    this.#maxMs = maxMs
    this.#random = random
  }

  /** Number of waits since the last reset. */
  get attempts(): number {
    return this.#attempt
  }

  next(): number {
    const full = Math.min(this.#maxMs, this.#baseMs * 2 ** Math.min(this.#attempt++, 30))
    return full * (0.8 + 0.4 * this.#random())
  }

  reset(): void {
    this.#attempt = 0
  }
}

/** A signal that aborts with the first of `signals`, and to which any number of waits may listen without a warning. */
export function anySignal(...signals: readonly AbortSignal[]): AbortSignal {
  const any = AbortSignal.any([...signals])
  setMaxListeners(0, any)
  return any
}

/** Resolves after `ms`; rejects with the signal's reason. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error)
    const abort = (): void => {
      clearTimeout(timer)
      reject(signal.reason as Error)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort)
      resolve()
    }, ms)
    signal.addEventListener('abort', abort, { once: true })
  })
}

/** Settles as `promise` does, or rejects with the signal's reason at once; what is still under way then is no longer waited for. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
