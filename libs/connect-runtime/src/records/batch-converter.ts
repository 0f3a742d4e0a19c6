import type { Clock, Polled, SourcePartition, SourcePlugin } from '@tributary/connect-api'
import type { ProducerRecord } from '@tributary/kafka-producer'
import { type Logger, oncePer } from '@tributary/telemetry'
import type { TaskProgress } from '../model/task-progress.ts'
import { type Batch, batchOf, type BatchParts, countRecords } from './batch.ts'
import type { BatchMemory } from './batch-memory.ts'
import type { BatchSender } from './batch-sender.ts'
import type { BatchTracing } from './batch-tracing.ts'
import { traced } from './dead-letter-record.ts'
import type { OnWait } from './converter-wait.ts'
import { checkRecords } from './record-contract.ts'
import type { RecordEncoder, Transformed } from './record-encoder.ts'
import { stickyPoint } from './sticky-point.ts'
import type { Topics } from './topics.ts'

export interface BatchConverterParts {
  readonly plugin: Pick<SourcePlugin, 'class'>
  readonly encoder: RecordEncoder
  readonly topics: Topics
  readonly tracing: BatchTracing
  readonly memory: BatchMemory
  readonly clock: Clock
  readonly log: Logger
}

/** Shortest time in ms between two log lines about what a converter waits for. */
const WAIT_LOG_MS = 10_000

/** Makes the batch of polled records: applies the transformations, finds the topics, then applies the converters. */
export class BatchConverter {
  /** Source partitions that the task has ended. The next batch removes their offsets. */
  readonly removed: SourcePartition[] = []
  /** Called when an outage begins that a converter waits out, which may be long. */
  readonly outages = new Set<() => void>()
  readonly #parts: BatchConverterParts
  readonly #sender: BatchSender
  readonly #progress: TaskProgress
  readonly #waitLine = oncePer(WAIT_LOG_MS)
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
    const counts = topics.counts
    const polledAt = clock.monotonic()
    const deadLetters: ProducerRecord[] = []
    checkRecords(records, { by: this.#by, known: counts, filtered: false })
    holds('conversion')
    const { records: transformed, filtered } = await encoder.transform(records, signal, deadLetters)
    this.#checkTransformed(transformed, records)
    holds('topic')
    await topics.ensure(transformed, signal)
    holds('conversion')
    const traceparent = tracing.batchStarted(count)
    const conversion = { records: transformed, sources: records, counts, traceparent }
    let isAway = false
    const onWait: OnWait = (what, error) => {
      this.#waits(what, error, count)
      if (error !== null && !isAway) for (const told of this.outages) told()
      isAway ||= error !== null
    }
    const { encoded, indexes } = await encoder.convert(conversion, signal, deadLetters, onWait)
    if (deadLetters.length > 0) holds('topic')
    for (const deadLetter of deadLetters) {
      encoded.push(await this.#sender.withPartition(traced(deadLetter, traceparent), signal))
    }
    return this.#batch({ records, polled, filtered, encoded, indexes, polledAt })
  }

  /**
   * As `unpack` and `convert` for what one poll would have returned, where no step waits, and no record is bad. Else returns null and
   * leaves no trace.
   */
  convertNow(polled: Polled[]): Batch | null {
    const { encoder, topics, tracing, clock } = this.#parts
    const counts = topics.counts
    const polledAt = clock.monotonic()
    let records: Polled[]
    let transformed: Transformed | null
    try {
      checkRecords(polled, { by: this.#by, known: counts, filtered: false })
      records = this.unpack(polled)
      transformed = encoder.transformNow(records)
      if (transformed === null) return null
      this.#checkTransformed(transformed.records, records)
    } catch {
      return null
    }
    if (!topics.know(transformed.records)) return null
    const traceparent = tracing.batchStarted(countRecords(records))
    const converted = encoder.convertNow({ records: transformed.records, sources: records, counts, traceparent })
    if (converted === null) {
      tracing.batchDropped()
      return null
    }
    return this.#batch({ records, polled, filtered: transformed.filtered, ...converted, polledAt })
  }

  #checkTransformed(transformed: readonly (Polled | null)[], records: readonly Polled[]): void {
    if (transformed === records) return
    checkRecords(transformed, {
      by: 'a transformation of the connector',
      known: this.#parts.topics.counts,
      filtered: true,
    })
  }

  /** The pause, the stop and the hand-over of the run go on meanwhile: the wait ends when the run is abandoned. */
  #waits(what: string, error: unknown, count: number): void {
    const { log, clock } = this.#parts
    this.#progress.waits(what, error, count, clock.now())
    if (error === null) return
    const suppressed = this.#waitLine()
    // Guides to Kafka Connect search for the words of the error.
    if (suppressed !== null) log.error('converter_waits', { for: what, records: count, suppressed, error })
  }

  #batch(parts: BatchParts): Batch {
    const batch = batchOf(parts, this.removed)
    if (this.removed.length > 0) this.removed.length = 0
    stickyPoint.used(batch.byteCount)
    this.#parts.memory.converted(batch)
    return batch
  }
}
