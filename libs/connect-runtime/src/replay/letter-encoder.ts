import { isUtf8 } from 'node:buffer'
import { abortable } from '@tributary/async'
import {
  type DeadLetter,
  errorKind,
  REPLAY_HEADER,
  type ReplayOutcome,
  type SourcePlugin,
  type SourceRecord,
  type SourceTask,
} from '@tributary/connect-api'
import type { ProducerRecord } from '@tributary/kafka-producer'
import { runtimeErrors } from '../errors.ts'
import type { FailedRecord } from '../records/failed-record.ts'
import { checkRecords } from '../records/record-contract.ts'
import type { RecordEncoder } from '../records/record-encoder.ts'
import { BadRecordError } from '../records/stage-failure.ts'
import type { Topics } from '../records/topics.ts'
import type { Edits } from './edits.ts'
import { REPLAY_TIMESTAMP_HEADER } from './later-records.ts'
import { failed, later } from './outcomes.ts'

export interface LetterEncoderParts {
  readonly plugin: Pick<SourcePlugin, 'class'>
  readonly task: Pick<SourceTask, 'redeliver'>
  readonly encoder: RecordEncoder
  readonly topics: Topics
  readonly edits: Edits
  readonly replay: string
  /** In place of the topic that the record would get; null: none. */
  readonly targetTopic: string | null
}

/** A record that is ready for Kafka. `marginMs`, `failedAt`: see Candidate. */
export interface EncodedLetter {
  readonly record: ProducerRecord
  /** Whether the record says its partition itself. */
  readonly placed: boolean
  readonly marginMs: number
  readonly failedAt: number | null
}

/** ms between the moments in which records of one batch may get their times, where the source gives them none. */
const MARGIN_MS = 100

/** Makes the records of dead letters anew: the source's record with its changes, the transforms, the topic, the converters. */
export class LetterEncoder {
  readonly #parts: LetterEncoderParts
  readonly #encoder: RecordEncoder
  #failed: FailedRecord | null = null
  /** What the present record waits for, in a sentence; null: nothing. */
  #waitsFor: string | null = null

  constructor(parts: LetterEncoderParts) {
    this.#parts = parts
    this.#encoder = parts.encoder.withErrors({
      tolerate: (record) => {
        this.#failed = record
        return null
      },
    })
  }

  /** Never rejects. A wait that `signal` ends, and an outage, is `later`. */
  async encode(letter: DeadLetter, signal: AbortSignal): Promise<EncodedLetter | ReplayOutcome> {
    this.#failed = null
    this.#waitsFor = null
    let stage: string | null = 'TASK_POLL'
    try {
      const record = await this.#recordOf(letter, signal)
      stage = letter.context.stage
      return record === null ? { outcome: 'filtered' } : await this.#encode(record, letter, signal)
    } catch (error) {
      const cause = error instanceof BadRecordError ? error.cause : error
      if (signal.aborted) return later(this.#waitsFor ?? signal.reason)
      return errorKind(cause) === 'retriable' ? later(cause) : failed(cause, stage)
    }
  }

  async #recordOf(letter: DeadLetter, signal: AbortSignal): Promise<SourceRecord | null> {
    const { task, edits } = this.#parts
    const { cut } = letter.context
    if (cut !== null && !edits.replacesAll) {
      throw runtimeErrors.DEAD_LETTER_CUT(
        `The dead letter holds only the beginning of a value of ${cut.size} bytes, which was too large for Kafka; an edit that replaces $ gives it another value.`,
      )
    }
    const bytes = edits.none ? null : edits.ofBytes(letter.value)
    const changed = bytes === null ? letter : { ...letter, value: bytes }
    let record = task.redeliver ? task.redeliver(changed) : asItIs(changed, this.#parts.targetTopic)
    if (record instanceof Promise) record = await abortable(record, signal)
    return record === null || edits.none || bytes !== null ? record : edits.ofRecord(record)
  }

  async #encode(record: SourceRecord, letter: DeadLetter, signal: AbortSignal): Promise<EncodedLetter | ReplayOutcome> {
    const { plugin, topics, targetTopic } = this.#parts
    const known = topics.counts
    checkRecords([record], { by: `the task of ${plugin.class}`, known, filtered: false })
    const { records } = await this.#encoder.transform([record], signal, [])
    if (this.#failed !== null) return this.#failure(this.#failed)
    checkRecords(records, { by: 'a transformation of the connector', known, filtered: true })
    const transformed = records[0] as SourceRecord | null
    if (transformed === null) return { outcome: 'filtered' }
    const out = targetTopic === null ? transformed : { ...transformed, topic: targetTopic, partition: undefined }
    await topics.ensure([out], signal)
    const conversion = { records: [out], sources: [record], counts: topics.counts, traceparent: null }
    const { encoded } = await this.#encoder.convert(conversion, signal, [], (what, error) => {
      this.#waitsFor = `The record waits for ${what}${error instanceof Error ? `: ${error.message}` : ''}.`
    })
    if (this.#failed !== null) return this.#failure(this.#failed)
    const exact = record.timestamp !== null && record.timestamp === letter.timestamp
    return {
      record: this.#marked(encoded[0] as ProducerRecord, out.timestamp ?? letter.timestamp),
      placed: typeof out.partition === 'number',
      marginMs: exact ? 0 : MARGIN_MS,
      failedAt: letter.context.failedAt,
    }
  }

  #failure({ error, stage }: FailedRecord): ReplayOutcome {
    return failed(error, stage)
  }

  /** A record that a replay has written before may be replayed again. */
  #marked(record: ProducerRecord, timestamp: number): ProducerRecord {
    const own = (record.headers ?? []).filter(([name]) => name !== REPLAY_HEADER && name !== REPLAY_TIMESTAMP_HEADER)
    const headers: (readonly [string, Uint8Array | null])[] = [
      ...own,
      [REPLAY_HEADER, Buffer.from(this.#parts.replay)],
      [REPLAY_TIMESTAMP_HEADER, Buffer.from(String(timestamp))],
    ]
    return { ...record, headers, timestamp }
  }
}

/** The record of a source that cannot make it anew. */
function asItIs(letter: DeadLetter, targetTopic: string | null): SourceRecord {
  const { key, value, headers, timestamp, context } = letter
  const topic = context.topic ?? targetTopic
  if (topic === null) {
    throw runtimeErrors.DEAD_LETTER_WITHOUT_TOPIC(
      'The dead letter does not say which topic its record was for, as it has no headers of its error. Name a target topic.',
    )
  }
  const [keyText, valueText] = [textOf(key), textOf(value)]
  return {
    sourcePartition: context.sourcePartition ?? {},
    sourceOffset: context.sourceOffset ?? {},
    topic,
    key: keyText ?? key,
    value: valueText ?? value,
    ...(value !== null && { original: value, originalIsText: valueText !== null }),
    headers,
    timestamp,
  }
}

/** null: the bytes are no UTF-8. */
function textOf(bytes: Uint8Array | null): string | null {
  return bytes !== null && isUtf8(bytes) ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString() : null
}
