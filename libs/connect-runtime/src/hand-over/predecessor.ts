import type { SourceTask } from '@tributary/connect-api'
import type { Logger } from '@tributary/telemetry'

/** The earlier run of a task, from which a new run takes over with overlap. It runs in this process or on another worker. */
export interface PredecessorRun {
  /** Whether the predecessor is behind at present. Only the predecessor can read what its transport holds. Absent: not known. */
  behind?(): boolean
  /**
   * Ends the predecessor. Resolves with its hand-over state once it has delivered everything that it received and its offsets are
   * durable, or once it has abandoned the rest. Each run calls this once. `connected`: whether the new run has a connection of its
   * own; false when it has tried for `task.handover.timeout.ms`. Rejects with the error that ends the new run instead. The new run
   * does not fail by `PredecessorGoesOn`.
   */
  finish(connected: boolean): Promise<string | null>
}

/** The predecessor keeps the task. The new run stops and reports no failure. */
export class PredecessorGoesOn extends Error {}

/** Bytes of UTF-8. A record of the status topic carries the hand-over state to another worker. */
const MAX_STATE_BYTES = 64 * 1024

/**
 * Reads the state that a task leaves to its successor beside the offsets (`SourceTask.handOver`); null without one. An error, or a
 * state over 64 KiB, is only logged: the successor then has the offsets alone, which may cause duplicates and never a loss.
 */
export function handOverStateOf(task: Pick<SourceTask, 'handOver'>, log: Logger): string | null {
  try {
    const state = task.handOver?.() ?? null
    const bytes = state === null ? 0 : Buffer.byteLength(state)
    if (bytes <= MAX_STATE_BYTES) return state
    log.warn('hand_over_state_dropped', { bytes, max_bytes: MAX_STATE_BYTES })
  } catch (error) {
    log.warn('hand_over_state_dropped', { error })
  }
  return null
}
