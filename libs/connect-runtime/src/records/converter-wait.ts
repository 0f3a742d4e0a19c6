import { abortable, backoffMs } from '@tributary/async'
import { type Clock, errorKind, type NotReadyError } from '@tributary/connect-api'
import { runtimeErrors } from '../errors.ts'

/** Longest wait in ms between two tries, since records wait. A source of the outage may ask for longer (`retryAfterMs`). */
const MAX_DELAY_MS = 10_000
/** A converter may wait for several things in turn: schemas of key and value, and a package. */
const MAX_WAITS = 20

/** Told what a converter waits for, and why it is not there yet; null: the first try is under way. */
export type OnWait = (what: string, error: unknown) => void

/** Waits on behalf of one record. */
export class ConverterWait {
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #onWait: OnWait
  #waits = 0

  constructor(clock: Clock, signal: AbortSignal, onWait: OnWait) {
    this.#clock = clock
    this.#signal = signal
    this.#onWait = onWait
  }

  /**
   * Resolves once the record can be converted again. An outage is waited out without limit: it does not make a record bad. Rejects with
   * DataError, ConfigError, and whatever is no outage.
   */
  async until({ what, ready }: NotReadyError): Promise<void> {
    if (++this.#waits > MAX_WAITS) {
      throw runtimeErrors.CONVERTER_NOT_READY(
        `a converter waited ${MAX_WAITS} times for one record, at last for ${what}`,
      )
    }
    this.#onWait(what, null)
    for (let attempt = 1; ; attempt++) {
      try {
        return await abortable(ready(this.#signal), this.#signal)
      } catch (error) {
        this.#signal.throwIfAborted()
        if (errorKind(error) !== 'retriable') throw error
        this.#onWait(what, error)
        const asked = (error as { retryAfterMs?: number }).retryAfterMs ?? 0
        const delay = backoffMs(attempt, { baseMs: 100, maxMs: MAX_DELAY_MS })
        await this.#clock.sleep(Math.max(delay, asked), this.#signal)
      }
    }
  }
}
