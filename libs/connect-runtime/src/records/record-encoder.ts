import { setImmediate as nextTurn } from 'node:timers/promises'
import { backoffMs } from '@tributary/async'
import {
  type Clock,
  type Converter,
  errorKind,
  type HeaderConverter,
  NotReadyError,
  PackedRecords,
  type Polled,
  recordsOf,
  type SourceRecord,
} from '@tributary/connect-api'
import { partitionForKey, type ProducerRecord, type Sendable } from '@tributary/kafka-producer'
import { closeChain } from '@tributary/transforms'
import { ConverterWait, type OnWait } from './converter-wait.ts'
import type { ErrorHandler } from './error-handler.ts'
import type { FailedRecord, Stage } from './failed-record.ts'
import { type BatchTerms, PackEncoder } from './pack-encoder.ts'
import { encodeHeaders } from './record-headers.ts'
import { BadRecordError, StageFailure } from './stage-failure.ts'
import { stickyPoint } from './sticky-point.ts'
import { recordRefused, REFUSED } from './topics.ts'
import { LOOKS, type NamedTransformation, TransformFailure, transformRecord } from './transform-records.ts'

export interface RecordEncoderParts {
  /** Names the source in errors of records that it could not read. */
  readonly taskClass: string
  readonly transformations: readonly NamedTransformation[]
  readonly keyConverter: Converter
  readonly valueConverter: Converter
  readonly headerConverter: HeaderConverter
  readonly errors: Pick<ErrorHandler, 'tolerate'>
  readonly clock: Clock
  readonly retryTimeoutMs: number
  readonly retryDelayMaxMs: number
}

/** ms for which the transforms of a batch hold the event loop without a break. */
const HOLD_MS = 20

/** The records of a batch as the transforms leave them. */
export interface Transformed {
  /** In their order; null where a transform filtered the record out, or failed and the error was tolerated. */
  readonly records: readonly (Polled | null)[]
  /** How many were filtered out. */
  readonly filtered: number
}

/** What the conversion of a batch needs. */
export interface Conversion {
  /** The records after the transforms. */
  readonly records: Transformed['records']
  /** The same as the source returned them. Dead letters hold these. */
  readonly sources: readonly Polled[]
  readonly counts: BatchTerms['counts']
  readonly traceparent: string | null
}

/** What handling a failed record needs. */
interface Handling {
  readonly signal: AbortSignal
  readonly deadLetters: ProducerRecord[]
  readonly onWait: OnWait
}

/** Encoded records, each with the index of its source record or pack. */
interface Encoded {
  readonly encoded: readonly Sendable[]
  readonly indexes: readonly number[]
}

/** Applies the transforms to records, then the converters. Failures go to the error handler. */
export class RecordEncoder {
  readonly packs: PackEncoder
  readonly #parts: RecordEncoderParts
  /** Received UTF-8 text is the encoded value too, if no transform has changed it, since the converter adds nothing. */
  readonly #keepsText: boolean

  constructor(parts: RecordEncoderParts) {
    this.#parts = parts
    this.packs = new PackEncoder(parts)
    this.#keepsText = parts.valueConverter.keepsText === true
  }

