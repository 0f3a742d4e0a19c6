import { backoffMs } from '@tributary/async'
import {
  type Clock,
  type Converter,
  errorKind,
  type HeaderConverter,
  PackedRecords,
  type Polled,
  recordsOf,
  type SourceRecord,
  type Transformation,
} from '@tributary/connect-api'
import { partitionForKey, type ProducerRecord, type Sendable } from '@tributary/kafka-producer'
import type { ErrorHandler, Stage } from './error-handler.ts'
import { type BatchTerms, PackEncoder } from './pack-encoder.ts'
import { encodeHeaders } from './record-headers.ts'
import { stickyPoint } from './sticky-point.ts'
import { recordRefused, REFUSED } from './topics.ts'

export interface RecordEncoderParts {
  /** Names the source in errors of records that it could not read. */
  readonly taskClass: string
  readonly transformations: readonly Transformation[]
  readonly keyConverter: Converter
  readonly valueConverter: Converter
  readonly headerConverter: HeaderConverter
  readonly errors: Pick<ErrorHandler, 'tolerate'>
  readonly clock: Clock
  readonly retryTimeoutMs: number
  readonly retryDelayMaxMs: number
}

/** Applies the transformations to records, then the converters. Failures go to the error handler. */
export class RecordEncoder {
  readonly packs: PackEncoder
  readonly #parts: RecordEncoderParts
  /** Received UTF-8 text is the encoded value too, since no transformation changes it and the converter adds nothing. */
  readonly #keepsText: boolean

  constructor(parts: RecordEncoderParts) {
    this.#parts = parts
    this.packs = new PackEncoder(parts)
    this.#keepsText = parts.transformations.length === 0 && parts.valueConverter.keepsText === true
  }

  /** Whether there are transformations. */
  get transforms(): boolean {
    return this.#parts.transformations.length > 0
  }

