import type { KafkaConnection } from '@tributary/config'
import { readPartition } from '../../support/kafka-topic.ts'
import { quantile } from './table.ts'

/** A message of the source as it is in Kafka. */
export interface Arrived {
  readonly sequence: number
  /** Time from the moment when the message was due to its append by the broker, in ms; needs a stamped topic. */
  readonly lateMs: number
  /** Time of the append, in ms since the epoch. */
  readonly at: number
  /** What the message calls its stream. */
  readonly stream: string
  /** When SQS took the message, in ms since the epoch, where a header tells. */
  readonly takenAt: number | undefined
}

/** LogAppendTime is cut to whole ms, so on average half a ms is missing. It is added here. */
const CUT_MS = 0.5

/** Reads a topic by plain fetches. Messages are the text or the JSON of the source's events. */
export async function arrived(
  connection: KafkaConnection,
  topic: string,
  { partitions = 1, committed = false } = {},
): Promise<Arrived[]> {
  const all: Arrived[] = []
  for (let partition = 0; partition < partitions; partition++) {
    for (const { value, timestamp, headers } of await readPartition(connection.brokers, topic, partition, {
      committed,
    })) {
      const text = value!.toString('latin1')
      const sequence = Number(/evt-(\d{10})/.exec(text)?.[1])
      const at = Number(timestamp)
      const lateMs = at + CUT_MS - Number(/"dueNs":"(\d+)/.exec(text)?.[1]) / 1e6
      const taken = headers.find(([name]) => name === 'sqs.sent.timestamp')?.[1]
      const takenAt = taken ? Number(taken) : undefined
      all.push({ sequence, lateMs, at, takenAt, stream: /feed-\d{4}/.exec(text)?.[0] ?? '' })
    }
  }
  return all
}

/** Counts the sequence numbers from 1 to `count` that are missing. */
export function missing(messages: readonly Arrived[], count: number): number {
  return count - new Set(messages.map(({ sequence }) => sequence).filter((n) => n >= 1 && n <= count)).size
}

export interface Latencies {
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** In ms. */
export function latencies(messages: readonly Arrived[]): Latencies {
  const all = messages.map(({ lateMs }) => lateMs).sort((a, b) => a - b)
  return { p50: quantile(all, 0.5), p99: quantile(all, 0.99), p999: quantile(all, 0.999), max: all.at(-1) ?? NaN }
}