  /** The same transforms and converters, whose failures go to another handler. */
  withErrors(errors: RecordEncoderParts['errors']): RecordEncoder {
    return new RecordEncoder({ ...this.#parts, errors })
  }

  /** Whether there are transforms. */
  get transforms(): boolean {
    return this.#parts.transformations.length > 0
  }

  /**
   * Applies the transforms to each record. Awaits nothing unless a record fails, or the transforms have held the event loop for
   * HOLD_MS: what an expression takes at most is little for one record, and much for a batch.
   */
  async transform(
    records: readonly Polled[],
    signal: AbortSignal,
    deadLetters: ProducerRecord[],
  ): Promise<Transformed> {
    const { transformations, clock } = this.#parts
    if (transformations.length === 0) return { records, filtered: 0 }
    const out: (Polled | null)[] = []
    let filtered = 0
    let until = clock.monotonic() + HOLD_MS
    for (let i = 0; i < records.length; i++) {
      if (i % LOOKS === LOOKS - 1 && clock.monotonic() > until) {
        await nextTurn()
        signal.throwIfAborted()
        until = clock.monotonic() + HOLD_MS
      }
      const record = records[i]!
      // `unpack` has transformed it.
      if (record instanceof PackedRecords) {
        out.push(record)
        continue
      }
      let transformed: SourceRecord | null | typeof TOLERATED
      try {
        transformed = transformRecord(transformations, record, 0)
      } catch (failure) {
        if (!(failure instanceof TransformFailure)) throw failure
        transformed = await this.#transformAgain(record, i, failure, { signal, deadLetters, onWait: noWait })
      }
      if (transformed === null) filtered++
      out.push(transformed === TOLERATED ? null : transformed)
    }
    return { records: out, filtered }
  }

  /** As `transform`; null when a record fails, or the event loop is held. */
  transformNow(records: readonly Polled[]): Transformed | null {
    const { transformations, clock } = this.#parts
    if (transformations.length === 0) return { records, filtered: 0 }
    const out: (Polled | null)[] = []
    let filtered = 0
    const until = clock.monotonic() + HOLD_MS
    for (let i = 0; i < records.length; i++) {
      if (i % LOOKS === LOOKS - 1 && clock.monotonic() > until) return null
      try {
        const record = records[i]!
        const transformed = record instanceof PackedRecords ? record : transformRecord(transformations, record, 0)
        if (transformed === null) filtered++
        out.push(transformed)
      } catch (failure) {
        if (!(failure instanceof TransformFailure)) throw failure
        return null
      }
    }
    return { records: out, filtered }
  }

  /**
   * Encodes the records in order. Records without a key go to one partition per batch, which StickyPoint chooses. Awaits nothing
   * unless a record fails, or a converter must wait.
   */
  async convert(
    { records, sources, counts, traceparent }: Conversion,
    signal: AbortSignal,
    deadLetters: ProducerRecord[],
    onWait: OnWait = noWait,
  ): Promise<{ encoded: Sendable[]; indexes: number[] }> {
    const encoded: Sendable[] = []
    const indexes: number[] = []
    const terms = this.#terms(counts, traceparent)
    const handling = { signal, deadLetters, onWait }
    for (let i = 0; i < records.length; i++) {
      const record = records[i]
      if (!record) continue
      if (record instanceof PackedRecords) {
        if (counts.get(record.topic) === REFUSED) {
          await this.#refusePack(record, i, handling)
          continue
        }
        for (const pack of this.packs.encode(record, terms)) {
          encoded.push(pack)
          indexes.push(i)
        }
        continue
      }
      const source = sources[i] as SourceRecord
      let bytes: ProducerRecord | typeof TOLERATED
      try {
        bytes = this.#encode(record, source, terms)
      } catch (failure) {
        if (!(failure instanceof StageFailure)) throw failure
        bytes = await this.#retry(source, i, failure, handling, () => this.#encode(record, source, terms))
      }
      if (bytes === TOLERATED) continue
      encoded.push(bytes)
      indexes.push(i)
    }
    return { encoded, indexes }
  }

  /** As `convert`; null when a record fails, or a converter must wait. */
  convertNow({ records, sources, counts, traceparent }: Conversion): Encoded | null {
    const terms = this.#terms(counts, traceparent)
    const [first] = records
    if (records.length === 1 && first instanceof PackedRecords && first.count === 1) {
      if (counts.get(first.topic) === REFUSED) return null
      return { encoded: this.packs.encode(first, terms), indexes: ONLY_FIRST }
    }
    const encoded: Sendable[] = []
    const indexes: number[] = []
    for (let i = 0; i < records.length; i++) {
      const record = records[i]
      if (!record) continue
      if (record instanceof PackedRecords) {
        if (counts.get(record.topic) === REFUSED) return null
        for (const pack of this.packs.encode(record, terms)) {
          encoded.push(pack)
          indexes.push(i)
        }
        continue
      }
      try {
        encoded.push(this.#encode(record, sources[i] as SourceRecord, terms))
      } catch (failure) {
        if (!(failure instanceof StageFailure)) throw failure
        return null
      }
      indexes.push(i)
    }
    return { encoded, indexes }
  }

  close(): void {
    const [failure] = closeChain(this.#parts.transformations)
    if (failure !== undefined) throw failure
  }

  #terms(counts: BatchTerms['counts'], traceparent: string | null): BatchTerms {
    const now = this.#parts.clock.now()
    return { counts, stickyPoint: stickyPoint.at(now), now, traceparent }
  }

  #encode(
    record: SourceRecord,
    source: SourceRecord,
    { counts, stickyPoint, now, traceparent }: BatchTerms,
  ): ProducerRecord {
    const { keyConverter, valueConverter, headerConverter } = this.#parts
    const { topic } = record
    let stage: Stage = 'KEY_CONVERTER'
    let converter: object = keyConverter
    if (record.error !== undefined) {
      throw new StageFailure('TASK_POLL', this.#parts.taskClass, record.error)
    }
    try {
      const key =
        record.key === null && !record.keySchema
          ? null
          : keyConverter.fromConnectData(topic, record.keySchema ?? null, record.key)
      stage = 'VALUE_CONVERTER'
      converter = valueConverter
      // What a transform returned may have the members `original` and `originalIsText` of another value.
      const isOriginal = this.#keepsText && source.originalIsText === true && record.value === source.value
      const value =
        isOriginal && source.original !== undefined
          ? source.original
          : valueConverter.fromConnectData(topic, record.valueSchema ?? null, record.value, record)
      const added = valueConverter.headersOf?.(record)
      stage = 'HEADER_CONVERTER'
      converter = headerConverter
      const headers = encodeHeaders(headerConverter, topic, record.headers ?? undefined, traceparent, added)
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
  async #refusePack(pack: PackedRecords, index: number, handling: Handling): Promise<void> {
    const refusal = new StageFailure('KAFKA_PRODUCE', 'KafkaProducer', recordRefused(pack.topic))
    for (const record of recordsOf(pack)) {
      await this.#retry(record, index, refusal, handling, () => {
        throw refusal
      })
    }
  }

  /** Goes on at the transform that failed, since those before it may have effects. */
  #transformAgain(
    record: SourceRecord,
    index: number,
    first: TransformFailure,
    handling: Handling,
  ): Promise<SourceRecord | null | typeof TOLERATED> {
    let last = first
    return this.#retry(record, index, first, handling, () => {
      try {
        return transformRecord(this.#parts.transformations, last.input, last.at)
      } catch (failure) {
        if (failure instanceof TransformFailure) last = failure
        throw failure
      }
    })
  }

