import { sharedKafka } from '@tributary/harness'
import {
  createProducerPool,
  type KafkaProducer,
  type PooledProducerOptions,
  type ProducerDriver,
  type ProducerPool,
  type ProducerRecord,
} from '@tributary/kafka-producer'
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { readPartition } from '../../support/kafka-topic.ts'

export type Options = PooledProducerOptions

/** Limits the time of a test; it is no expectation. */
export function deadline(): AbortSignal {
  return AbortSignal.timeout(60_000)
}

export const shared: readonly string[] = (await sharedKafka()).brokers

/** A started producer of a pool of its own, as tasks have it, that ends with the scope (`await using`). */
export async function startProducer(
  driver: ProducerDriver,
  options: Options = {},
  brokers: readonly string[] = shared,
): Promise<KafkaProducer & AsyncDisposable> {
  const pool = createProducerPool({ brokers, clientId: 'contract' }, driver)
  return startInPool(pool, options)
}

export async function startInPool(pool: ProducerPool, options: Options = {}): Promise<KafkaProducer & AsyncDisposable> {
  const producer = pool.create({ retryBackoffMs: 20, ...options })
  await producer.start(deadline())
  return Object.assign(producer, { [Symbol.asyncDispose]: () => producer.close() })
}

export function recordsOf(topic: string, values: Iterable<string | number>, partition = 0): ProducerRecord[] {
  const timestamp = Date.now()
  return Array.from(values, (value) => ({ topic, partition, key: null, value: Buffer.from(String(value)), timestamp }))
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}

export async function valuesIn(
  brokers: readonly string[],
  topic: string,
  options: { readonly partition?: number; readonly committed?: boolean } = {},
): Promise<string[]> {
  const kept = await readPartition(brokers, topic, options.partition ?? 0, options)
  return kept.map((record) => String(record.value))
}

export function strings(values: Iterable<number>): string[] {
  return Array.from(values, String)
}

/**
 * Checks that a read_committed consumer sees this content of a partition, now or within moments: a commit is answered
 * before its markers are written to the partitions.
 */
export async function assertCommitted(
  brokers: readonly string[],
  topic: string,
  want: readonly string[],
  partition = 0,
): Promise<void> {
  const end = deadline()
  for (;;) {
    const values = await valuesIn(brokers, topic, { partition, committed: true })
    if (values.length >= want.length || end.aborted) {
      assert.deepEqual(values, want)
      return
    }
    await sleep(10, undefined, { signal: end })
  }
}
