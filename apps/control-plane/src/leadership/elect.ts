import type { Assignment, RoundMember } from '@tributary/kafka'

/** A control-plane replica as the others see it. */
export interface Replica {
  /** Its id as a member of the group. */
  readonly id: string
  /** host:port of its REST API, as others reach it. */
  readonly rest: string
}

/** What a replica joins the group with. */
export interface ReplicaMetadata {
  /** host:port of its REST API, as others reach it. */
  readonly rest: string
  /** Generation of the group since which it leads; 0 when it does not. */
  readonly leads: number
}

/** What the group tells every replica, the leader included. */
export interface LeaderAssignment extends Assignment {
  /** null: all replicas are about to leave. */
  readonly leader: Replica | null
}

/**
 * Who leads: the present leader as long as it is there and does not leave, so that joining replicas change nothing. Of two
 * that claim to lead it is the later one, as it has fenced the other. `members` stand in the order of their ids.
 */
export function electLeader(members: readonly RoundMember<ReplicaMetadata>[]): Replica | null {
  let elected: RoundMember<ReplicaMetadata> | null = null
  for (const member of members) {
    if (member.leaving) continue
    if (elected === null || member.metadata.leads > elected.metadata.leads) elected = member
  }
  return elected && { id: elected.memberId, rest: elected.metadata.rest }
}
