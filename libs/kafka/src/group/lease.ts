/**
 * Two clocks in ms. The wall clock can be set back; the monotonic clock may stand still while a virtual machine is
 * suspended.
 */
export interface LeaseClock {
  wall(): number
  monotonic(): number
}

export interface LeaseTime {
  readonly wall: number
  readonly monotonic: number
}

export const systemLeaseClock: LeaseClock = { wall: () => Date.now(), monotonic: () => performance.now() }

/**
 * The right to act as a member of a group. It counts from the moment when the last accepted proof of life was *sent*,
 * so it ends here before the broker can give the work to another member. It ends as soon as either clock says so.
 */
export class Lease {
  readonly #lengthMs: number
  readonly #clock: LeaseClock
  #from: LeaseTime = { wall: -Infinity, monotonic: -Infinity }
  readonly #waiting = new Set<() => void>()

  constructor(lengthMs: number, clock: LeaseClock = systemLeaseClock) {
    this.#lengthMs = lengthMs
    this.#clock = clock
  }

  now(): LeaseTime {
    return { wall: this.#clock.wall(), monotonic: this.#clock.monotonic() }
  }

  valid(): boolean {
    return this.remainingMs() > 0
  }

  /** ms until the lease ends; ≤ 0 when it has expired. */
  remainingMs(): number {
    const { wall, monotonic } = this.now()
    return this.#lengthMs - Math.max(wall - this.#from.wall, monotonic - this.#from.monotonic)
  }

  /** The broker accepted a proof of life that was sent at `sentAt`. */
  renew(sentAt: LeaseTime): void {
    if (sentAt.monotonic < this.#from.monotonic) return
    this.#from = sentAt
    if (!this.valid()) return
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }

  revoke(): void {
    this.#from = { wall: -Infinity, monotonic: -Infinity }
  }

  /** Resolves when the lease is valid: at once, or with the next `renew`. Rejects with the reason of the signal. */
  wait(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason as Error)
    if (this.valid()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        signal.removeEventListener('abort', abort)
        resolve()
      }
      const abort = (): void => {
        this.#waiting.delete(wake)
        reject(signal.reason as Error)
      }
      this.#waiting.add(wake)
      signal.addEventListener('abort', abort, { once: true })
    })
  }
}
