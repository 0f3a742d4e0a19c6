import type { RecordRefusedError } from '../api/errors.ts'
import type { ProduceFailure, ProduceResult, ProducerRecord } from '../api/types.ts'

/** Offset of a record that the broker kept at an earlier try but whose place it no longer knows. */
const OFFSET_UNKNOWN = -1n

interface KeptRange {
  readonly from: number
  readonly to: number
  readonly baseOffset: bigint
}

/**
 * One call of `send` until every record of it is kept or refused. It is its own result: what the broker answers is
 * stored as ranges, so that nothing is allocated per record.
 */
export class PendingSend implements ProduceResult {
  readonly records: readonly ProducerRecord[]
  readonly promise: Promise<ProduceResult>
  readonly failures: ProduceFailure[] = []
  /** Sum of `recordBytes`; counted in the producer's `inFlightBytes` while unsettled. */
  bytes = 0
  /** Settled: what still waits in a queue is not sent any more. */
  settled = false
  readonly #resolve: (result: ProduceResult) => void
  readonly #reject: (reason: unknown) => void
  readonly #onSettled: (send: PendingSend) => void
  readonly #kept: KeptRange[] = []
  #sorted = true
  #outstanding: number

  constructor(records: readonly ProducerRecord[], onSettled: (send: PendingSend) => void) {
    const { promise, resolve, reject } = Promise.withResolvers<ProduceResult>()
    this.records = records
    this.promise = promise
    this.#resolve = resolve
    this.#reject = reject
    this.#onSettled = onSettled
    this.#outstanding = records.length
  }

  /** Records `from` (inclusive) to `to` (exclusive) are kept, at consecutive offsets. */
  keep(from: number, to: number, baseOffset: bigint): void {
    if (this.settled) return
    this.#kept.push({ from, to, baseOffset })
    this.#sorted = this.#kept.length === 1
    this.#settle(to - from)
  }

  refuse(index: number, error: RecordRefusedError): void {
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
      this.#kept.sort((a, b) => a.from - b.from)
      this.#sorted = true
    }
    let low = 0
    let high = this.#kept.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const range = this.#kept[middle]!
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
