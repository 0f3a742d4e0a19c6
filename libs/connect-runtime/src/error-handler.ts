import { createHash } from 'node:crypto'
import { DataError, type SourceRecord, traceOf } from '@tributary/connect-api'
import type { ProducerRecord } from '@tributary/kafka-producer'
import type { Logger } from '@tributary/telemetry'
import type { SourceTaskConfig } from './source-task-config.ts'

export type Stage = 'TRANSFORMATION' | 'KEY_CONVERTER' | 'VALUE_CONVERTER' | 'HEADER_CONVERTER' | 'KAFKA_PRODUCE'

export interface FailedRecord {
  readonly record: SourceRecord
  readonly stage: Stage
  /** The class that failed, as `__connect.errors.class.name` shows it. */
  readonly className: string
  readonly error: unknown
  /** The record as it was going to be produced, where it got that far. */
  readonly encoded?: ProducerRecord
}

/** A record over the broker's limit goes to the dead-letter queue cut to this many bytes. */
const CUT_BYTES = 64 * 1024

/**
 * `errors.tolerance`, for sources too: none fails the task, all turns a bad record into one for the dead-letter queue
 * (KIP-298's headers), which is produced and acknowledged like any other record of its batch.
 */
export class ErrorHandler {
  readonly #config: SourceTaskConfig
  readonly #connector: string
  readonly #task: number
  readonly #log: Logger
  /** Records skipped or sent to the dead-letter queue. */
  skipped = 0
  deadLettered = 0

  constructor(config: SourceTaskConfig, connector: string, task: number, log: Logger) {
    this.#config = config
    this.#connector = connector
    this.#task = task
    this.#log = log
  }

  /** The dead-letter record for a failed one, null when there is no such queue. Throws when errors are not tolerated. */
  tolerate(failed: FailedRecord): ProducerRecord | null {
    const { tolerance, logErrors, logErrorMessages, deadLetterTopic } = this.#config
    if (logErrors || tolerance === 'none') {
      this.#log.error('record_failed', {
        stage: failed.stage,
        class: failed.className,
        topic: failed.record.topic,
        ...(logErrorMessages ? { source_offset: failed.record.sourceOffset } : {}),
        error: failed.error,
      })
    }
    if (tolerance === 'none') {
      throw new DataError(
        'TOLERANCE_EXCEEDED',
        `Tolerance exceeded in error handler: stage ${failed.stage} (${failed.className}) failed for a record of topic ${failed.record.topic}; errors.tolerance=all with errors.deadletterqueue.topic.name sets such records aside`,
        { cause: failed.error },
      )
    }
    this.skipped++
    if (deadLetterTopic === null) return null
    this.deadLettered++
    return this.#deadLetter(deadLetterTopic, failed)
  }

  #deadLetter(topic: string, failed: FailedRecord): ProducerRecord {
    const { record, encoded } = failed
    const tooLarge = (failed.error as { code?: unknown }).code === 'RECORD_TOO_LARGE'
    const original = record.original ?? encoded?.value ?? asBytes(record.value)
    const headers: [string, Uint8Array | null][] = (record.headers ?? []).map((h) => [h.name, asBytes(h.value)])
    if (this.#config.deadLetterHeaders) headers.push(...this.#contextHeaders(failed))
    if (tooLarge && original) {
      headers.push(
        ['__tributary.errors.value.cut', Buffer.from('true')],
        ['__tributary.errors.value.size', Buffer.from(String(original.length))],
        ['__tributary.errors.value.sha256', Buffer.from(createHash('sha256').update(original).digest('hex'))],
      )
    }
    return {
      topic,
      partition: -1,
      key: encoded?.key ?? asBytes(record.key),
      value: tooLarge && original ? original.subarray(0, CUT_BYTES) : original,
      headers,
      timestamp: record.timestamp ?? Date.now(),
    }
  }

  #contextHeaders(failed: FailedRecord): [string, Uint8Array | null][] {
    const { record, stage, className, error, encoded } = failed
    const cause = error instanceof Error ? error : new Error(String(error))
    const text = (name: string, value: string): [string, Uint8Array] => [`__connect.errors.${name}`, Buffer.from(value)]
    return [
      text('topic', record.topic),
      text('partition', String(encoded?.partition ?? record.partition ?? '')),
      text('connector.name', this.#connector),
      text('task.id', String(this.#task)),
      text('stage', stage),
      text('class.name', className),
      text('exception.class.name', cause.name),
      text('exception.message', cause.message),
      text('exception.stacktrace', traceOf(cause)),
    ]
  }
}

function asBytes(value: unknown): Uint8Array | null {
  if (value === null || value === undefined) return null
  if (value instanceof Uint8Array) return value
  if (typeof value === 'string') return Buffer.from(value)
  return Buffer.from(JSON.stringify(value, (_key, v: unknown) => (typeof v === 'bigint' ? String(v) : v)) ?? '')
}
