import type { Reader } from '@tributary/kafka/client'
import type { PartitionAnswer } from './requests.ts'

/** KIP-482: compact lengths, and tagged fields at the end of each structure. */
const FIRST_FLEXIBLE_VERSION = 9

/**
 * Reads the answer to a produce request of version 3 to 12 (ProduceResponse.json):
 * [name [index error_code base_offset log_append_time_ms log_start_offset(5+) [batch_index message](8+)
 * error_message(8+)]] throttle_time_ms, and in each structure tagged fields (9+), among them current_leader and
 * node_endpoints (10+), which a producer that asks for metadata does not need.
 *
 * The parser of kafkajs would throw at the first error code and create an object for every field. Throws RangeError for an
 * answer that does not end where its bytes end.
 */
export function readProduceAnswer(reader: Reader, version: number): PartitionAnswer[] {
  const flexible = version >= FIRST_FLEXIBLE_VERSION
  const answers: PartitionAnswer[] = []
  readArray(reader, flexible, () => {
    const topic = reader.readString(flexible)
    readArray(reader, flexible, () => {
      const partition = reader.readInt32()
      const code = reader.readInt16()
      const baseOffset = reader.readInt64()
      reader.skip(version >= 5 ? 16 : 8) // log_append_time_ms, log_start_offset
      const message = version >= 8 ? readMessage(reader, flexible) : null
      answers.push({ topic, partition, code, baseOffset, message })
    })
  })
  reader.skip(4) // throttle_time_ms
  if (flexible) reader.readTaggedFields()
  if (reader.remaining !== 0) throw new RangeError(`${reader.remaining} bytes follow the end`)
  return answers
}

/** The text of the first record error that has one, else the text of the whole batch, which only counts them. */
function readMessage(reader: Reader, flexible: boolean): string | null {
  let ofRecord: string | null = null
  readArray(reader, flexible, () => {
    reader.skip(4) // batch_index
    const text = reader.readNullableString(flexible)
    ofRecord ??= text
  })
  const ofBatch = reader.readNullableString(flexible)
  return ofRecord ?? ofBatch
}

function readArray(reader: Reader, flexible: boolean, readItem: () => void): void {
  reader.readArray(readItem, flexible, flexible)
}
