import { createHash } from 'node:crypto'
import { errorCode, type SourceRecord } from '@tributary/connect-api'
import type { ProducerRecord } from '@tributary/kafka-producer'
import { type Logger, oncePer } from '@tributary/telemetry'
import type { SourceTaskConfig } from '../model/source-task-config.ts'
import { shownError, shownTrace } from '../model/shown-error.ts'
import { runtimeErrors } from '../errors.ts'

/** Kafka Connect's names. TASK_POLL: the source could not read its own message. */
export type Stage =
  'TASK_POLL' | 'TRANSFORMATION' | 'KEY_CONVERTER' | 'VALUE_CONVERTER' | 'HEADER_CONVERTER' | 'KAFKA_PRODUCE'

export interface FailedRecord {
  readonly record: SourceRecord
  readonly stage: Stage
  /** The class that failed; the header `__connect.errors.class.name` shows it. */
  readonly className: string
  readonly error: unknown
  /** The encoded record; absent when the failure came before the encoding was complete. */
  readonly encoded?: ProducerRecord
}

/** The value of a record over the broker's limit is cut to this many bytes in the dead-letter queue. */
const CUT_BYTES = 64 * 1024

/** Shortest time in ms between two log lines about skipped records. */
const SKIPPED_LOG_MS = 10_000

/**
 * Applies `errors.tolerance` (KIP-298), for sources too. `none` fails the task. `all` turns a bad record into a dead letter, which
 * is produced and acknowledged like any other record of its batch.
 */
export class ErrorHandler {
  readonly #config: SourceTaskConfig
  readonly #connector: string
  readonly #task: number
  readonly #log: Logger
  readonly #skippedLine = oncePer(SKIPPED_LOG_MS)
  /** Bad records that were tolerated, with or without a dead letter. */
  skipped = 0
  deadLettered = 0

  constructor(config: SourceTaskConfig, connector: string, task: number, log: Logger) {
    this.#config = config
    this.#connector = connector
    this.#task = task
    this.#log = log
  }

  /** Returns the dead letter for a failed record; null without a dead-letter queue. Throws when `errors.tolerance` is `none`. */
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
      throw runtimeErrors.TOLERANCE_EXCEEDED(
        `Tolerance exceeded in error handler: ${inOneLine(failed.error)} (stage ${failed.stage}, ${failed.className}, topic ${failed.record.topic}). errors.tolerance=all with errors.deadletterqueue.topic.name sends such records to a dead-letter queue`,
        { cause: failed.error },
      )
    }
    this.skipped++
    if (deadLetterTopic === null) {
      this.#logSkipped(failed)
      return null
    }
    this.deadLettered++
    return this.#deadLetter(deadLetterTopic, failed)
  }

  /** Logs a skipped record whatever `errors.log.enable` says, since the record is lost. */
  #logSkipped({ stage, record, error }: FailedRecord): void {
    const suppressed = this.#skippedLine()
    if (suppressed === null) return
    this.#log.warn('record_skipped', { stage, topic: record.topic, skipped_total: this.skipped, suppressed, error })
  }

  #deadLetter(topic: string, failed: FailedRecord): ProducerRecord {
    const { record, encoded } = failed
    const tooLarge = (failed.error as { code?: unknown }).code === 'RECORD_TOO_LARGE'
    const original = record.original ?? asReceived(record.value, encoded?.value)
    const headers: [string, Uint8Array | null][] = (record.headers ?? []).map((h) => [h.name, asBytes(h.value)])
    if (this.#config.deadLetterHeaders) headers.push(...this.#contextHeaders(failed))
    const deadLetter: ProducerRecord = {
      topic,
      partition: -1,
      key: asReceived(record.key, encoded?.key),
      value: original,
      headers,
      timestamp: record.timestamp ?? Date.now(),
    }
    return tooLarge ? cutDeadLetter(deadLetter) : deadLetter
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
      text('exception.message', shownError(cause.message)),
      text('exception.stacktrace', shownTrace(cause)),
    ]
  }
}

/** Cuts a dead letter over the broker's limit. Its headers give the size and the SHA-256 of the whole value. */
export function cutDeadLetter(record: ProducerRecord): ProducerRecord {
  const { value } = record
  if (value === null) return record
  const cut: [string, Uint8Array][] = [
    ['__tributary.errors.value.cut', Buffer.from('true')],
    ['__tributary.errors.value.size', Buffer.from(String(value.length))],
    ['__tributary.errors.value.sha256', Buffer.from(createHash('sha256').update(value).digest('hex'))],
  ]
  return { ...record, value: value.subarray(0, CUT_BYTES), headers: [...(record.headers ?? []), ...cut] }
}

/** The code, or else the name, and the text: the first line of a trace says what is wrong. */
function inOneLine(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return `${errorCode(error) ?? error.name}: ${error.message.replaceAll(/\s*\n\s*/g, ' ')}`
}

/** The bytes of text and bytes themselves. `encoded`: what the transforms and the converter have made of the value, for an object. */
function asReceived(value: unknown, encoded: Uint8Array | null | undefined): Uint8Array | null {
  const isObject = typeof value === 'object' && value !== null && !(value instanceof Uint8Array)
  return isObject && encoded !== undefined ? encoded : asBytes(value)
}

function asBytes(value: unknown): Uint8Array | null {
  if (value === null || value === undefined) return null
  if (value instanceof Uint8Array) return value
  if (typeof value === 'string') return Buffer.from(value)
  return Buffer.from(JSON.stringify(value, (_key, v: unknown) => (typeof v === 'bigint' ? String(v) : v)) ?? '')
}
