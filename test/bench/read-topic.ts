import { Consumer, MessagesStreamModes } from '@platformatic/kafka'
import type { KafkaConnection } from '@tributary/config'

export interface ReadRecord {
  readonly value: Buffer
  /** ms since the epoch */
  readonly timestamp: number
}

/** Reads a topic of one partition from its start until `count` records were read, or no record came for 5 s. */
export async function readTopic(
  connection: KafkaConnection,
  topic: string,
  count: number,
  committedOnly: boolean,
  onRecord: (record: ReadRecord) => void,
): Promise<void> {
  const consumer = new Consumer({
    clientId: 'bench-reader',
    groupId: `bench-${topic}-${process.pid}`,
    bootstrapBrokers: [...connection.brokers],
    isolationLevel: committedOnly ? 1 : 0,
    maxBytes: 8 * 1024 * 1024,
  })
  const stream = await consumer.consume({
    topics: [topic],
    mode: MessagesStreamModes.EARLIEST,
    autocommit: false,
  })
  let seen = 0
  await new Promise<void>((resolve, reject) => {
    let idle = setTimeout(resolve, 5000)
    stream.on('error', reject)
    stream.on('data', (message: { value: Buffer; timestamp: bigint }) => {
      onRecord({ value: message.value, timestamp: Number(message.timestamp) })
      if (++seen >= count) return resolve()
      if (seen % 10_000 === 0) {
        clearTimeout(idle)
        idle = setTimeout(resolve, 5000)
      }
    })
  })
  await consumer.close(true)
}

/** Counts the sequence numbers from 1 to `count` that the topic does not contain. */
export async function missingSequences(
  connection: KafkaConnection,
  topic: string,
  count: number,
  committedOnly: boolean,
): Promise<number> {
  const seen = new Uint8Array(count + 1)
  await readTopic(connection, topic, count, committedOnly, ({ value }) => {
    const found = /evt-(\d{10})/.exec(value.toString('latin1'))
    if (found) seen[Number(found[1])] = 1
  })
  return count - seen.reduce((sum, one) => sum + one, 0)
}
