import type { DataError } from '@tributary/connect-api'
import type { ProduceFailure, ProduceResult, Sendable } from '../api/types.ts'
import { listsOf, type RecordList } from './record-list.ts'
import type { SendOwner } from './send-owner.ts'

/** The offset of a record that the broker wrote at an earlier try and no longer knows the place of. */
const OFFSET_UNKNOWN = -1n

interface WrittenRange {
  readonly from: number
  readonly to: number
  readonly baseOffset: bigint
}

/**
 * One call of `send`, until the broker has written or refused every record. It is its own result. The answers of the
 * broker are stored as ranges, so nothing is allocated for a single record.
 */
export class PendingSend implements ProduceResult {
  readonly lists: readonly RecordList[]
  readonly owner: SendOwner
  readonly promise: Promise<ProduceResult>
  readonly failures: ProduceFailure[] = []
  /** The sum of `bytesOf` of its records. It counts in `inFlightBytes` of the producer until the send is settled. */
  bytes = 0
  /** True: records that still wait in a queue are no longer sent. */
  settled = false
  readonly #resolve: (result: ProduceResult) => void
  readonly #reject: (reason: unknown) => void
  readonly #onSettled: (send: PendingSend) => void
  readonly #written: WrittenRange[] = []
  #sorted = true
  #outstanding: number

  constructor(records: readonly Sendable[], owner: SendOwner, onSettled: (send: PendingSend) => void) {
    const { promise, resolve, reject } = Promise.withResolvers<ProduceResult>()
    this.lists = listsOf(records)
    this.owner = owner
    this.promise = promise
    this.#resolve = resolve
    this.#reject = reject
    this.#onSettled = onSettled
    const last = this.lists.at(-1)
    this.#outstanding = last === undefined ? 0 : last.base + last.length
  }

  /** Records `from` (inclusive) to `to` (exclusive) are written, at consecutive offsets. */
  keep(from: number, to: number, baseOffset: bigint): void {
    if (this.settled) return
    this.#written.push({ from, to, baseOffset })
    this.#sorted = this.#written.length === 1
    this.#settle(to - from)
  }

  refuse(index: number, error: DataError): void {
    if (this.settled) return
    this.failures.push({ index, error })
    this.#settle(1)
  }

  reject(reason: unknown): void {
    if (this.settled) return
    this.settled = true
    this.#onSettled(this)
    this.#reject(reason)
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
    this.#resolve(this)
  }
}