  /** Returns each record as the transformations leave it; null where one filtered it out, or failed and the error was tolerated. */
  async transform(
    records: readonly Polled[],
    signal: AbortSignal,
    deadLetters: ProducerRecord[],
  ): Promise<readonly (Polled | null)[]> {
    const { transformations } = this.#parts
    if (transformations.length === 0) return records
    const out: (SourceRecord | null)[] = []
    // `unpack` leaves no pack where there are transformations.
    for (const [index, record] of (records as readonly SourceRecord[]).entries()) {
      let current: SourceRecord | null = record
      for (const transformation of transformations) {
        // A record that the source could not decode has no value to transform. `convert` hands it to the error handler.
        if (current === null || record.error !== undefined) break
        const input: SourceRecord = current
        const name = transformation.constructor.name
        current = await this.#attempt(
          { record, index, stage: 'TRANSFORMATION', className: name },
          signal,
          deadLetters,
          () => transformation.apply(input),
        )
      }
      out.push(current)
    }
    return out
  }

  /**
   * Encodes the records in order, each with the index of its source record or pack. Records without a key go to one partition per
   * batch, which StickyPoint chooses. Awaits nothing unless a record fails.
   */
  async convert(
    records: readonly (Polled | null)[],
    counts: BatchTerms['counts'],
    traceparent: string | null,
    signal: AbortSignal,
    deadLetters: ProducerRecord[],
  ): Promise<{ encoded: Sendable[]; indexes: number[] }> {
    const encoded: Sendable[] = []
    const indexes: number[] = []
    const terms = this.#terms(counts, traceparent)
    for (let i = 0; i < records.length; i++) {
      const record = records[i]
      if (!record) continue
      if (record instanceof PackedRecords) {
        if (counts.get(record.topic) === REFUSED) {
          await this.#refusePack(record, i, signal, deadLetters)
          continue
        }
        for (const pack of this.packs.encode(record, terms)) {
          encoded.push(pack)
          indexes.push(i)
        }
        continue
      }
      let bytes: ProducerRecord | null
      try {
        bytes = this.#encode(record, terms)
      } catch (failure) {
        if (!(failure instanceof StageFailure)) throw failure
        bytes = await this.#attempt(
          { record, index: i, stage: failure.stage, className: failure.className },
          signal,
          deadLetters,
          () => this.#encode(record, terms),
        )
      }
      if (bytes === null) continue
      encoded.push(bytes)
      indexes.push(i)
    }
    return { encoded, indexes }
  }

  /** As `convert` for records that nothing transforms; null when a record fails. */
  convertNow(
    records: readonly Polled[],
    counts: BatchTerms['counts'],
    traceparent: string | null,
  ): { encoded: readonly Sendable[]; indexes: readonly number[] } | null {
    const terms = this.#terms(counts, traceparent)
    const [first] = records
    if (records.length === 1 && first instanceof PackedRecords && first.count === 1) {
      if (counts.get(first.topic) === REFUSED) return null
      return { encoded: this.packs.encode(first, terms), indexes: ONLY_FIRST }
    }
    const encoded: Sendable[] = []
    const indexes: number[] = []
    for (let i = 0; i < records.length; i++) {
      const record = records[i]!
      if (record instanceof PackedRecords) {
        if (counts.get(record.topic) === REFUSED) return null
        for (const pack of this.packs.encode(record, terms)) {
          encoded.push(pack)
          indexes.push(i)
        }
        continue
      }
      try {
        encoded.push(this.#encode(record, terms))
      } catch (failure) {
        if (!(failure instanceof StageFailure)) throw failure
        return null
      }
      indexes.push(i)
    }
    return { encoded, indexes }
  }

  #terms(counts: BatchTerms['counts'], traceparent: string | null): BatchTerms {
    const now = this.#parts.clock.now()
    return { counts, stickyPoint: stickyPoint.at(now), now, traceparent }
  }

  #tolerate(record: SourceRecord, index: number, { stage, className, cause }: StageFailure): ProducerRecord[] {
    try {
      const deadLetter = this.#parts.errors.tolerate({ record, stage, className, error: cause })
      return deadLetter ? [deadLetter] : []
    } catch (error) {
      throw new BadRecordError(index, error)
    }
  }

  close(): void {
    for (const transformation of this.#parts.transformations) transformation.close?.()
  }

  #encode(record: SourceRecord, { counts, stickyPoint, now, traceparent }: BatchTerms): ProducerRecord {
    const { keyConverter, valueConverter, headerConverter } = this.#parts
    const { topic } = record
    let stage: Stage = 'KEY_CONVERTER'
    let converter: object = keyConverter
    if (record.error !== undefined) {
      throw new StageFailure('TASK_POLL', this.#parts.taskClass, record.error)
    }
    try {
      const key = record.key === null ? null : keyConverter.fromConnectData(topic, record.keySchema ?? null, record.key)
      stage = 'VALUE_CONVERTER'
      converter = valueConverter
      const value =
        this.#keepsText && record.originalIsText === true && record.original !== undefined
          ? record.original
          : valueConverter.fromConnectData(topic, record.valueSchema ?? null, record.value)
      stage = 'HEADER_CONVERTER'
      converter = headerConverter
      const headers = encodeHeaders(headerConverter, topic, record.headers ?? undefined, traceparent)
      const count = counts.get(topic)!
      if (count === REFUSED) throw new StageFailure('KAFKA_PRODUCE', 'KafkaProducer', recordRefused(topic))
      const partition =
        record.partition ?? (key === null ? Math.floor(stickyPoint * count) : partitionForKey(key, count))
      return { topic, partition, key, value, headers, timestamp: record.timestamp ?? now }
    } catch (error) {
      if (error instanceof StageFailure) throw error
      throw new StageFailure(stage, converter.constructor.name, error)
    }
  }

  /** Hands each record of a pack to the error handler. */
  async #refusePack(
    pack: PackedRecords,
    index: number,
    signal: AbortSignal,
    deadLetters: ProducerRecord[],
  ): Promise<void> {
    const at = { index, stage: 'KAFKA_PRODUCE', className: 'KafkaProducer' } as const
    for (const record of recordsOf(pack)) {
      await this.#attempt({ record, ...at }, signal, deadLetters, () => {
        throw recordRefused(pack.topic)
      })
    }
  }

  /** Runs one stage. Retries a retriable error within `errors.retry.timeout`; a data error goes to the error handler. */
  async #attempt<T>(
    at: { record: SourceRecord; index: number; stage: Stage; className: string },
    signal: AbortSignal,
    deadLetters: ProducerRecord[],
    run: () => T,
  ): Promise<T | null> {
    const { clock, retryTimeoutMs, retryDelayMaxMs } = this.#parts
    const startedAt = clock.monotonic()
    for (let attempt = 1; ; attempt++) {
      let failure: StageFailure
      try {
        return run()
      } catch (error) {
        failure = error instanceof StageFailure ? error : new StageFailure(at.stage, at.className, error)
      }
      const kind = errorKind(failure.cause)
      const mayRetry = retryTimeoutMs < 0 || clock.monotonic() - startedAt < retryTimeoutMs
      if (kind === 'retriable' && mayRetry) {
        await clock.sleep(backoffMs(attempt, { baseMs: 300, maxMs: retryDelayMaxMs }), signal)
        continue
      }
      // An outage does not make the record bad. The task fails and restarts by itself.
      if (kind !== 'data') throw new BadRecordError(at.index, failure.cause)
      deadLetters.push(...this.#tolerate(at.record, at.index, failure))
      return null
    }
  }
}

const ONLY_FIRST: readonly number[] = [0]

/** A record that fails the task. The records before it in the batch are good. `index`: its place in the batch, from 0. */
export class BadRecordError extends Error {
  readonly index: number
  constructor(index: number, cause: unknown) {
    super(`record ${index} of the batch is bad`, { cause })
    this.index = index
  }
}

class StageFailure extends Error {
  readonly stage: Stage
  readonly className: string
  constructor(stage: Stage, className: string, cause: unknown) {
    super(`${stage} failed`, { cause })
    this.stage = stage
    this.className = className
  }
}
