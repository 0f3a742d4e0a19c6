import type { Clock } from '@tributary/connect-api'

interface Sleep {
  readonly at: number
  readonly wake: () => void
}

/** A clock that only `advance` moves. Sleeps end in the order of their times. */
export class FakeClock implements Clock {
  #now = 1_000_000
  #sleeps: Sleep[] = []

  now(): number {
    return 1_700_000_000_000 + this.#now
  }

  monotonic(): number {
    return this.#now
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error)
      const sleep: Sleep = { at: this.#now + Math.max(0, ms), wake: resolve }
      this.#sleeps.push(sleep)
      signal?.addEventListener(
        'abort',
        () => {
          this.#sleeps = this.#sleeps.filter((other) => other !== sleep)
          reject(signal.reason as Error)
        },
        { once: true },
      )
    })
  }

  /** Moves the time on by `ms`. Everything that falls due runs at its time, and all that follows from it without a wait. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await turns()
    for (;;) {
      const next = this.#sleeps.reduce<Sleep | null>((first, sleep) => {
        return sleep.at <= end && (first === null || sleep.at < first.at) ? sleep : first
      }, null)
      if (next === null) break
      this.#now = Math.max(this.#now, next.at)
      this.#sleeps = this.#sleeps.filter((sleep) => sleep !== next)
      next.wake()
      await turns()
    }
    this.#now = end
    await turns()
  }
}

/** Lets everything run that waits for nothing but promises. */
export async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
}
