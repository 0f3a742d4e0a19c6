import { apiKeys, throttled } from '../api.ts'
import type { Reader } from '../reader.ts'

export const TOPIC_RESOURCE = 2

export interface Metadata {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[]
  readonly clusterId: string | null
  readonly controllerId: number
  readonly topics: readonly {
    readonly errorCode: number
    readonly name: string | null
    /** Zeros before version 10. */
    readonly topicId: string
    readonly partitions: readonly {
      readonly errorCode: number
      readonly partitionIndex: number
      readonly leaderId: number
      readonly replicaNodes: readonly number[]
    }[]
  }[]
}

const NO_ID = '00000000-0000-0000-0000-000000000000'

function readMetadata(reader: Reader, version: 9 | 12): Metadata {
  const ints = (): number[] => reader.readArray(() => reader.readInt32(), true, false)
  const brokers = reader.readArray(() => {
    const broker = { nodeId: reader.readInt32(), host: reader.readString(), port: reader.readInt32() }
    reader.readNullableString() // rack
    return broker
  })
  const clusterId = reader.readNullableString()
  const controllerId = reader.readInt32()
  const topics = reader.readArray(() => {
    const errorCode = reader.readInt16()
    const name = reader.readNullableString()
    const topicId = version === 12 ? reader.readUuid() : NO_ID
    reader.readBoolean() // is_internal
    const partitions = reader.readArray(() => {
      const partition = {
        errorCode: reader.readInt16(),
        partitionIndex: reader.readInt32(),
        leaderId: reader.readInt32(),
        leaderEpoch: reader.readInt32(),
        replicaNodes: ints(),
      }
      ints() // isr_nodes
      ints() // offline_replicas
      return partition
    })
    reader.readInt32() // topic_authorized_operations
    return { errorCode, name, topicId, partitions }
  })
  if (version === 9) reader.readInt32() // cluster_authorized_operations
  return { brokers, clusterId, controllerId, topics }
}

/** Brokers from 2.4 on. Never creates a topic. */
export const metadataV9 = throttled(
  apiKeys.metadata,
  9,
  (writer, topics: readonly string[]) => {
    writer.appendArray(topics, (topic) => writer.appendString(topic))
    writer.appendBoolean(false) // allow_auto_topic_creation
    writer.appendBoolean(false) // include_cluster_authorized_operations
    writer.appendBoolean(false) // include_topic_authorized_operations
  },
  (reader) => readMetadata(reader, 9),
)

/** Brokers from 3.1 on: with the ids of topics. Never creates a topic. */
export const metadataV12 = throttled(
  apiKeys.metadata,
  12,
  (writer, topics: readonly string[]) => {
    writer.appendArray(topics, (topic) => writer.appendUuid(null).appendString(topic))
    writer.appendBoolean(false) // allow_auto_topic_creation
    writer.appendBoolean(false) // include_topic_authorized_operations
  },
  (reader) => readMetadata(reader, 12),
)

export interface TopicToCreate {
  readonly name: string
  readonly numPartitions: number
  readonly replicationFactor: number
  readonly configs: readonly { readonly name: string; readonly value: string }[]
}

export const createTopicsV7 = throttled(
  apiKeys.createTopics,
  7,
  (writer, topics: readonly TopicToCreate[], timeoutMs: number) => {
    writer.appendArray(topics, ({ name, numPartitions, replicationFactor, configs }) => {
      writer.appendString(name).appendInt32(numPartitions).appendInt16(replicationFactor)
      writer.appendArray([], () => undefined) // assignments
      writer.appendArray(configs, (config) => writer.appendString(config.name).appendString(config.value))
    })
    writer.appendInt32(timeoutMs).appendBoolean(false) // validate_only
  },
  (reader) => {
    const topics = reader.readArray(() => {
      const name = reader.readString()
      reader.readUuid() // topic_id
      const answer = { name, errorCode: reader.readInt16(), errorMessage: reader.readNullableString() }
      reader.skip(4 + 2) // num_partitions, replication_factor
      reader.readArray(() => {
        reader.readString() // name
        reader.readNullableString() // value
        reader.skip(1 + 1 + 1) // read_only, config_source, is_sensitive
      })
      return answer
    })
    return { topics }
  },
)

