import type { KafkaConnection } from '@tributary/config'
import type { LetterPlace } from '@tributary/connect-storage'
import { KafkaError, type LogRecord, readPartition } from '@tributary/kafka'

/** Reads the record of a letter from Kafka; null: it is not there any more. */
export type ReadLetter = (place: LetterPlace) => Promise<LogRecord | null>

const GONE: readonly string[] = ['OFFSET_OUT_OF_RANGE', 'UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID']

export function letterReader(connection: KafkaConnection): ReadLetter {
  return async ({ topic, partition, offset }) => {
    const from = BigInt(offset)
    try {
      const records = await readPartition(connection, { topic, partition, from, until: from + 1n })
      return records.find((record) => record.offset === from) ?? null
    } catch (error) {
      if (error instanceof KafkaError && GONE.includes(error.code)) return null
      throw error
    }
  }
}
