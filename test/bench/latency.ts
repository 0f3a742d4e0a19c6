import type { KafkaConnection } from '@tributary/config'
import { quantile } from './table.ts'
import { readTopic } from './read-topic.ts'

/** Time from the moment when a message was due to its append by the broker, in ms. */
export interface Latencies {
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** LogAppendTime is cut to whole ms, so on average half a ms is missing. It is added here. */
const CUT_MS = 0.5

/** Latencies of the records of a topic with LogAppendTime. The first `skip` records are left out as warm-up. */
export async function latencies(
  connection: KafkaConnection,
  topic: string,
  count: number,
  skip: number,
): Promise<Latencies> {
  const all: number[] = []
  let index = 0
  await readTopic(connection, topic, count, false, ({ value, timestamp }) => {
    if (index++ < skip) return
    const { dueUs } = JSON.parse(value.toString()) as { dueUs: string }
    all.push(timestamp + CUT_MS - Number(dueUs) / 1000)
  })
  all.sort((a, b) => a - b)
  return { p50: quantile(all, 0.5), p99: quantile(all, 0.99), p999: quantile(all, 0.999), max: all.at(-1) ?? NaN }
}
