import { Gate } from '@tributary/async'
import { errorKind, type MemoryShare } from '@tributary/connect-api'
import type { Batch } from '../records/batch.ts'
import type { SourceTaskConfig } from '../model/source-task-config.ts'
import { type CommittableOffsets, type SubmittedBatch, SubmittedBatches } from './submitted-batches.ts'
import type { TaskProgress } from '../model/task-progress.ts'

export type InFlightBatch = Pick<Batch, 'offsets' | 'recordCount' | 'byteCount'>

const NEVER = new AbortController().signal

export interface InFlightOptions {
  readonly config: Pick<SourceTaskConfig, 'maxInFlightRecords' | 'maxInFlightBytes' | 'exactlyOnce'>
  readonly progress: TaskProgress
  readonly memory: Pick<MemoryShare, 'exceeded'>
  /** Called with an error that is not about a single record. The task cannot go on after such an error. */
  readonly onFailure: (error: unknown) => void
}

/**
 * Holds the batches that are being sent to Kafka, within `max.in.flight.records`, `max.in.flight.bytes` and the memory of the task,
 * and the offsets that may be committed. After a bad record that `errors.tolerance` does not allow, the batches in flight still arrive. Then `check`
 * throws the error of that record.
 */
export class InFlight {
  /** Open while offsets wait to be committed. */
  readonly committable = new Gate(false)
  readonly #options: InFlightOptions
  readonly #submitted = new SubmittedBatches()
  #sends = 0
  /** Open while no batch is in flight. */
  readonly #idle = new Gate(true)
  readonly #room = new Gate(true)
  /** The error of the first bad record that `errors.tolerance` does not allow. */
  #badRecord: unknown = undefined

  constructor(options: InFlightOptions) {
    this.#options = options
  }

  get records(): number {
    return this.#submitted.inFlightRecords
  }

  /** Waits until another batch may be sent. Rejects with the signal's reason, or with the error of a bad record. */
  async room(signal: AbortSignal): Promise<void> {
    await this.#room.passed(signal)
    this.check()
  }

  /** Whether `room` would not wait. */
  get hasRoom(): boolean {
    return this.#room.isOpen && this.#badRecord === undefined
  }

  /** Sends a batch: it is acknowledged when `send` resolves, and has failed when `send` rejects. */
  during(batch: InFlightBatch, send: () => Promise<void>): void {
    const submitted = this.add(batch)
    send().then(
      () => this.acknowledged(submitted),
      (error: unknown) => this.failed(error),
    )
  }

  /**
   * A batch is sent: `acknowledged` or `failed` follows once. Its offsets may be committed once this batch and all batches before it
   * are acknowledged.
   */
  add({ offsets, recordCount, byteCount }: InFlightBatch): SubmittedBatch {
    const submitted = this.#submitted.submit(offsets, recordCount, byteCount)
    this.#applyLimits()
    this.#sends++
    this.#idle.close()
    return submitted
  }

  acknowledged(submitted: SubmittedBatch): void {
    if (this.#submitted.ack(submitted) && this.#submitted.hasCommittable) this.committable.open()
    this.#ended()
  }

  failed(error: unknown): void {
    if (errorKind(error) === 'data') this.#badRecord ??= error
    else this.#options.onFailure(error)
    this.#ended()
  }

  /** Throws the error of the first bad record, if there was one. */
  check(): void {
    if (this.#badRecord !== undefined) throw this.#badRecord
  }

  /** Resolves once no batch is in flight. */
  async settled(): Promise<void> {
    await this.#idle.passed(NEVER)
  }

  takeCommittable(): CommittableOffsets | null {
    this.committable.close()
    return this.#submitted.takeCommittable()
  }

  restore(taken: CommittableOffsets): void {
    this.#submitted.restore(taken)
    this.committable.open()
  }

  #ended(): void {
    this.#applyLimits()
    if (--this.#sends === 0) this.#idle.open()
  }

  #applyLimits(): void {
    const { config, progress, memory } = this.#options
    // While a transaction is open, as much again may wait for the next one.
    const shares = config.exactlyOnce ? 2 : 1
    const { inFlightRecords, inFlightBytes } = this.#submitted
    progress.inFlightRecords = inFlightRecords
    const outOfMemory = inFlightRecords > 0 && memory.exceeded
    const full =
      outOfMemory ||
      inFlightRecords >= shares * config.maxInFlightRecords ||
      inFlightBytes >= shares * config.maxInFlightBytes
    if (full && this.#badRecord === undefined) this.#room.close()
    else this.#room.open()
  }
}
