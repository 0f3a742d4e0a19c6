import { createHash } from 'node:crypto'

/** Ends of a worker during the check of one configuration alone, after which no worker is asked about it. */
export const MAX_DEATHS = 2
/** Configurations that are remembered. */
const CAPACITY = 1000

export interface Checked<T> {
  readonly value: T
  /** The worker ended before it answered. */
  readonly died: boolean
}

/**
 * Finds out which configuration ends the workers that check it. Only a check alone tells, because whatever else was checked when a
 * worker ended may have been the cause. So a configuration whose check has met the end of a worker is checked alone from then
 * on, and an end counts against it only then. An answer clears it: the worker had ended for another reason.
 */
export class DeadlyConfigs {
  /** Ends that count, by configuration. */
  readonly #deaths = new Map<string, number>()
  readonly #running = new Set<Promise<unknown>>()
  /** Resolves when the last check that has to be alone is over. */
  #alone: Promise<void> = Promise.resolve()

  /** Runs a check in its turn. null: no check is made any more. `key`: see `keyOf`. `check` must not reject. */
  async run<T>(key: string, check: () => Promise<Checked<T>>): Promise<T | null> {
    const known = this.#deaths.get(key)
    if (known !== undefined && known >= MAX_DEATHS) return null
    const { value, died } = await (known === undefined ? this.#beside(check) : this.#byItself(check))
    if (died) this.#remember(key, known === undefined ? 0 : known + 1)
    else this.#deaths.delete(key)
    return value
  }

  async #beside<T>(check: () => Promise<T>): Promise<T> {
    for (let last: Promise<void> | null = null; last !== this.#alone;) await (last = this.#alone)
    const running = check()
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
    }
  }

  async #byItself<T>(check: () => Promise<T>): Promise<T> {
    const before = this.#alone
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#alone = promise
    try {
      await before
      await Promise.allSettled(this.#running)
      return await check()
    } finally {
      resolve()
    }
  }

  #remember(key: string, deaths: number): void {
    this.#deaths.delete(key)
    this.#deaths.set(key, deaths)
    for (const oldest of this.#deaths.keys()) {
      if (this.#deaths.size <= CAPACITY) return
      this.#deaths.delete(oldest)
    }
  }
}

/** A digest of a configuration, since configurations hold secrets. */
export function keyOf(className: string, config: Readonly<Record<string, string>>): string {
  const entries = Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify([className, entries]))
    .digest('base64')
}
