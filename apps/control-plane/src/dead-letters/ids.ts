import { randomBytes, randomUUID } from 'node:crypto'

/** Ids of events: each is greater than all before, also across leaders whose clocks differ by less than a write takes. */
export class EventIds {
  #last = 0
  readonly #own = randomBytes(4).toString('hex')

  next(now = Date.now()): string {
    this.#last = Math.max(now * 1000, this.#last + 1)
    return `${String(this.#last).padStart(17, '0')}-${this.#own}`
  }
}

/** The id of a replay: a UUID. */
export const replayId = (): string => randomUUID()
