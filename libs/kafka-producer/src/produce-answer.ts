import { noAnswer } from './connection-errors.ts'
import type { ProduceAnswer, TopicPartition } from './wire.ts'

export interface PartitionAnswer extends ProduceAnswer, TopicPartition {}

/** One answer for each batch. Brokers answer in the order of the request; the search is for those that do not. */
export function inOrderOf(batches: readonly TopicPartition[], answers: readonly PartitionAnswer[]): ProduceAnswer[] {
  const isOf = (batch: TopicPartition, answer: PartitionAnswer | undefined): boolean =>
    answer !== undefined && answer.partition === batch.partition && answer.topic === batch.topic
  return batches.map((batch, i) => {
    const answer = isOf(batch, answers[i]) ? answers[i] : answers.find((other) => isOf(batch, other))
    if (answer === undefined) throw noAnswer('produce', `${batch.topic}-${batch.partition}`, 'left out of the answer')
    return answer
  })
}
