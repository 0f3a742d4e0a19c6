import type { Readable } from 'node:stream'
import { restError } from '../http/rest-errors.ts'
import { TailSession, type TailParts, type TailTerms } from './tail-session.ts'

/** Tails at a time, of one caller and of all. */
const MAX_OF_CALLER = 5
const MAX_TAILS = 20

/** The tails that this replica shows. */
export class Tails {
  readonly #parts: TailParts
  readonly #sessions = new Map<TailSession, string>()

  constructor(parts: TailParts) {
    this.#parts = parts
  }

  /** Throws 429 when the caller, or all together, have as many as they may. */
  open(terms: TailTerms, caller: string): Readable {
    const own = [...this.#sessions.values()].filter((one) => one === caller).length
    if (own >= MAX_OF_CALLER) throw restError('tailsBusy', `You look at ${own} tails already`)
    if (this.#sessions.size >= MAX_TAILS)
      throw restError('tailsBusy', `This replica shows ${this.#sessions.size} tails already`)
    const session = new TailSession(terms, this.#parts)
    this.#sessions.set(session, caller)
    const readable = session.start()
    readable.once('close', () => this.#sessions.delete(session))
    return readable
  }

  /** Ends all: the process stops. */
  close(): void {
    for (const session of this.#sessions.keys()) session.end('shutdown')
  }
}
