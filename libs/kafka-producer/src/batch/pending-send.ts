import type { DataError } from '@tributary/connect-api'
import type { ProduceFailure, ProduceResult, Sendable, SendListener } from '../api/types.ts'
import { listsOf, type RecordList } from './record-list.ts'
import type { SendOwner } from './send-owner.ts'

/** The offset of a record that the broker wrote at an earlier try and no longer knows the place of. */
const OFFSET_UNKNOWN = -1n

const NO_FAILURES: readonly ProduceFailure[] = []

interface WrittenRange {
  readonly from: number
  readonly to: number
  readonly baseOffset: bigint
}

const NONE_WRITTEN: WrittenRange[] = []

/**
 * One call of `send`, until the broker has written or refused every record. It is its own result. The answers of the
 * broker are stored as ranges, so nothing is allocated for a single record.
 */
export class PendingSend implements ProduceResult {
  readonly lists: readonly RecordList[]
  readonly owner: SendOwner
  /** Ends the send when it aborts. */
  readonly signal: AbortSignal
  #failures: ProduceFailure[] | null = null
  /** The sum of `bytesOf` of its records. It counts in `inFlightBytes` of the producer until the send is settled. */
  bytes = 0
  /** True: records that still wait in a queue are no longer sent. */
  settled = false
  readonly #listener: SendListener
  readonly #onSettled: (send: PendingSend) => void
  #written = NONE_WRITTEN
  #sorted = true
  #outstanding: number

  /** `onSettled` is called before the listener. */
  constructor(
    records: readonly Sendable[],
    owner: SendOwner,
    signal: AbortSignal,
    listener: SendListener,
    onSettled: (send: PendingSend) => void,
  ) {
    this.lists = listsOf(records)
    this.owner = owner
    this.signal = signal
    this.#listener = listener
    this.#onSettled = onSettled
    const last = this.lists.at(-1)
    this.#outstanding = last === undefined ? 0 : last.base + last.length
  }

  get failures(): readonly ProduceFailure[] {
    return this.#failures ?? NO_FAILURES
  }

  /** Records `from` (inclusive) to `to` (exclusive) are written, at consecutive offsets. */
  keep(from: number, to: number, baseOffset: bigint): void {
    if (this.settled) return
    if (this.#written.length === 0) this.#written = [{ from, to, baseOffset }]
    else this.#written.push({ from, to, baseOffset })
    this.#sorted = this.#written.length === 1
    this.#settle(to - from)
  }

  refuse(index: number, error: DataError): void {
    if (this.settled) return
    this.#failures ??= []
    this.#failures.push({ index, error })
    this.#settle(1)
  }

  reject(reason: unknown): void {
    if (this.settled) return
    this.settled = true
    this.#onSettled(this)
    this.#listener.notSent(reason)
  }

  offset(index: number): bigint | null {
    if (!this.#sorted) {
      this.#written.sort((a, b) => a.from - b.from)
      this.#sorted = true
    }
    let low = 0
    let high = this.#written.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const range = this.#written[middle]!
      if (index < range.from) high = middle - 1
      else if (index >= range.to) low = middle + 1
      else return range.baseOffset < 0n ? OFFSET_UNKNOWN : range.baseOffset + BigInt(index - range.from)
    }
    return null
  }

  #settle(count: number): void {
    this.#outstanding -= count
    if (this.#outstanding > 0) return
    this.settled = true
    this.#onSettled(this)
    this.#listener.sent(this)
  }
}
