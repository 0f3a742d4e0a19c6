/** States of a run: starting → running ⇄ paused → stopped; any → failed. */
export type TaskState = 'starting' | 'running' | 'paused' | 'stopped' | 'failed'

export interface TaskId {
  readonly connector: string
  readonly task: number
}

/**
 * The right to have side effects. An expired lease suspends the task: nothing is sent, committed or acknowledged until the lease
 * is valid again or the task ends.
 */
export interface Lease {
  /** Whether the lease is valid now, or was released. */
  valid(): boolean
  /** Resolves at once while the lease is valid. Reads the clock at each call, since a timer may be delayed. */
  passed(signal: AbortSignal): Promise<void>
  /** Called when another worker has the task. Nothing waits for the lease from then on. */
  release(): void
}
