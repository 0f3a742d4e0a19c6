import type { HandOverReason } from './hand-over.ts'

/** The longest wait in ms before a source that has refused a second connection is asked for one again. */
const WAIT_MAX_MS = 3_600_000

/**
 * Remembers whether a task's source takes a second connection. Some servers allow one connection an account, and end or ban those
 * who ask for more. After a refusal a changed configuration is applied without overlap for an hour, and the wait before the next try
 * because of the connection's age doubles.
 */
export class SecondConnections {
  #refusals = 0
  #triedAt = 0

  /** `intervalMs`: the wait after the first refusal. `now` in ms of the monotonic clock. */
  mayTry(reason: HandOverReason, intervalMs: number, now: number): boolean {
    if (this.#refusals === 0) return true
    const ownWaitMs = reason === 'config_changed' ? WAIT_MAX_MS : intervalMs * 2 ** this.#refusals
    return now - this.#triedAt >= Math.min(ownWaitMs, WAIT_MAX_MS)
  }

  /** A hand-over ended at `now`. `refused`: the source took no second connection. */
  tried(refused: boolean, now: number): void {
    this.#refusals = refused ? this.#refusals + 1 : 0
    this.#triedAt = now
  }

  /** A run fails alone too, so the refusals had another reason. */
  forget(): void {
    this.#refusals = 0
  }
}
