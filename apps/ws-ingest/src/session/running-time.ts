import type { Clock } from '@tributary/connect-api'

/** Time that stands still while a connection is paused: what the server says then cannot be heard, so no deadline runs. */
export class RunningTime {
  readonly #clock: Clock
  #pausedAt: number | null = null
  #pausedMs = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** ms, monotonic */
  now(): number {
    return (this.#pausedAt ?? this.#clock.monotonic()) - this.#pausedMs
  }

  pause(): void {
    this.#pausedAt ??= this.#clock.monotonic()
  }

  resume(): void {
    if (this.#pausedAt === null) return
    this.#pausedMs += this.#clock.monotonic() - this.#pausedAt
    this.#pausedAt = null
  }
}
