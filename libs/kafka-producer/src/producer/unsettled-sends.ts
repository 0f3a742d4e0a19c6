import { ChangingSet } from '@tributary/async'
import type { PendingSend } from '../batch/pending-send.ts'

interface Group {
  readonly signal: AbortSignal
  readonly sends: ChangingSet<PendingSend>
  readonly onAbort: () => void
}

/**
 * The sends that are not settled, by the signal that ends them. A task sends all batches with one signal, so its listener is added
 * once and not for each send.
 */
export class UnsettledSends {
  /** Many at a time only where many tasks share a producer. Few sends wait there, so a search costs less than a Map. */
  readonly #groups = new ChangingSet<Group>()
  readonly #onAbort: (sends: readonly PendingSend[], reason: unknown) => void
  #last: Group | null = null
  #count = 0
  #onNone: (() => void)[] = []

  constructor(onAbort: (sends: readonly PendingSend[], reason: unknown) => void) {
    this.#onAbort = onAbort
  }

  all(): PendingSend[] {
    return Array.from(this.#groups, ({ sends }) => [...sends]).flat()
  }

  /** Resolves once there is none. */
  none(): Promise<void> {
    return this.#count === 0 ? Promise.resolve() : new Promise((resolve) => this.#onNone.push(resolve))
  }

  add(send: PendingSend): void {
    const { signal } = send
    const before = this.#last
    if (before?.signal !== signal) {
      this.#last = this.#groups.find((group) => group.signal === signal) ?? this.#listen(signal)
      if (before !== null) this.#forgetEmpty(before)
    }
    this.#last!.sends.add(send)
    this.#count++
  }

  delete(send: PendingSend): void {
    const group =
      this.#last?.signal === send.signal ? this.#last : this.#groups.find(({ signal }) => signal === send.signal)
    if (group === undefined) return
    group.sends.delete(send)
    if (group !== this.#last) this.#forgetEmpty(group)
    if (--this.#count === 0) for (const resolve of this.#onNone.splice(0)) resolve()
  }

  /** Ends the listening. */
  close(): void {
    for (const { signal, onAbort } of this.#groups) signal.removeEventListener('abort', onAbort)
    this.#groups.clear()
    this.#last = null
    this.#count = 0
  }

  #listen(signal: AbortSignal): Group {
    const sends = new ChangingSet<PendingSend>()
    const group = { signal, sends, onAbort: () => this.#onAbort([...sends], signal.reason) }
    signal.addEventListener('abort', group.onAbort, { once: true })
    this.#groups.add(group)
    return group
  }

  #forgetEmpty(group: Group): void {
    if (group.sends.size > 0) return
    group.signal.removeEventListener('abort', group.onAbort)
    this.#groups.delete(group)
  }
}
