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

const NEVER: LeaseTime = { wall: -Infinity, monotonic: -Infinity }

export const systemLeaseClock: LeaseClock = { wall: () => Date.now(), monotonic: () => performance.now() }

/**
 * The right to act as a member of a group. It counts from the moment when the last accepted proof of life was *sent*,
 * so it ends here before the broker can give the work to another member. It ends as soon as either clock says so.
 *
 * With `pauseMs`, a pause of this process ends it too: whatever was proven before the pause may have ended during the
 * pause. A pause is a time longer than `pauseMs` between two calls of `pulse`, which every other method calls.
 */
export class Lease {
  readonly #lengthMs: number
  readonly #clock: LeaseClock
  readonly #pauseMs: number
  #from: LeaseTime = NEVER
  /** When this process ran last, as far as this class knows. */
  #pulsedAt: LeaseTime
  /** The end of the last pause. A proof that was sent before is worth nothing. */
  #resumedAt = -Infinity
  readonly #waiting = new Set<() => void>()

  constructor(lengthMs: number, clock: LeaseClock = systemLeaseClock, pauseMs = Infinity) {
    this.#lengthMs = lengthMs
    this.#clock = clock
    this.#pauseMs = pauseMs
    this.#pulsedAt = this.now()
  }

  now(): LeaseTime {
    return { wall: this.#clock.wall(), monotonic: this.#clock.monotonic() }
  }

  valid(): boolean {
    return this.remainingMs() > 0
  }

  /** Notes that this process runs. Returns true when it has just come out of a pause, which has ended the lease. */
  pulse(): boolean {
    return this.#pulse(this.now())
  }

  /** ms until the lease ends; ≤ 0 when it has expired. */
  remainingMs(): number {
    const now = this.now()
    this.#pulse(now)
    const { wall, monotonic } = now
    return this.#lengthMs - Math.max(wall - this.#from.wall, monotonic - this.#from.monotonic)
  }

  /** The broker accepted a proof of life that was sent at `sentAt`. */
  renew(sentAt: LeaseTime): void {
    if (sentAt.monotonic < this.#from.monotonic) return
    this.pulse()
    if (sentAt.monotonic < this.#resumedAt) return
    this.#from = sentAt
    if (!this.valid()) return
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }

  revoke(): void {
    this.#from = NEVER
  }

  #pulse(now: LeaseTime): boolean {
    const { wall, monotonic } = this.#pulsedAt
    this.#pulsedAt = now
    if (Math.max(now.wall - wall, now.monotonic - monotonic) <= this.#pauseMs) return false
    this.#resumedAt = now.monotonic
    this.revoke()
    return true
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
