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
  readonly #groups = new Map<AbortSignal, Group>()
  readonly #onAbort: (sends: readonly PendingSend[], reason: unknown) => void
  #last: Group | null = null

  constructor(onAbort: (sends: readonly PendingSend[], reason: unknown) => void) {
    this.#onAbort = onAbort
  }

  all(): PendingSend[] {
    return Array.from(this.#groups.values(), ({ sends }) => [...sends]).flat()
  }

  add(send: PendingSend, signal: AbortSignal): void {
    const before = this.#last
    if (before?.signal !== signal) {
      this.#last = this.#groups.get(signal) ?? this.#listen(signal)
      if (before !== null) this.#forgetEmpty(before)
    }
    this.#last!.sends.add(send)
  }

  delete(send: PendingSend, signal: AbortSignal): void {
    const group = this.#groups.get(signal)
    group?.sends.delete(send)
    if (group !== undefined && group !== this.#last) this.#forgetEmpty(group)
  }

  /** Ends the listening. */
  close(): void {
    for (const { signal, onAbort } of this.#groups.values()) signal.removeEventListener('abort', onAbort)
    this.#groups.clear()
    this.#last = null
  }

  #listen(signal: AbortSignal): Group {
    const sends = new ChangingSet<PendingSend>()
    const group = { signal, sends, onAbort: () => this.#onAbort([...sends], signal.reason) }
    signal.addEventListener('abort', group.onAbort, { once: true })
    this.#groups.set(signal, group)
    return group
  }

  #forgetEmpty({ signal, sends, onAbort }: Group): void {
    if (sends.size > 0) return
    signal.removeEventListener('abort', onAbort)
    this.#groups.delete(signal)
  }
}
