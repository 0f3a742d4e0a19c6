/** What the herder needs of the worker's group membership (libs/kafka's GroupMember). */
export interface Group {
  readonly generation: number
  /** The right to have side effects: heartbeats were accepted within 0.85 of the session timeout. */
  leaseValid(): boolean
  waitForLease(signal: AbortSignal): Promise<void>
  /** Joins again soon, to tell that something changed. */
  rejoin(): void
}

/** What a member tells the leader when it joins. */
export interface MemberMetadata {
  /** host:port of the worker's admin server. */
  readonly worker: string
  /** Next offset of the config topic that the member will apply. */
  readonly cfg: string
  readonly own: readonly (readonly [unit: string, epoch: number, stopping: 0 | 1])[]
  /** Units of others that it is about to be ready for. Absent, as is `ready`: its version cannot prepare any. */
  readonly preparing?: readonly string[]
  /** Units of others that it can take at once: their owners need go on no longer. */
  readonly ready?: readonly string[]
}

/** What the leader gives to a member. */
export interface MemberAssignment {
  readonly run: readonly string[]
  /** What it will run, but another member still does: to be started and connected beside that one. Absent: nothing. */
  readonly prepare?: readonly string[]
  readonly cfg: string
  readonly followup: boolean
}

/** `c/<connector>` and `t/<task>/<connector>`: units of work as the protocol carries them. */
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
