import { backoffMs } from '@tributary/async'
import {
  type Clock,
  type Converter,
  type Header,
  type HeaderConverter,
  type SourceRecord,
  type Transformation,
  errorKind,
} from '@tributary/connect-api'
import { type ProducerRecord, partitionForKey } from '@tributary/kafka-producer'
import type { ErrorHandler, Stage } from './error-handler.ts'

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

/** Number of partitions by topic name, for each topic of the batch. */
export type PartitionCounts = ReadonlyMap<string, number>

/** Applies the transformations to records, then the converters. Failures go to the error handler. */
export class RecordEncoder {
  readonly #parts: RecordEncoderParts
  /** Received UTF-8 text is the encoded value too, since no transformation changes it and the converter adds nothing. */
  readonly #keepsText: boolean

  constructor(parts: RecordEncoderParts) {
    this.#parts = parts
    this.#keepsText = parts.transformations.length === 0 && parts.valueConverter.keepsText === true
  }

  /** Returns each record as the transformations leave it; null where one filtered it out, or failed and the error was tolerated. */
  async transform(
    records: readonly SourceRecord[],
    signal: AbortSignal,
    deadLetters: ProducerRecord[],
  ): Promise<readonly (SourceRecord | null)[]> {
    const { transformations } = this.#parts
    if (transformations.length === 0) return records
    const out: (SourceRecord | null)[] = []
    for (const [index, record] of records.entries()) {
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
   * Encodes the records in order, each with the index of its source record. Records without a key go to one partition per batch,
   * chosen at random (sticky). Awaits nothing unless a record fails.
   */
  async convert(
    records: readonly (SourceRecord | null)[],
    counts: PartitionCounts,
    traceparent: string | null,
    signal: AbortSignal,
    deadLetters: ProducerRecord[],
  ): Promise<{ encoded: ProducerRecord[]; indexes: number[] }> {
    const encoded: ProducerRecord[] = []
    const indexes: number[] = []
    const stickyPoint = Math.random()
    const now = this.#parts.clock.now()
    for (let i = 0; i < records.length; i++) {
      const record = records[i]
      if (!record) continue
      let bytes: ProducerRecord | null
      try {
        bytes = this.#encode(record, counts, stickyPoint, now, traceparent)
      } catch (failure) {
        if (!(failure instanceof StageFailure)) throw failure
        bytes = await this.#attempt(
          { record, index: i, stage: failure.stage, className: failure.className },
          signal,
          deadLetters,
          () => this.#encode(record, counts, stickyPoint, now, traceparent),
        )
      }
      if (bytes === null) continue
      encoded.push(bytes)
      indexes.push(i)
    }
    return { encoded, indexes }
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
    for (const transformation of this.#parts.transformations) transformation.close()
  }

  #encode(
    record: SourceRecord,
    counts: PartitionCounts,
    stickyPoint: number,
    now: number,
    traceparent: string | null,
  ): ProducerRecord {
    const { keyConverter, valueConverter } = this.#parts
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
      converter = this.#parts.headerConverter
      const headers =
        record.headers || traceparent ? this.#headers(topic, record.headers ?? [], traceparent) : undefined
      const count = counts.get(topic)!
      const partition =
        record.partition ?? (key === null ? Math.floor(stickyPoint * count) : partitionForKey(key, count))
      return { topic, partition, key, value, headers, timestamp: record.timestamp ?? now }
    } catch (error) {
      throw new StageFailure(stage, converter.constructor.name, error)
    }
  }

  #headers(
    topic: string,
    headers: readonly Header[],
    traceparent: string | null,
  ): (readonly [string, Uint8Array | null])[] {
    const out: (readonly [string, Uint8Array | null])[] = []
    let traced = false
    for (const { name, schema, value } of headers) {
      if (name === 'traceparent') traced = true
      out.push([name, this.#parts.headerConverter.fromConnectHeader(topic, name, schema ?? null, value)])
    }
    if (traceparent !== null && !traced) out.push(['traceparent', Buffer.from(traceparent)])
    return out
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
