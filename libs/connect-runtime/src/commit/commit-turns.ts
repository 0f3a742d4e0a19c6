import { abortable } from '@tributary/async'

/** ms between two turns; the default of offset.commit.interval.ms. */
const TURN_MS = 100
/** Commits between two turns that wait for none: a process with few tasks commits as if there were no turns. */
const FREE = 10
/**
 * Commits of one turn. A commit makes some 20 KB of garbage, which lives until Kafka has answered: at a thousand commits a second that
 * was more than half of all garbage of a thousand tasks at ten messages a second.
 */
const PER_TURN = 25

/**
 * Lets the tasks of a process commit in turns: up to 25 every 100 ms, whose offsets then share the requests to Kafka. So the offsets
 * of a thousand busy tasks cost 250 records a second, each task's once in four seconds, and not one for each message.
 */
export class CommitTurns {
  /** In the order of the calls. An array, for the reason that ChangingSet gives. */
  readonly #waiting: (() => void)[] = []
  #granted = 0
  #timer: NodeJS.Timeout | null = null

  /** Resolves when the caller may commit, in the order of the calls. Rejects with the reason of the signal. */
  async next(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    this.#timer ??= setTimeout(() => this.#turn(), TURN_MS).unref()
    if (this.#granted < FREE && this.#waiting.length === 0) {
      this.#granted++
      return
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    try {
      await abortable(promise, signal)
    } catch (error) {
      const at = this.#waiting.indexOf(resolve)
      if (at >= 0) this.#waiting.splice(at, 1)
      throw error
    }
  }

  #turn(): void {
    this.#timer = null
    const served = this.#waiting.splice(0, PER_TURN)
    this.#granted = served.length
    for (const resolve of served) resolve()
    if (this.#granted > 0) this.#timer = setTimeout(() => this.#turn(), TURN_MS).unref()
  }
}
