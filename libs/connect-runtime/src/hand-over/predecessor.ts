import type { SourceTask } from '@tributary/connect-api'
import type { Logger } from '@tributary/telemetry'

/** The run of a task that a new run follows with overlap. It is in this process or on another worker. */
export interface PredecessorRun {
  /** Whether the predecessor cannot keep up at present. Nobody else can read what waits in its transport. Absent: not known. */
  behind?(): boolean
  /**
   * Ends the predecessor. Resolves with its hand-over state once everything that it took in is delivered and its offsets are
   * durable, or once that was given up. Called once: with true when the new run has been connected beside it for a while, with
   * false when the new run has tried to connect for long enough. Rejects with the error that is to end the new run instead;
   * `PredecessorGoesOn` is nobody's failure.
   */
  finish(connected: boolean): Promise<string | null>
}

/** The task stays with its predecessor. The new run ends, and nobody is told. */
export class PredecessorGoesOn extends Error {}

/** Bytes of UTF-8. The hand-over state travels to another worker within a record of the status topic. */
const MAX_STATE_BYTES = 64 * 1024

/**
 * What a task tells its successor beside the offsets (`SourceTask.handOver`). Without it the successor has the offsets alone,
 * which may cost duplicates and never a loss; so an error here is logged and nothing more.
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
