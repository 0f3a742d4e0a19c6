import type { KafkaConnection } from '@tributary/config'
import type { Logger } from '@tributary/telemetry'
import type { GroupInstance } from './group-instance.ts'
import type { LeaseClock } from './lease.ts'

/** A member as the leader of the group sees it. */
export interface RoundMember<M> {
  readonly memberId: string
  /** The member is leaving: it wants nothing and gives up what it owns. */
  readonly leaving: boolean
  /** The result of its `metadata()`. */
  readonly metadata: M
}

/**
 * The assignment of one member. `followup`: another round follows soon, because something is withheld until its owner
 * has given it up.
 */
export interface Assignment {
  readonly followup?: boolean
}

export interface GroupMemberOptions<M extends object, A extends Assignment> {
  readonly connection: KafkaConnection
  readonly groupId: string
  /** JSON for the leader and for `KafkaAdmin.describeGroup`. Called at the start of every round. */
  readonly metadata: () => M
  /** Whether a member's metadata has the shape of `M`. A member with any other gets nothing assigned. Absent: all have. */
  readonly readsMetadata?: (metadata: unknown) => boolean
  /** Whether an assignment has the shape of `A`. Any other is not passed on. Absent: all have. */
  readonly readsAssignment?: (assignment: unknown) => boolean
  /**
   * Called on the leader: decides the assignment of each member. A member without an entry keeps what it has, and its
   * `onAssignment` is not called.
   */
  readonly assign: (members: readonly RoundMember<M>[], generation: number) => Map<string, A> | Promise<Map<string, A>>
  /**
   * Called with each assignment. Synchronous: when it returns, everything that the member must not do any more is
   * marked. The stopping itself goes on in the background. `inherited`: the assignment was made for the process that had
   * the instance id before; a round follows.
   */
  readonly onAssignment: (assignment: A, generation: number, inherited: boolean) => void
  /**
   * The group forgot this member. Everything that it has may belong to another member until an assignment names it. The
   * member joins again by itself.
   */
  readonly onLost: (reason: string) => void
  /** Absent: the member is dynamic, and a killed process keeps its place until its session ends. */
  readonly instance?: GroupInstance<M>
  readonly log: Logger
  /** ms, within the broker's group.min/max.session.timeout.ms (6000 to 1800000); default 10000. */
  readonly sessionTimeoutMs?: number
  /** ms, default 500. */
  readonly heartbeatIntervalMs?: number
  /** ms that a round waits for its members; default 10000. */
  readonly rebalanceTimeoutMs?: number
  readonly clock?: LeaseClock
}
