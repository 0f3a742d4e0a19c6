import type { TaskRun } from './task-run.ts'

/** What a task would do with a configuration, and why. */
export interface PlannedRun {
  readonly action: 'nothing' | 'hand-over' | 'restart'
  /** A sentence. */
  readonly why: string
}

/** What decides, beside the runs, whether one run can follow another with overlap. */
export interface OverlapState {
  readonly released: boolean
  readonly paused: boolean
  /** Another worker still runs the task. */
  readonly arriving: boolean
  readonly failed: boolean
  /** The source has refused a second connection, and is not to be asked again yet. */
  readonly refused: boolean
}

/**
 * Why no run can follow the predecessor with overlap, as the end of a sentence; null: one can. Without a successor only what the
 * predecessor tells.
 */
export function whyAlone(
  predecessor: TaskRun | null,
  successor: TaskRun | null,
  { released, paused, arriving, failed, refused }: OverlapState,
): string | null {
  if (predecessor === null || released) return 'the task does not run here'
  if (paused) return 'the task is paused'
  if (arriving) return 'the task is moving from another worker to this one'
  if (!predecessor.streaming) return failed ? 'the task has failed' : 'the task is not connected'
  if (refused) return 'the source has refused a second connection beside the first one lately'
  if (successor === null) return null
  return whyNoPolicy(predecessor) ?? whyNoPolicy(successor)
}

/** `alone`: of `whyAlone`. */
export function plannedRun(alone: string | null): PlannedRun {
  return alone === null
    ? { action: 'hand-over', why: 'A new run connects and takes over while the present one reads.' }
    : { action: 'restart', why: `The present run ends before a new one connects: ${alone}.` }
}

export const STAYS: PlannedRun = { action: 'nothing', why: 'The configuration of the task stays the same.' }

function whyNoPolicy({ handOverPolicy, props }: TaskRun): string | null {
  if (handOverPolicy !== null) return null
  const never = props['task.handover.overlap']?.trim().toLowerCase() === 'never'
  return never ? 'task.handover.overlap is never' : 'the source does not let two runs overlap'
}
