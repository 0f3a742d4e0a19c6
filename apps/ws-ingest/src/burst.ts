import type { Clock } from '@tributary/connect-api'

/**
 * The messages that one read of a socket brought: they come within one callback, share the time of the read, and are counted
 * together behind the last of them.
 */
export class Burst {
  readonly #clock: Clock
  readonly #over: (messages: number, bytes: number) => void
  #at: number | null = null
  #messages = 0
  #bytes = 0

  /** `over` is called behind the callback that brought the messages, before any promise that they resolved is seen. */
  constructor(clock: Clock, over: (messages: number, bytes: number) => void) {
    this.#clock = clock
    this.#over = over
  }

  /** ms since the epoch at which the present burst began; the first question begins it. */
  get at(): number {
    if (this.#at === null) {
      this.#at = this.#clock.now()
      process.nextTick(() => this.#end())
    }
    return this.#at
  }

  /** A message of `bytes` bytes has been taken, of those that `at` was asked for. */
  add(bytes: number): void {
    this.#messages++
    this.#bytes += bytes
  }

  #end(): void {
    const [messages, bytes] = [this.#messages, this.#bytes]
    this.#at = null
    this.#messages = 0
    this.#bytes = 0
    if (messages > 0) this.#over(messages, bytes)
  }
}
