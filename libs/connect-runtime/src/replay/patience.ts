import { abortable, type Clock } from '@tributary/async'

/** ms for which a replay waits for anything but the answer of Kafka to records that it has sent. */
const PATIENCE_MS = 5000
const LOOK_MS = 500

/** Ends the waits of a replay, so that an outage is told of. The time begins anew with each step. */
export class Patience {
  readonly #clock: Clock
  #ends = new AbortController()
  readonly #timer: NodeJS.Timeout
  readonly #over: AbortSignal
  #since: number

  /** `over`: the task ends, and with it every wait. */
  constructor(clock: Clock, over: AbortSignal) {
    this.#clock = clock
    this.#since = clock.monotonic()
    this.#timer = setInterval(() => this.#look(), LOOK_MS)
    this.#over = over
    over.addEventListener('abort', this.#taskEnds)
    if (over.aborted) this.#taskEnds()
  }

  /** Aborts when a step has waited for too long. */
  get signal(): AbortSignal {
    return this.#ends.signal
  }

  /** A step begins. The steps after one that has waited for too long may wait too, unless the task has ended. */
  restart(): void {
    this.#since = this.#clock.monotonic()
    if (this.#ends.signal.aborted && !this.#over.aborted) this.#ends = new AbortController()
  }

  wait<T>(waiting: Promise<T>): Promise<T> {
    return abortable(waiting, this.signal)
  }

  end(): void {
    clearInterval(this.#timer)
    this.#over.removeEventListener('abort', this.#taskEnds)
  }

  readonly #taskEnds = (): void => this.#ends.abort(new Error('The task ended before the letter had its turn.'))

  #look(): void {
    if (this.#clock.monotonic() - this.#since < PATIENCE_MS) return
    this.#ends.abort(new Error(`Kafka, or what the task needs besides, has not answered for ${PATIENCE_MS / 1000} s.`))
  }
}
