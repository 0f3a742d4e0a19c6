import { type HostPort, parseHostPort } from '@tributary/config'
import { isUnreachable, producerErrors } from '../errors.ts'
import { NETWORK_EXCEPTION } from '../protocol-errors.ts'
import type { ProduceAnswer, TopicPartition } from './wire.ts'

/** What the requests of every driver have in common. */

/**
 * Sends a request that any broker answers: to the `known` brokers of the last metadata, then to the configured ones
 * (`bootstrap`, each `host:port`), until one can be reached. Throws `KAFKA_UNREACHABLE` when none can.
 */
export async function atAnyBroker<T>(
  known: readonly HostPort[],
  bootstrap: readonly string[],
  request: (to: HostPort) => Promise<T>,
): Promise<T> {
  let last: unknown
  for (const to of [...known, ...bootstrap.map(parseHostPort)]) {
    try {
      return await request(to)
    } catch (error) {
      if (!isUnreachable(error)) throw error
      last = error
    }
  }
  const text = `no Kafka broker can be reached (${bootstrap.join(', ')})`
  throw producerErrors.KAFKA_UNREACHABLE(text, { cause: last })
}

/** Partition ids by topic, as requests of the protocol list them. */
export function partitionsByTopic(partitions: readonly TopicPartition[]): [topic: string, partitions: number[]][] {
  return Array.from(
    Map.groupBy(partitions, ({ topic }) => topic),
    ([topic, of]) => [topic, of.map(({ partition }) => partition)],
  )
}

export interface PartitionAnswer extends ProduceAnswer, TopicPartition {}

/**
 * One answer for each batch, in the order of the batches. Brokers answer in that order; the search is for those that do not. A
 * batch that was left out gets NETWORK_EXCEPTION, as if its answer alone were lost.
 */
export function inOrderOf(batches: readonly TopicPartition[], answers: readonly PartitionAnswer[]): ProduceAnswer[] {
  const isOf = (batch: TopicPartition, answer: PartitionAnswer | undefined): boolean =>
    answer !== undefined && answer.partition === batch.partition && answer.topic === batch.topic
  const leftOut: ProduceAnswer = { code: NETWORK_EXCEPTION, baseOffset: -1n, message: 'left out of the answer' }
  return batches.map((batch, i) => {
    const answer = isOf(batch, answers[i]) ? answers[i] : answers.find((other) => isOf(batch, other))
    return answer ?? leftOut
  })
}