export const deleteTopicsV6 = throttled(
  apiKeys.deleteTopics,
  6,
  (writer, names: readonly string[], timeoutMs: number) => {
    writer.appendArray(names, (name) => writer.appendString(name).appendUuid(null)).appendInt32(timeoutMs)
  },
  (reader) => {
    const responses = reader.readArray(() => {
      const name = reader.readNullableString()
      reader.readUuid() // topic_id
      return { name, errorCode: reader.readInt16(), errorMessage: reader.readNullableString() }
    })
    return { responses }
  },
)

export interface ConfigResource {
  readonly resourceType: number
  readonly resourceName: string
  readonly configurationKeys: readonly string[]
}

export const describeConfigsV4 = throttled(
  apiKeys.describeConfigs,
  4,
  (writer, resources: readonly ConfigResource[]) => {
    writer.appendArray(resources, ({ resourceType, resourceName, configurationKeys }) => {
      writer.appendInt8(resourceType).appendString(resourceName)
      writer.appendArray(configurationKeys, (key) => writer.appendString(key), false)
    })
    writer.appendBoolean(false) // include_synonyms
    writer.appendBoolean(false) // include_documentation
  },
  (reader) => {
    const results = reader.readArray(() => {
      const errorCode = reader.readInt16()
      const errorMessage = reader.readNullableString()
      reader.readInt8() // resource_type
      reader.readString() // resource_name
      const configs = reader.readArray(() => {
        const config = { name: reader.readString(), value: reader.readNullableString() }
        reader.skip(1 + 1 + 1) // read_only, config_source, is_sensitive
        reader.readArray(() => {
          reader.readString() // name
          reader.readNullableString() // value
          reader.readInt8() // source
        })
        reader.readInt8() // config_type
        reader.readNullableString() // documentation
        return config
      })
      return { errorCode, errorMessage, configs }
    })
    return { results }
  },
)

export interface ConfigChange {
  readonly resourceType: number
  readonly resourceName: string
  /** null removes the setting. */
  readonly changes: readonly { readonly name: string; readonly value: string | null }[]
}

const SET = 0
const DELETE = 1

export const incrementalAlterConfigsV1 = throttled(
  apiKeys.incrementalAlterConfigs,
  1,
  (writer, changes: readonly ConfigChange[]) => {
    writer.appendArray(changes, ({ resourceType, resourceName, changes: settings }) => {
      writer.appendInt8(resourceType).appendString(resourceName)
      writer.appendArray(settings, ({ name, value }) => {
        writer
          .appendString(name)
          .appendInt8(value === null ? DELETE : SET)
          .appendString(value)
      })
    })
    writer.appendBoolean(false) // validate_only
  },
  (reader) => {
    const responses = reader.readArray(() => {
      const answer = { errorCode: reader.readInt16(), errorMessage: reader.readNullableString() }
      reader.readInt8() // resource_type
      reader.readString() // resource_name
      return answer
    })
    return { responses }
  },
)

export interface OffsetQuery {
  readonly name: string
  readonly partitions: readonly {
    readonly partitionIndex: number
    readonly currentLeaderEpoch: number
    readonly timestamp: bigint
  }[]
}

export const listOffsetsV7 = throttled(
  apiKeys.listOffsets,
  7,
  (writer, isolation: number, topics: readonly OffsetQuery[]) => {
    writer.appendInt32(-1).appendInt8(isolation) // replica_id: a client
    writer.appendArray(topics, ({ name, partitions }) => {
      writer.appendString(name).appendArray(partitions, ({ partitionIndex, currentLeaderEpoch, timestamp }) => {
        writer.appendInt32(partitionIndex).appendInt32(currentLeaderEpoch).appendInt64(timestamp)
      })
    })
  },
  (reader) => {
    const topics = reader.readArray(() => {
      const name = reader.readString()
      const partitions = reader.readArray(() => {
        const partitionIndex = reader.readInt32()
        const errorCode = reader.readInt16()
        reader.readInt64() // timestamp
        const offset = reader.readInt64()
        reader.readInt32() // leader_epoch
        return { partitionIndex, errorCode, offset }
      })
      return { name, partitions }
    })
    return { topics }
  },
)
