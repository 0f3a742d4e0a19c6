import { type ConnectRecord, errorKind, type Props, type SourcePlugin, type SourceRecord } from '@tributary/connect-api'
import type { ProducerRecord } from '@tributary/kafka-producer'
import type { TransformationStage } from '@tributary/transforms'
import { shownError } from '../model/shown-error.ts'
import type { SourceTaskConfig } from '../model/source-task-config.ts'
import type { ErrorHandler } from '../records/error-handler.ts'
import type { FailedRecord } from '../records/failed-record.ts'
import { checkRecords } from '../records/record-contract.ts'
import type { RecordEncoder } from '../records/record-encoder.ts'
import { BadRecordError } from '../records/stage-failure.ts'
import { createEncoder, type TaskEnvironment } from '../unit/task-factory.ts'
import type { ShownOutput } from '../records/shown-types.ts'
import type { PreviewRecord, ShownError, ShownStep } from './answer.ts'
import type { PlannedTopics } from './planned-topics.ts'
import type { Shown } from '../records/shown.ts'

interface RecordPreviewerParts {
  readonly plugin: SourcePlugin
  readonly props: Props
  readonly config: SourceTaskConfig
  readonly errors: Pick<ErrorHandler, 'tolerate'>
  readonly topics: PlannedTopics
  readonly shown: Shown
  readonly environment: Pick<TaskEnvironment, 'clock' | 'transforms'>
}

/** Takes records the way of a real run, one by one, and shows each step: the chain, the topic, the converters, the error handling. */
export class RecordPreviewer {
  /** What a real run would change elsewhere, in sentences. */
  readonly notes = new Set<string>()
  /** What the present record waits for, in a sentence; null: nothing. */
  waitsFor: string | null = null
  readonly #parts: RecordPreviewerParts
  readonly #encoder: RecordEncoder
  /** Of the present record. A transformation that is tried again replaces its step. */
  #steps: ShownStep[] = []
  #failed: FailedRecord | null = null

  /** Throws ConfigError. */
  constructor(parts: RecordPreviewerParts) {
    this.#parts = parts
    const { plugin, props, config, environment } = parts
    const errors = {
      tolerate: (failed: FailedRecord): ProducerRecord | null => {
        this.#failed = failed
        return parts.errors.tolerate(failed)
      },
    }
    this.#encoder = createEncoder(plugin, props, config, errors, environment, {
      stage: (stage) => this.#watched(stage),
      told: (what) => this.notes.add(what),
    })
  }

  /** Rejects with what fails a real run before it has encoded the record: a topic that may not be created, an outage of Kafka. */
  async preview(record: SourceRecord, signal: AbortSignal): Promise<PreviewRecord> {
    const { shown } = this.#parts
    this.#steps = []
    this.#failed = null
    const polled = shown.record(record)
    let result: Pick<PreviewRecord, 'outcome' | 'written' | 'dead_letter' | 'error'>
    try {
      result = await this.#convert(record, signal)
    } catch (error) {
      if (!(error instanceof BadRecordError)) throw error
      // A bug of the plugin, or an outage, says nothing about the record.
      if (this.#failed === null && errorKind(error.cause) !== 'config') throw error.cause
      result = { outcome: 'fails_task', error: this.#error(error.cause) }
    }
    const last = this.#steps.at(-1)
    return {
      source: { partition: shown.plain(record.sourcePartition), offset: shown.plain(record.sourceOffset) },
      polled,
      transforms: this.#steps,
      ...result,
      ...(result.outcome === 'filtered' && last && { filtered_by: last.alias }),
    }
  }

  close(): void {
    this.#encoder.close()
  }

  async #convert(
    record: SourceRecord,
    signal: AbortSignal,
  ): Promise<Pick<PreviewRecord, 'outcome' | 'written' | 'dead_letter' | 'error'>> {
    const { plugin, topics } = this.#parts
    const { counts } = topics.topics
    const deadLetters: ProducerRecord[] = []
    checkRecords([record], { by: `the task of ${plugin.class}`, known: counts, filtered: false })
    const { records } = await this.#encoder.transform([record], signal, deadLetters)
    checkRecords(records, { by: 'a transformation of the connector', known: counts, filtered: true })
    await topics.topics.ensure(records, signal)
    const conversion = { records, sources: [record], counts, traceparent: null }
    const onWait = (what: string, error: unknown): void => {
      this.waitsFor = `A record waits for ${what}${error instanceof Error ? `: ${error.message}` : ''}.`
    }
    const { encoded } = await this.#encoder.convert(conversion, signal, deadLetters, onWait)
    this.waitsFor = null
    const [output] = encoded as ProducerRecord[]
    if (output !== undefined) return { outcome: 'written', written: this.#written(output, records[0] as SourceRecord) }
    if (this.#failed === null) return { outcome: 'filtered' }
    const error = this.#error(this.#failed.error)
    const [deadLetter] = deadLetters
    return deadLetter === undefined
      ? { outcome: 'skipped', error }
      : { outcome: 'dead_letter', error, dead_letter: this.#deadLetter(deadLetter, record) }
  }

  #written(output: ProducerRecord, record: SourceRecord): ShownOutput {
    const chosen = typeof record.partition === 'number'
    const known = chosen || (output.key !== null && this.#parts.topics.isCounted(output.topic))
    return this.#parts.shown.output(output, { partition: known ? output.partition : null, timestamp: record.timestamp })
  }

  #deadLetter(deadLetter: ProducerRecord, record: SourceRecord): ShownOutput {
    return this.#parts.shown.output(deadLetter, { partition: null, timestamp: record.timestamp })
  }

  #error(cause: unknown): ShownError {
    const error = this.#failed?.error ?? cause
    return {
      stage: this.#failed?.stage ?? 'TRANSFORMATION',
      class: this.#failed?.className ?? '',
      message: shownError(error instanceof Error ? error.message : String(error)),
    }
  }

  /** The same transform, whose steps are seen. */
  #watched(stage: TransformationStage): TransformationStage {
    const { alias, className } = stage
    const step = (outcome: ShownStep['outcome'], record?: SourceRecord): void => {
      const shown = record === undefined ? {} : { record: this.#parts.shown.record(record) }
      const at = this.#steps.findIndex((earlier) => earlier.alias === alias)
      this.#steps.splice(at < 0 ? this.#steps.length : at, 1, { alias, class: className, outcome, ...shown })
    }
    return {
      alias,
      className,
      apply: <R extends ConnectRecord>(record: R): R | null => {
        step('failed')
        const result = stage.apply(record)
        if (result === null) step('filtered')
        else if (result === record) step('unchanged')
        else step('changed', result as unknown as SourceRecord)
        return result
      },
      close: () => stage.close?.(),
    }
  }
}
