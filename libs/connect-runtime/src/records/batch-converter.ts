import type { Clock, Polled, SourcePartition, SourcePlugin } from '@tributary/connect-api'
import type { ProducerRecord } from '@tributary/kafka-producer'
import type { TaskProgress } from '../model/task-progress.ts'
import { type Batch, batchOf, countRecords } from './batch.ts'
import type { BatchMemory } from './batch-memory.ts'
import type { BatchSender } from './batch-sender.ts'
import type { BatchTracing } from './batch-tracing.ts'
import { checkRecords } from './record-contract.ts'
import type { RecordEncoder } from './record-encoder.ts'
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

  constructor(parts: BatchConverterParts, sender: BatchSender, progress: TaskProgress) {
    this.#parts = parts
    this.#sender = sender
    this.#progress = progress
  }

  /** See PackEncoder. */
  unpack(polled: Polled[]): Polled[] {
    return this.#parts.encoder.packs.unpack(polled)
  }

  /** `records` comes from `unpack`; `polled`: see Batch. Bad records become dead letters of the same batch. Throws BadRecordError for the first record that must fail the task. */
  async convert(records: readonly Polled[], polled: Batch['polled'], signal: AbortSignal): Promise<Batch> {
    const { plugin, encoder, topics, tracing, memory, clock } = this.#parts
    const count = countRecords(records)
    const holds = (step: 'conversion' | 'topic'): void => this.#progress.holds(step, count, clock.now())
    const known = topics.counts
    const polledAt = clock.monotonic()
    const deadLetters: ProducerRecord[] = []
    checkRecords(records, { by: `the task of ${plugin.class}`, known, filtered: false })
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
    const batch = batchOf({ records, polled, encoded, indexes, polledAt }, this.removed.splice(0))
    memory.converted(batch)
    return batch
  }
}
