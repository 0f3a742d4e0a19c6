import type { Assignment, KafkaAdmin, RoundMember } from '@tributary/kafka'
import type { Logger } from '@tributary/telemetry'

/** A control-plane replica as the other replicas see it. */
export interface Replica {
  /** The replica's member id in the group. */
  readonly id: string
  /** host:port at which other replicas reach its REST API. */
  readonly rest: string
  /** Whether the API is reached by https. Absent: by http. */
  readonly tls?: boolean
}

/** The metadata with which a replica joins the group. */
export interface ReplicaMetadata {
  /** host:port at which other replicas reach its REST API. */
  readonly rest: string
  /** Whether the API is reached by https. Absent: by http. */
  readonly tls?: boolean
  /** The generation of the group in which this replica became leader; 0 when it does not lead. */
  readonly leads: number
}

/** The assignment that every replica receives, the leader included. */
export interface LeaderAssignment extends Assignment {
  /** null: all replicas are about to leave. */
  readonly leader: Replica | null
}

/**
 * Elects the leader. The current leader stays until it leaves, so that joining replicas change nothing. When two
 * replicas claim to lead, the later leader wins, because its claim has fenced the other. `members` must be sorted by
 * member id.
 */
export function electLeader(members: readonly RoundMember<ReplicaMetadata>[]): Replica | null {
  let elected: RoundMember<ReplicaMetadata> | null = null
  for (const member of members) {
    if (member.leaving) continue
    if (elected === null || member.metadata.leads > elected.metadata.leads) elected = member
  }
  if (elected === null) return null
  const { rest, tls } = elected.metadata
  return { id: elected.memberId, rest, ...(tls === true && { tls }) }
}

const DESCRIBE_TIMEOUT_MS = 2000

const CLIENT_ID = 'control-plane@'

/**
 * The client id with which a replica joins its group. It contains the replica's address, because a broker reports
 * client ids at any time but metadata only between elections.
 */
export function clientIdOf(rest: string): string {
  return `${CLIENT_ID}${rest}`
}

/** The live replicas as their Kafka group knows them. While Kafka is away, the last known list is returned. */
export class ReplicaList {
  readonly #groups: Pick<KafkaAdmin, 'describeGroup'>
  readonly #groupId: string
  readonly #log: Logger
  #last: readonly Replica[] = []

  constructor(groups: Pick<KafkaAdmin, 'describeGroup'>, groupId: string, log: Logger) {
    this.#groups = groups
    this.#groupId = groupId
    this.#log = log
  }

  async read(): Promise<readonly Replica[]> {
    try {
      const signal = AbortSignal.timeout(DESCRIBE_TIMEOUT_MS)
      const { members } = await this.#groups.describeGroup(this.#groupId, { settleMs: 0, signal })
      this.#last = members.map(({ memberId, clientId }) => ({ id: memberId, rest: clientId.slice(CLIENT_ID.length) }))
    } catch (error) {
      this.#log.warn('replicas_unknown', { error })
    }
    return this.#last
  }
}
