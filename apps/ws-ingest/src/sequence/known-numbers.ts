import type { SourceOffset, SourcePartition } from '@tributary/connect-api'
import { type SequenceNumber, sequenceNumber } from '@tributary/push-source'

export type OffsetOf = (partition: SourcePartition) => SourceOffset | null

const NOTHING: ReadonlyMap<string | null, SequenceNumber> = new Map()

/** Where streams stood when the run before this one ended. */
export class KnownNumbers {
  #offset: OffsetOf
  #told = NOTHING

  /** `offset`: the last committed one of a source partition, looked up by value. */
  constructor(offset: OffsetOf) {
    this.#offset = offset
  }

  /** `told`: last numbers as the former run itself tells them; they are as late as its offsets, or later. */
  renew(offset: OffsetOf, told: ReadonlyMap<string | null, SequenceNumber>): void {
    this.#offset = offset
    this.#told = told
  }

  /** The last number of a stream; null: it is new. */
  lastOf(key: string | null, partition: SourcePartition): SequenceNumber | null {
    return this.#told.get(key) ?? sequenceNumber(this.#offset(partition)?.['stream_sequence'])
  }

  /** Every stream is new from now on. */
  forget(): void {
    this.#offset = () => null
    this.#told = NOTHING
  }
}
