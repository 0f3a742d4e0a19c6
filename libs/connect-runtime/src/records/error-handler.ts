import { inspect } from 'node:util'
import { errorCode } from '@tributary/connect-api'
import type { ProducerRecord } from '@tributary/kafka-producer'
import { type Logger, oncePer } from '@tributary/telemetry'
import type { SourceTaskConfig } from '../model/source-task-config.ts'
import { shownError } from '../model/shown-error.ts'
import { runtimeErrors } from '../errors.ts'
import type { FailedRecord, FailedConsumed } from './failed-record.ts'
import { deadLetterOfConsumed, deadLetterOfSource, type Sender } from './dead-letter-record.ts'

/** What the error handler reads of a task's configuration. */
export type ErrorHandling = Pick<
  SourceTaskConfig,
  'tolerance' | 'logErrors' | 'logErrorMessages' | 'deadLetterTopic' | 'deadLetterHeaders'
>

/** Shortest time in ms between two log lines about skipped records. */
const SKIPPED_LOG_MS = 10_000
/** Characters of a record that `errors.log.include.messages` shows. */
const SHOWN_RECORD = 4000

/**
 * Applies `errors.tolerance` (KIP-298) as Kafka Connect's RetryWithToleranceOperator and its reporters do, for sources too. `none`
 * fails the task. `all` turns a bad record into a dead letter, which is produced and acknowledged like any other record of its batch.
 */
export class ErrorHandler {
  readonly #config: ErrorHandling
  readonly #connector: string
  readonly #task: number
  readonly #log: Logger
  readonly #skippedLine = oncePer(SKIPPED_LOG_MS)
  /** Bad records that were tolerated, with or without a dead letter. */
  skipped = 0
  deadLettered = 0

  constructor(config: ErrorHandling, connector: string, task: number, log: Logger) {
    this.#config = config
    this.#connector = connector
    this.#task = task
    this.#log = log
  }

  /** Returns the dead letter for a failed record; null without a dead-letter queue. Throws when `errors.tolerance` is `none`. */
  tolerate(failed: FailedRecord): ProducerRecord | null {
    const sender = this.#tolerated(failed, failed.record.deadLetter?.topic ?? null)
    return sender && deadLetterOfSource(failed, sender)
  }

  /** As `tolerate`, for a record that a sink read. */
  tolerateConsumed(failed: FailedConsumed): ProducerRecord | null {
    const sender = this.#tolerated(failed, null)
    return sender && deadLetterOfConsumed(failed, sender)
  }

  /** `own`: the source's own dead-letter topic for this record. */
  #tolerated(failed: FailedRecord | FailedConsumed, own: string | null): Sender | null {
    const { tolerance, deadLetterTopic, deadLetterHeaders } = this.#config
    const tolerated = own !== null || tolerance === 'all'
    this.#logFailure(failed, tolerated)
    if (!tolerated) throw exceeded(failed)
    this.skipped++
    const topic = own ?? deadLetterTopic
    if (topic === null) {
      this.#logSkipped(failed)
      return null
    }
    this.deadLettered++
    return {
      connector: this.#connector,
      task: this.#task,
      topic,
      withContext: deadLetterHeaders,
      now: Date.now(),
    }
  }

  /** The text is that of Kafka Connect's LogReporter, for which people search. */
  #logFailure(failed: FailedRecord | FailedConsumed, tolerated: boolean): void {
    const { logErrors, logErrorMessages } = this.#config
    if (!logErrors && tolerated) return
    const { stage, className, error } = failed
    const record = logErrorMessages ? recordText(failed) : ''
    this.#log.error('record_failed', {
      message: `Error encountered in task ${this.#connector}-${this.#task}. Executing stage '${stage}' with class '${className}'${record}.`,
      stage,
      class: className,
      topic: topicOf(failed),
      error,
    })
  }

  /** Logs a skipped record whatever `errors.log.enable` says, since the record is lost. */
  #logSkipped(failed: FailedRecord | FailedConsumed): void {
    const suppressed = this.#skippedLine()
    if (suppressed === null) return
    const { stage, error } = failed
    const topic = topicOf(failed)
    this.#log.warn('record_skipped', { stage, topic, skipped_total: this.skipped, suppressed, error })
  }
}

function topicOf(failed: FailedRecord | FailedConsumed): string {
  return 'record' in failed ? failed.record.topic : failed.consumed.topic
}

function exceeded(failed: FailedRecord | FailedConsumed): Error {
  const { stage, className, error } = failed
  return runtimeErrors.TOLERANCE_EXCEEDED(
    `Tolerance exceeded in error handler: ${inOneLine(error)} (stage ${stage}, ${className}, topic ${topicOf(failed)}). errors.tolerance=all with errors.deadletterqueue.topic.name sends such records to a dead-letter queue`,
    { cause: error },
  )
}

/** As ProcessingContext of Kafka Connect: all of a source's record, and the place alone of a record of Kafka. */
function recordText(failed: FailedRecord | FailedConsumed): string {
  if ('consumed' in failed) {
    const { topic, partition, offset, timestamp } = failed.consumed
    const time = timestamp === null ? '' : `, timestamp=${timestamp}, timestampType=CreateTime`
    return `, where consumed record is {topic='${topic}', partition=${partition}, offset=${offset}${time}}`
  }
  const { topic, partition, key, value, headers, timestamp, sourcePartition, sourceOffset, original } = failed.record
  const shown = value ?? (original === undefined ? null : Buffer.from(original).toString())
  const parts = { sourcePartition, sourceOffset, topic, kafkaPartition: partition ?? null, key, value: shown, timestamp, headers: headers ?? [] } // prettier-ignore
  const text = inspect(parts, { breakLength: Infinity, depth: 4, maxStringLength: SHOWN_RECORD })
  return `, where source record is = SourceRecord${shownError(text).slice(0, 2 * SHOWN_RECORD)}`
}

/** The code, or else the name, and the text: the first line of a trace says what is wrong. */
function inOneLine(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return `${errorCode(error) ?? error.name}: ${error.message.replaceAll(/\s*\n\s*/g, ' ')}`
}
