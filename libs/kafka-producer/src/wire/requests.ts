import { noAnswer } from './connection-errors.ts'
import type { ProduceAnswer, TopicPartition } from './wire.ts'

export interface HostPort {
  readonly host: string
  readonly port: number
}

/** Of `host:port`; an IPv6 address stands in brackets. */
export function hostPort(address: string): HostPort {
  const at = address.lastIndexOf(':')
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) }
}

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
