import { Gate } from '@tributary/async'
import { errorKind } from '@tributary/connect-api'
import type { Batch } from '../records/batch.ts'
import type { SourceTaskConfig } from '../model/source-task-config.ts'
import { type CommittableOffsets, SubmittedBatches } from './submitted-batches.ts'
import type { TaskProgress } from '../model/task-progress.ts'

export interface InFlightOptions {
  readonly config: Pick<SourceTaskConfig, 'maxInFlightRecords' | 'maxInFlightBytes'>
  readonly progress: TaskProgress
  /** What is no bad record: the task cannot go on. */
  readonly onFailure: (error: unknown) => void
}

/**
 * The batches on their way to Kafka: bounded in records and bytes, and the source of the offsets that may be committed.
 * A record that may not be bad lets what is under way arrive; `check` throws it afterwards.
 */
export class InFlight {
  /** Open while something waits to be committed. */
  readonly committable = new Gate(false)
  readonly #options: InFlightOptions
  readonly #submitted = new SubmittedBatches()
  readonly #sends = new Set<Promise<void>>()
  readonly #room = new Gate(true)
  #refused: unknown = undefined

  constructor(options: InFlightOptions) {
    this.#options = options
  }

  get records(): number {
    return this.#submitted.inFlightRecords
  }

  /** Waits until another batch may be sent. Rejects with the signal's reason, or with the bad record. */
  async room(signal: AbortSignal): Promise<void> {
    await this.#room.passed(signal)
    this.check()
  }

  /** Sends a batch; once it is settled its offsets may be committed, as soon as all before it are settled too. */
  add(batch: Batch, send: () => Promise<void>): void {
    const submitted = this.#submitted.submit(batch.offsets, batch.records.length, batch.byteCount)
    this.#budget()
    const sent = send()
      .then(() => {
        if (this.#submitted.ack(submitted)) this.committable.open()
      })
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#sends.delete(sent)
        this.#budget()
      })
    this.#sends.add(sent)
  }

  /** Throws the bad record, if there was one. */
  check(): void {
    if (this.#refused !== undefined) throw this.#refused
  }

  /** Resolves once nothing is under way any more. */
  async settled(): Promise<void> {
    while (this.#sends.size > 0) await Promise.all(this.#sends)
  }

  takeCommittable(): CommittableOffsets | null {
    this.committable.close()
    return this.#submitted.takeCommittable()
  }

  restore(taken: CommittableOffsets): void {
    this.#submitted.restore(taken)
    this.committable.open()
  }

  #failed(error: unknown): void {
    if (errorKind(error) === 'data') this.#refused ??= error
    else this.#options.onFailure(error)
  }

  #budget(): void {
    const { config, progress } = this.#options
    const { inFlightRecords, inFlightBytes } = this.#submitted
    progress.inFlightRecords = inFlightRecords
    const full = inFlightRecords >= config.maxInFlightRecords || inFlightBytes >= config.maxInFlightBytes
    if (full && this.#refused === undefined) this.#room.close()
    else this.#room.open()
  }
}
