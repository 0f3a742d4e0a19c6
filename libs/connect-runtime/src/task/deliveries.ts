import { AsyncLocalStorage } from 'node:async_hooks'
import type { ProduceResult, SendListener } from '@tributary/kafka-producer'
import type { InFlight } from '../commit/in-flight.ts'
import type { SubmittedBatch } from '../commit/submitted-batches.ts'
import type { Batch } from '../records/batch.ts'
import type { BatchSender } from '../records/batch-sender.ts'

export interface DeliveriesParts {
  readonly sender: BatchSender
  readonly inFlight: InFlight
  readonly signal: AbortSignal
  /** Kafka has the batch. Called in the scope of the task. */
  readonly onAcknowledged: (batch: Batch, result: ProduceResult) => void
}

/** Hands batches to the producer without a transaction, and counts them in flight until Kafka has them. */
export class Deliveries {
  readonly parts: DeliveriesParts
  readonly #inScope = AsyncLocalStorage.snapshot()

  /** Takes the present plugin scope for that of the task. */
  constructor(parts: DeliveriesParts) {
    this.parts = parts
  }

  readonly start = (batch: Batch): void => {
    const { sender, inFlight, signal } = this.parts
    const delivery = new Delivery(this, batch, inFlight.add(batch))
    try {
      sender.sendTo(delivery, batch, signal)
    } catch (error) {
      delivery.notSent(error)
    }
  }

  /** The producer calls this for the batches of many tasks, one after the other, so nothing may be thrown. */
  acknowledged(submitted: SubmittedBatch, batch: Batch, result: ProduceResult): void {
    const { inFlight, onAcknowledged, sender } = this.parts
    try {
      sender.acknowledged(batch)
      this.#inScope(onAcknowledged, batch, result)
    } catch (error) {
      return this.failed(error)
    }
    inFlight.acknowledged(submitted)
  }

  /** The end of a failed run aborts its signal, whose listeners are code of the plugin. */
  failed(error: unknown): void {
    this.#inScope(() => this.parts.inFlight.failed(error))
  }
}

/** A batch on its way. One object, since there is one for each message of a quiet stream. */
class Delivery implements SendListener {
  readonly #deliveries: Deliveries
  readonly #batch: Batch
  readonly #submitted: SubmittedBatch

  constructor(deliveries: Deliveries, batch: Batch, submitted: SubmittedBatch) {
    this.#deliveries = deliveries
    this.#batch = batch
    this.#submitted = submitted
  }

  sent(result: ProduceResult): void {
    if (result.failures.length > 0) void this.#settleRefused(result)
    else this.#deliveries.acknowledged(this.#submitted, this.#batch, result)
  }

  /** A failed task gives up its other sends, which must not happen within the loop of the producer that calls this. */
  notSent(reason: unknown): void {
    queueMicrotask(() => this.#deliveries.failed(reason))
  }

  async #settleRefused(result: ProduceResult): Promise<void> {
    const { sender, signal } = this.#deliveries.parts
    try {
      await sender.settleRefused(this.#batch, result, signal)
    } catch (error) {
      return this.notSent(error)
    }
    this.#deliveries.acknowledged(this.#submitted, this.#batch, result)
  }
}
