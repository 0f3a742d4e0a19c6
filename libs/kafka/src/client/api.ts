import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

/** One request of Kafka's protocol in one version, with its answer (https://kafka.apache.org/protocol#protocol_messages). */
export interface Api<Args extends unknown[], Answer> {
  readonly key: number
  readonly version: number
  /** Headers of flexible versions end in tagged fields (KIP-482). */
  readonly flexible: boolean
  write(writer: Writer, ...args: Args): void
  /** Returns answers with error codes too. */
  readonly read: (reader: Reader) => Answer
}

/** The numbers of the requests (https://kafka.apache.org/protocol#protocol_api_keys). */
export const apiKeys = {
  produce: 0,
  fetch: 1,
  listOffsets: 2,
  metadata: 3,
  findCoordinator: 10,
  joinGroup: 11,
  heartbeat: 12,
  leaveGroup: 13,
  syncGroup: 14,
  describeGroups: 15,
  saslHandshake: 17,
  createTopics: 19,
  deleteTopics: 20,
  initProducerId: 22,
  addPartitionsToTxn: 24,
  endTxn: 26,
  describeConfigs: 32,
  saslAuthenticate: 36,
  incrementalAlterConfigs: 44,
} as const

/** Header and body end in tagged fields. */
export function flexible<Args extends unknown[], Answer>(
  key: number,
  version: number,
  write: (writer: Writer, ...args: Args) => void,
  read: (reader: Reader) => Answer,
): Api<Args, Answer> {
  return {
    ...{ key, version, flexible: true },
    write: (writer, ...args) => {
      write(writer, ...args)
      writer.appendTaggedFields()
    },
    read: (reader) => {
      const answer = read(reader)
      reader.readTaggedFields()
      return answer
    },
  }
}

/**
 * A flexible version whose answer begins with throttle_time_ms. For so long the broker itself reads nothing from the connection
 * (KIP-219).
 */
export function throttled<Args extends unknown[], Answer>(
  key: number,
  version: number,
  write: (writer: Writer, ...args: Args) => void,
  read: (reader: Reader) => Answer,
): Api<Args, Answer> {
  return flexible(key, version, write, (reader) => {
    reader.skip(4)
    return read(reader)
  })
}
