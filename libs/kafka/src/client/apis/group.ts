import { apiKeys, throttled } from '../api.ts'

/** The kind of the keys of a search for a coordinator. */
export const GROUP_KEY = 0
export const TRANSACTION_KEY = 1

export interface Coordinator {
  readonly key: string
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly errorCode: number
  readonly errorMessage: string | null
}

/** Brokers from 2.4 on: one key. */
export const findCoordinatorV3 = throttled(
  apiKeys.findCoordinator,
  3,
  (writer, keyType: number, key: string) => {
    writer.appendString(key).appendInt8(keyType)
  },
  (reader): Omit<Coordinator, 'key'> => {
    const errorCode = reader.readInt16()
    const errorMessage = reader.readNullableString()
    const nodeId = reader.readInt32()
    return { errorCode, errorMessage, nodeId, host: reader.readString(), port: reader.readInt32() }
  },
)

/** Brokers from 3.0 on: many keys. */
export const findCoordinatorV4 = throttled(
  apiKeys.findCoordinator,
  4,
  (writer, keyType: number, keys: readonly string[]) => {
    writer.appendInt8(keyType).appendArray(keys, (key) => writer.appendString(key), false)
  },
  (reader) => {
    const coordinators = reader.readArray((): Coordinator => ({
      key: reader.readString(),
      nodeId: reader.readInt32(),
      host: reader.readString(),
      port: reader.readInt32(),
      errorCode: reader.readInt16(),
      errorMessage: reader.readNullableString(),
    }))
    return { coordinators }
  },
)

export interface JoinGroup {
  readonly groupId: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  /** '': a new member. */
  readonly memberId: string
  /** null: the member is dynamic (KIP-345). */
  readonly groupInstanceId: string | null
  readonly protocolType: string
  readonly protocols: readonly { readonly name: string; readonly metadata: Uint8Array }[]
}

export const joinGroupV7 = throttled(
  apiKeys.joinGroup,
  7,
  (writer, join: JoinGroup) => {
    writer.appendString(join.groupId).appendInt32(join.sessionTimeoutMs).appendInt32(join.rebalanceTimeoutMs)
    writer.appendString(join.memberId).appendString(join.groupInstanceId).appendString(join.protocolType)
    writer.appendArray(join.protocols, ({ name, metadata }) => writer.appendString(name).appendBytes(metadata))
  },
  (reader) => {
    const errorCode = reader.readInt16()
    const generationId = reader.readInt32()
    reader.readNullableString() // protocol_type
    reader.readNullableString() // protocol_name
    const leader = reader.readString()
    const memberId = reader.readString()
    const members = reader.readArray(() => ({
      memberId: reader.readString(),
      groupInstanceId: reader.readNullableString(),
      metadata: reader.readBytes(),
    }))
    return { errorCode, generationId, leader, memberId, members }
  },
)

export interface SyncGroup {
  readonly groupId: string
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly protocolType: string
  readonly protocolName: string
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Uint8Array }[]
}

export const syncGroupV5 = throttled(
  apiKeys.syncGroup,
  5,
  (writer, sync: SyncGroup) => {
    writer.appendString(sync.groupId).appendInt32(sync.generationId).appendString(sync.memberId)
    writer.appendString(sync.groupInstanceId).appendString(sync.protocolType).appendString(sync.protocolName)
    writer.appendArray(sync.assignments, ({ memberId, assignment }) => {
      writer.appendString(memberId).appendBytes(assignment)
    })
  },
  (reader) => {
    const errorCode = reader.readInt16()
    reader.readNullableString() // protocol_type
    reader.readNullableString() // protocol_name
    return { errorCode, assignment: reader.readBytes() }
  },
)

export const heartbeatV4 = throttled(
  apiKeys.heartbeat,
  4,
  (writer, groupId: string, generationId: number, memberId: string, groupInstanceId: string | null) => {
    writer.appendString(groupId).appendInt32(generationId).appendString(memberId).appendString(groupInstanceId)
  },
  (reader) => ({ errorCode: reader.readInt16() }),
)

export interface LeavingMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  /** For the log of the broker (KIP-800). */
  readonly reason: string
}

export const leaveGroupV5 = throttled(
  apiKeys.leaveGroup,
  5,
  (writer, groupId: string, members: readonly LeavingMember[]) => {
    writer.appendString(groupId).appendArray(members, ({ memberId, groupInstanceId, reason }) => {
      writer.appendString(memberId).appendString(groupInstanceId).appendString(reason)
    })
  },
  (reader) => {
    const errorCode = reader.readInt16()
    const members = reader.readArray(() => ({
      memberId: reader.readString(),
      groupInstanceId: reader.readNullableString(),
      errorCode: reader.readInt16(),
    }))
    return { errorCode, members }
  },
)

export const describeGroupsV5 = throttled(
  apiKeys.describeGroups,
  5,
  (writer, groups: readonly string[]) => {
    writer.appendArray(groups, (group) => writer.appendString(group), false)
    writer.appendBoolean(false) // include_authorized_operations
  },
  (reader) => {
    const groups = reader.readArray(() => {
      const errorCode = reader.readInt16()
      const groupId = reader.readString()
      const groupState = reader.readString()
      reader.readString() // protocol_type
      reader.readString() // protocol_data
      const members = reader.readArray(() => ({
        memberId: reader.readString(),
        groupInstanceId: reader.readNullableString(),
        clientId: reader.readString(),
        clientHost: reader.readString(),
        memberMetadata: reader.readBytes(),
        memberAssignment: reader.readBytes(),
      }))
      reader.readInt32() // authorized_operations
      return { errorCode, groupId, groupState, members }
    })
    return { groups }
  },
)
