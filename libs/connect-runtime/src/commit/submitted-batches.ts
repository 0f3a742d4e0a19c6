import type { SourceOffset, SourcePartition } from '@tributary/connect-api'

/** A polled batch in flight. The broker acknowledges each of its records, or the error handler takes the record. */
export interface SubmittedBatch {
  /** The last offset of each source partition in the batch; null removes it. Partition objects are compared by identity. */
  readonly offsets: ReadonlyMap<SourcePartition, SourceOffset | null>
  readonly recordCount: number
  readonly byteCount: number
  acked: boolean
}

export interface CommittableOffsets {
  readonly offsets: ReadonlyMap<SourcePartition, SourceOffset | null>
  readonly recordCount: number
}

/**
 * Finds the offsets that may be committed: those of the longest prefix of batches, in the order of submission, in which every
 * batch is acknowledged. An offset never passes an unacknowledged record, whatever order the acknowledgements come in.
 */
export class SubmittedBatches {
  #queue: SubmittedBatch[] = []
  #head = 0
  #offsets = new Map<SourcePartition, SourceOffset | null>()
  #committableRecords = 0
  #records = 0
  #bytes = 0

  /** Records and bytes submitted and not acknowledged yet. */
  get inFlightRecords(): number {
    return this.#records
  }
  get inFlightBytes(): number {
    return this.#bytes
  }
  /** Batches that are not part of the acknowledged prefix yet. */
  get pendingBatches(): number {
    return this.#queue.length - this.#head
  }
  get hasCommittable(): boolean {
    return this.#offsets.size > 0
  }

  submit(
    offsets: ReadonlyMap<SourcePartition, SourceOffset | null>,
    recordCount: number,
    byteCount: number,
  ): SubmittedBatch {
    const batch = { offsets, recordCount, byteCount, acked: false }
    this.#queue.push(batch)
    this.#records += recordCount
    this.#bytes += byteCount
    return batch
  }

  /** Marks a batch as acknowledged; true when the committable prefix has grown. */
  ack(batch: SubmittedBatch): boolean {
    if (batch.acked) return false
    batch.acked = true
    this.#records -= batch.recordCount
    this.#bytes -= batch.byteCount
    const before = this.#head
    for (let next = this.#queue[this.#head]; next?.acked; next = this.#queue[this.#head]) {
      for (const [partition, offset] of next.offsets) this.#offsets.set(partition, offset)
      this.#committableRecords += next.recordCount
      this.#head++
    }
    const grown = this.#head > before
    this.#compact()
    return grown
  }

  /**
   * Acknowledged batches must not stay: they would get into the old generation, which only a full collection cleans. Popping keeps the
   * memory of the array, as the queue of a quiet stream is empty after each batch.
   */
  #compact(): void {
    if (this.#head === this.#queue.length) for (; this.#head > 0; this.#head--) this.#queue.pop()
    if (this.#head * 2 < this.#queue.length || this.#head === 0) return
    this.#queue = this.#queue.slice(this.#head)
    this.#head = 0
  }

  /** Takes the committable offsets; null when the acknowledged prefix has not grown since the last call. */
  takeCommittable(): CommittableOffsets | null {
    if (this.#offsets.size === 0) return null
    const taken = { offsets: this.#offsets, recordCount: this.#committableRecords }
    this.#offsets = new Map()
    this.#committableRecords = 0
    return taken
  }

  /** Gives back offsets that could not be written. Offsets that became committable since then win over them. */
  restore(taken: CommittableOffsets): void {
    const newer = this.#offsets
    this.#offsets = new Map(taken.offsets)
    for (const [partition, offset] of newer) this.#offsets.set(partition, offset)
    this.#committableRecords += taken.recordCount
  }
}
