/** The part of the worker's group membership (libs/kafka's GroupMember) that the herder needs. */
export interface Group {
  readonly generation: number
  /** The worker may have side effects: the coordinator accepted a heartbeat within 0.85 of the session timeout. */
  leaseValid(): boolean
  waitForLease(signal: AbortSignal): Promise<void>
  /** Joins the group again soon, to publish changed metadata. */
  rejoin(): void
}

/** What a member reports to the leader when it joins. */
export interface MemberMetadata {
  /** host:port of the worker's admin server. */
  readonly worker: string
  /** Whether the admin server answers by https. Absent: by http. */
  readonly tls?: boolean
  /** Next offset of the config topic that the member will apply. */
  readonly cfg: string
  readonly own: readonly (readonly [unit: string, epoch: number, stopping: 0 | 1])[]
  /** Other members' units that this member prepares. Absent, as is `ready`: its version cannot prepare units. */
  readonly preparing?: readonly string[]
  /** Other members' units that this member can take at once, so that their owners may stop them. */
  readonly ready?: readonly string[]
  /** The keys of the plugins that this process has, as in the plugins topic. Absent: its version does not tell. */
  readonly plugins?: readonly string[]
  /** The lock that this process holds until it ends. Absent: it holds none. */
  readonly lock?: string
}

/** What the leader assigns to a member. */
export interface MemberAssignment {
  readonly run: readonly string[]
  /** Units that another member still runs. This member starts and connects them beside the owner. Absent: none. */
  readonly prepare?: readonly string[]
  /** Units of `run` that another member prepares at present. Absent: none, or the leader's version does not tell. */
  readonly moving?: readonly string[]
  readonly cfg: string
  readonly followup: boolean
}

/** Names of units of work in the protocol: `c/<connector>` and `t/<task>/<connector>`. */
export const unitOf = {
  connector: (connector: string): string => `c/${connector}`,
  task: (connector: string, task: number): string => `t/${task}/${connector}`,
}

export type Unit = { readonly connector: string; readonly task: number | null }

export function parseUnit(unit: string): Unit {
  if (unit.startsWith('c/')) return { connector: unit.slice(2), task: null }
  const slash = unit.indexOf('/', 2)
  return { connector: unit.slice(slash + 1), task: Number(unit.slice(2, slash)) }
}
