import type { FatalError } from '@tributary/connect-api'
import type { KafkaProducer, ProducerRecord, ProduceResult, SendListener } from '@tributary/kafka-producer'
import type { Logger } from '@tributary/telemetry'
import { type Batch, encodedRecord } from './batch.ts'
import { cutDeadLetter } from './dead-letter-record.ts'
import type { ErrorHandler } from './error-handler.ts'
import type { Topics } from './topics.ts'
import { runtimeErrors } from '../errors.ts'

export interface BatchSenderParts {
  readonly producer: KafkaProducer
  readonly topics: Topics
  readonly errors: ErrorHandler
  readonly log: Logger
}

/** Hands batches to the producer. Records that the broker refuses go to the error handler. */
export class BatchSender {
  readonly #parts: BatchSenderParts

  constructor(parts: BatchSenderParts) {
    this.#parts = parts
  }

  /** Resolves once the broker has every record, or its dead letter, or the error handler has skipped it. */
  async send(batch: Batch, signal: AbortSignal): Promise<ProduceResult> {
    const { producer, log } = this.#parts
    log.debug('batch_sent', { records: batch.recordCount })
    const result = await producer.send(batch.encoded, signal)
    if (result.failures.length > 0) await this.settleRefused(batch, result, signal)
    this.acknowledged(batch)
    return result
  }

  /**
   * Sends a batch without a promise. `settleRefused` is to follow a result with failures, and then `acknowledged`. Throws what `send`
   * rejects with at once.
   */
  sendTo(listener: SendListener, batch: Batch, signal: AbortSignal): void {
    const { producer, log } = this.#parts
    log.debug('batch_sent', { records: batch.recordCount })
    producer.sendTo(listener, batch.encoded, signal)
  }

  /** The broker has every record of the batch, or its dead letter, or the error handler has skipped it. */
  acknowledged(batch: Batch): void {
    this.#parts.log.debug('batch_acknowledged', { records: batch.recordCount })
  }

  /** Resolves once the broker has the dead letters of the refused records that the error handler does not skip. */
  async settleRefused(batch: Batch, result: ProduceResult, signal: AbortSignal): Promise<void> {
    const { producer, errors } = this.#parts
    const deadLetters: ProducerRecord[] = []
    for (const { index, error } of result.failures) {
      const { record, encoded } = encodedRecord(batch, index)
      if (record === null) {
        deadLetters.push(cutDeadLetter(encoded))
        continue
      }
      const stage = 'KAFKA_PRODUCE'
      const deadLetter = errors.tolerate({ record, stage, className: 'KafkaProducer', error, encoded })
      if (deadLetter) deadLetters.push(await this.withPartition(deadLetter, signal))
    }
    if (deadLetters.length > 0) {
      const { failures } = await producer.send(deadLetters, signal)
      if (failures[0]) throw refused(failures[0].error)
    }
  }

  /** Gives a dead letter a random partition of its topic. Creates the topic when it is missing. */
  async withPartition(deadLetter: ProducerRecord, signal: AbortSignal): Promise<ProducerRecord> {
    const count = await this.#parts.topics.ensureTopic(deadLetter.topic, signal)
    return { ...deadLetter, partition: Math.floor(Math.random() * count) }
  }
}

function refused(cause: unknown): FatalError {
  return runtimeErrors.DEAD_LETTER_REFUSED('the dead-letter queue refused a record; see the cause', { cause })
}
