import type { Clock, Polled, SourcePartition, SourcePlugin } from '@tributary/connect-api'
import type { ProducerRecord } from '@tributary/kafka-producer'
import type { TaskProgress } from '../model/task-progress.ts'
import { type Batch, batchOf, countRecords } from './batch.ts'
import type { BatchMemory } from './batch-memory.ts'
import type { BatchSender } from './batch-sender.ts'
import type { BatchTracing } from './batch-tracing.ts'
import { checkRecords } from './record-contract.ts'
import type { RecordEncoder } from './record-encoder.ts'
import { stickyPoint } from './sticky-point.ts'
import type { Topics } from './topics.ts'

export interface BatchConverterParts {
  readonly plugin: Pick<SourcePlugin, 'class'>
  readonly encoder: RecordEncoder
  readonly topics: Topics
  readonly tracing: BatchTracing
  readonly memory: BatchMemory
  readonly clock: Clock
}

/** Makes the batch of polled records: applies the transformations, finds the topics, then applies the converters. */
export class BatchConverter {
  /** Source partitions that the task has ended. The next batch removes their offsets. */
  readonly removed: SourcePartition[] = []
  readonly #parts: BatchConverterParts
  readonly #sender: BatchSender
  readonly #progress: TaskProgress
  /** Names the plugin in errors. */
  readonly #by: string

  constructor(parts: BatchConverterParts, sender: BatchSender, progress: TaskProgress) {
    this.#parts = parts
    this.#sender = sender
    this.#progress = progress
    this.#by = `the task of ${parts.plugin.class}`
  }

  /** See PackEncoder. */
  unpack(polled: Polled[]): Polled[] {
    return this.#parts.encoder.packs.unpack(polled)
  }

  /** `records` comes from `unpack`; `polled`: see Batch. Bad records become dead letters of the same batch. Throws BadRecordError for the first record that must fail the task. */
  async convert(records: readonly Polled[], polled: Batch['polled'], signal: AbortSignal): Promise<Batch> {
    const { encoder, topics, tracing, clock } = this.#parts
    const count = countRecords(records)
    const holds = (step: 'conversion' | 'topic'): void => this.#progress.holds(step, count, clock.now())
    const known = topics.counts
    const polledAt = clock.monotonic()
    const deadLetters: ProducerRecord[] = []
    checkRecords(records, { by: this.#by, known, filtered: false })
    holds('conversion')
    const transformed = await encoder.transform(records, signal, deadLetters)
    if (transformed !== records) {
      checkRecords(transformed, { by: 'a transformation of the connector', known, filtered: true })
    }
    holds('topic')
    await topics.ensure(transformed, signal)
    holds('conversion')
    const traceparent = tracing.batchStarted(count)
    const { encoded, indexes } = await encoder.convert(transformed, known, traceparent, signal, deadLetters)
    if (deadLetters.length > 0) holds('topic')
    for (const deadLetter of deadLetters) encoded.push(await this.#sender.withPartition(deadLetter, signal))
    return this.#batch({ records, polled, encoded, indexes, polledAt })
  }

  /**
   * As `unpack` and `convert` for what one poll would have returned, where no step waits, and no record is bad. Else returns null and
   * leaves no trace.
   */
  convertNow(polled: Polled[]): Batch | null {
    const { encoder, topics, tracing, clock } = this.#parts
    if (encoder.transforms) return null
    const polledAt = clock.monotonic()
    try {
      checkRecords(polled, { by: this.#by, known: topics.counts, filtered: false })
    } catch {
      return null
    }
    const records = this.unpack(polled)
    if (!topics.know(records)) return null
    const traceparent = tracing.batchStarted(countRecords(records))
    const converted = encoder.convertNow(records, topics.counts, traceparent)
    if (converted === null) {
      tracing.batchDropped()
      return null
    }
    return this.#batch({ records, polled, encoded: converted.encoded, indexes: converted.indexes, polledAt })
  }

  #batch(parts: Pick<Batch, 'records' | 'polled' | 'encoded' | 'indexes' | 'polledAt'>): Batch {
    const batch = batchOf(parts, this.removed)
    if (this.removed.length > 0) this.removed.length = 0
    stickyPoint.used(batch.byteCount)
    this.#parts.memory.converted(batch)
    return batch
  }
}
