import type { KafkaConnection } from '@tributary/config'
import {
  type Api,
  type Connection,
  describeGroupsV5,
  heartbeatV4,
  joinGroupV7,
  leaveGroupV5,
  syncGroupV5,
} from '../client/index.ts'
import { call, Cluster, findCoordinator } from '../cluster/cluster.ts'
import { checkCode, KafkaError } from '../cluster/errors.ts'

export interface GroupCoordinatorOptions {
  readonly connection: KafkaConnection
  readonly groupId: string
  /** The stable name of a static member (KIP-345); null: the member is dynamic. */
  readonly instanceId: string | null
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
}

const PROTOCOL_TYPE = 'tributary'
const PROTOCOL_NAME = 'coop-v1'

/** Errors after which the coordinator must be looked up again. */
const MOVED = ['NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE', 'COORDINATOR_LOAD_IN_PROGRESS']

/**
 * The requests of one group member, on two connections to the coordinator of the group: a join occupies its connection
 * until the round is complete, and heartbeats must go on meanwhile. Each request finds the coordinator and connects
 * when needed, tries once, and rejects with a KafkaError.
 */
export class GroupCoordinator {
  readonly #options: GroupCoordinatorOptions
  readonly #cluster: Cluster
  readonly #connections: Record<'rounds' | 'heartbeats', Promise<Connection> | null> = {
    rounds: null,
    heartbeats: null,
  }

  constructor(options: GroupCoordinatorOptions) {
    this.#options = options
    this.#cluster = new Cluster(options.connection)
  }

  /**
   * Joins a round and waits until it is complete. A new dynamic member (`memberId` '') gets its id first (KIP-394). A new
   * static member replaces the one with its instance id, which is fenced from then on. If the group is stable, the answer
   * comes without a round: the generation stays, and `sync` answers with the assignment of the replaced member. `leader`
   * then names a member that may be gone, as version 7 of the request keeps the new member from leading (KIP-814); the
   * caller asks for a round.
   */
  async join(memberId: string, metadata: Buffer): Promise<JoinedRound> {
    const { groupId, instanceId, sessionTimeoutMs, rebalanceTimeoutMs } = this.#options
    const join = {
      ...{ groupId, sessionTimeoutMs, rebalanceTimeoutMs, memberId, groupInstanceId: instanceId },
      ...{ protocolType: PROTOCOL_TYPE, protocols: [{ name: PROTOCOL_NAME, metadata }] },
    }
    let response = await this.#request('rounds', joinGroupV7, join)
    if (memberId === '' && response.memberId !== '' && response.generationId < 0) {
      response = await this.#request('rounds', joinGroupV7, { ...join, memberId: response.memberId })
    }
    this.#check(response.errorCode, 'join')
    const { generationId: generation, leader, members } = response
    return { memberId: response.memberId, generation, leader, members }
  }

  /** Ends a round: the leader passes the assignments of all members, and each member gets its own. */
  async sync(memberId: string, generation: number, assignments: ReadonlyMap<string, Buffer>): Promise<Buffer> {
    const { groupId, instanceId } = this.#options
    const response = await this.#request('rounds', syncGroupV5, {
      ...{ groupId, generationId: generation, memberId, groupInstanceId: instanceId },
      ...{ protocolType: PROTOCOL_TYPE, protocolName: PROTOCOL_NAME },
      assignments: Array.from(assignments, ([id, assignment]) => ({ memberId: id, assignment })),
    })
    this.#check(response.errorCode, 'sync')
    return response.assignment
  }

  async heartbeat(memberId: string, generation: number): Promise<void> {
    const { groupId, instanceId } = this.#options
    const response = await this.#request('heartbeats', heartbeatV4, groupId, generation, memberId, instanceId)
    this.#check(response.errorCode, 'heartbeat')
  }

  /**
   * The member that a join under this instance id would replace. `metadata`: what it joined with; empty while the group is
   * not stable. null: there is none.
   */
  async predecessor(): Promise<{ readonly metadata: Buffer } | null> {
    const { groupId, instanceId } = this.#options
    const response = await this.#request('heartbeats', describeGroupsV5, [groupId])
    const group = response.groups[0]
    this.#check(group?.errorCode ?? -1, 'describe')
    const found = group!.members.find((member) => member.groupInstanceId === instanceId)
    return found ? { metadata: found.memberMetadata } : null
  }

  /** Removes this member from the group at once, a static member too. `reason` is for the log of the broker (KIP-800). */
  leave(memberId: string, reason: string): Promise<void> {
    return this.#remove(memberId, this.#options.instanceId, reason)
  }

  /** Removes another member. */
  evict(memberId: string): Promise<void> {
    return this.#remove(memberId, null, 'evicted')
  }

  /** Closes both connections; requests in flight reject. Idempotent. */
  async close(): Promise<void> {
    const open = Object.values(this.#connections).filter((connection) => connection !== null)
    this.#connections.rounds = this.#connections.heartbeats = null
    await this.#cluster.close()
    for (const connection of await Promise.allSettled(open)) {
      if (connection.status === 'fulfilled') await connection.value.close()
    }
  }

  async #remove(memberId: string, groupInstanceId: string | null, reason: string): Promise<void> {
    const member = { memberId, groupInstanceId, reason }
    const response = await this.#request('heartbeats', leaveGroupV5, this.#options.groupId, [member])
    this.#check(response.errorCode || (response.members[0]?.errorCode ?? 0), 'leave')
  }

  async #request<A extends unknown[], R>(role: 'rounds' | 'heartbeats', api: Api<A, R>, ...args: A): Promise<R> {
    const present = this.#connections[role]
    const connection = await (present ?? this.#open(role))
    if (connection.isOpen) return call(connection, api, ...args)
    if (this.#connections[role] === present) this.#connections[role] = null
    return call(await (this.#connections[role] ?? this.#open(role)), api, ...args)
  }

  #open(role: 'rounds' | 'heartbeats'): Promise<Connection> {
    const { groupId, sessionTimeoutMs, rebalanceTimeoutMs } = this.#options
    const timeoutMs = role === 'rounds' ? rebalanceTimeoutMs + 10_000 : Math.max(1000, sessionTimeoutMs / 3)
    const opening = findCoordinator(this.#cluster, groupId, 'Read').then((address) =>
      this.#cluster.open(address, timeoutMs),
    )
    this.#connections[role] = opening
    opening.catch(() => {
      if (this.#connections[role] === opening) this.#connections[role] = null
    })
    return opening
  }

  #check(code: number, doing: string): void {
    try {
      const { groupId } = this.#options
      const lacking = this.#cluster.lacking(doing === 'describe' ? 'Describe' : 'Read', 'Group', groupId)
      checkCode(code, `${doing} group ${groupId}`, lacking)
    } catch (error) {
      if (error instanceof KafkaError && MOVED.includes(error.code)) this.#forget()
      throw error
    }
  }

  /** Both connections may lead to a broker that no longer coordinates the group. */
  #forget(): void {
    for (const role of ['rounds', 'heartbeats'] as const) {
      const connection = this.#connections[role]
      this.#connections[role] = null
      connection?.then((c) => c.close()).catch(() => undefined)
    }
  }
}

export interface JoinedRound {
  readonly memberId: string
  readonly generation: number
  readonly leader: string
  /** All members with what they joined with. Only the leader gets them. */
  readonly members: readonly { readonly memberId: string; readonly metadata: Buffer }[]
}
