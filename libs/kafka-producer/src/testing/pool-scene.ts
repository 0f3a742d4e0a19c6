import type { ProducerRecord } from '../api/record.ts'
import type { KafkaProducer } from '../api/types.ts'
import { type PooledProducerOptions, ProducerPool } from '../producer/producer-pool.ts'
import { FakeWire, type SeenBatch } from './fake-wire.ts'

const never = new AbortController().signal

/** A pool on fake wires, and its started producers. */
export class PoolScene {
  readonly wires: FakeWire[] = []
  readonly pool = new ProducerPool(() => {
    const wire = new FakeWire()
    wire.answer = (batch) => {
      this.sent.push(batch)
      return this.answer(batch.values, this.sent.length)
    }
    this.wires.push(wire)
    return wire
  })
  /** The batches as they were sent, over all wires. */
  readonly sent: SeenBatch[] = []
  /** The answer to a batch, by its values and its number. */
  answer: (values: readonly string[], number: number) => number | Error = () => 0

  async start(options: PooledProducerOptions = {}): Promise<KafkaProducer> {
    const producer = this.pool.create({ retryBackoffMs: 1, ...options })
    await producer.start(never)
    return producer
  }

  get batches(): (readonly string[])[] {
    return this.sent.map(({ values }) => values)
  }
}

export function records(prefix: string, count = 1, partition = 0, topic = 't'): ProducerRecord[] {
  return Array.from({ length: count }, (_, i) => {
    return { topic, partition, key: null, value: Buffer.from(`${prefix}${i}`), timestamp: 0 }
  })
}