  /**
   * Runs a failed stage again where that may help: after a retriable error within `errors.retry.timeout`, and once a converter that
   * waits is ready, however long that takes. A data error goes to the error handler, with the record as the source made it.
   */
  async #retry<T>(
    source: SourceRecord,
    index: number,
    first: StageFailure,
    { signal, deadLetters, onWait }: Handling,
    run: () => T,
  ): Promise<T | typeof TOLERATED> {
    const { clock, retryTimeoutMs, retryDelayMaxMs } = this.#parts
    const startedAt = clock.monotonic()
    const wait = new ConverterWait(clock, signal, onWait)
    let failure = first
    for (let attempt = 0; ;) {
      let { cause } = failure
      if (cause instanceof NotReadyError) cause = await failureOf(wait.until(cause), signal)
      if (cause !== null) {
        const kind = errorKind(cause)
        const leftMs = retryTimeoutMs < 0 ? Infinity : startedAt + retryTimeoutMs - clock.monotonic()
        if (kind === 'retriable' && leftMs > 0) {
          // The last try comes when the time is up, as Kafka Connect's does.
          await clock.sleep(Math.min(leftMs, backoffMs(++attempt, { baseMs: 300, maxMs: retryDelayMaxMs })), signal)
        } else {
          // An outage does not make the record bad. The task fails and restarts by itself.
          if (kind !== 'data') throw new BadRecordError(index, cause)
          deadLetters.push(...this.#tolerate(source, index, failure, { error: cause, retries: attempt }))
          return TOLERATED
        }
      }
      try {
        return run()
      } catch (error) {
        if (!(error instanceof StageFailure)) throw error
        failure = error
      }
    }
  }

  #tolerate(
    record: SourceRecord,
    index: number,
    { stage, className }: StageFailure,
    why: Pick<FailedRecord, 'error' | 'retries'>,
  ): ProducerRecord[] {
    try {
      const deadLetter = this.#parts.errors.tolerate({ record, stage, className, ...why })
      return deadLetter ? [deadLetter] : []
    } catch (refusal) {
      throw new BadRecordError(index, refusal)
    }
  }
}

/** A record that failed, and whose error was tolerated. */
const TOLERATED: unique symbol = Symbol('TOLERATED')
const ONLY_FIRST: readonly number[] = [0]
const noWait: OnWait = () => {}

/** What the promise rejected with; null if it resolved. Throws the reason of the signal. */
async function failureOf(waiting: Promise<void>, signal: AbortSignal): Promise<unknown> {
  try {
    await waiting
    return null
  } catch (error) {
    signal.throwIfAborted()
    return error
  }
}
