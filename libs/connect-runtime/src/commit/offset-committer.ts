import { CommitTurns } from './commit-turns.ts'
import type { InFlight } from './in-flight.ts'
import type { Clock } from '@tributary/async'
import type { SourceTask } from '@tributary/connect-api'
import type { OffsetStore } from '@tributary/connect-storage'
import type { Logger } from '@tributary/telemetry'
import type { SourceTaskConfig } from '../model/source-task-config.ts'
import { offsetEntries } from '../records/batch.ts'
import type { Lease, TaskId } from '../model/task.ts'
import type { TaskProgress } from '../model/task-progress.ts'

export interface OffsetCommitterOptions {
  readonly parts: {
    readonly id: TaskId
    readonly task: Pick<SourceTask, 'commit'>
    readonly offsets: Pick<OffsetStore, 'write'>
    readonly lease: Lease
    readonly config: Pick<SourceTaskConfig, 'commitIntervalMs'>
    readonly clock: Clock
    readonly log: Logger
  }
  readonly inFlight: InFlight
  readonly progress: TaskProgress
  /** Whether another worker has the task now. This worker must not overwrite that worker's offsets. */
  readonly lost: () => boolean
}

/** All tasks of the process share the turns. */
const turns = new CommitTurns()

/** Writes the offsets of the acknowledged prefix. Under exactly once this class writes none, since the transactions hold them. */
export class OffsetCommitter {
  readonly #options: OffsetCommitterOptions

  constructor(options: OffsetCommitterOptions) {
    this.#options = options
  }

  /** Commits whenever offsets wait, at most once per `offset.commit.interval.ms`, in turn with the other tasks. Rejects with the reason of `stopping`. */
  async run(stopping: AbortSignal, abandon: AbortSignal): Promise<never> {
    const { parts, inFlight } = this.#options
    for (;;) {
      await inFlight.committable.passed(stopping)
      await turns.next(stopping)
      await this.commit(abandon)
      await parts.clock.sleep(parts.config.commitIntervalMs, stopping)
    }
  }

  /** Commits once. Resolves when the offsets are durable and the task's own `commit` has resolved. */
  async commit(signal: AbortSignal): Promise<void> {
    const { parts, inFlight, progress, lost } = this.#options
    const { offsets, id, task, lease, log } = parts
    if (lost()) return
    await lease.passed(signal)
    const taken = inFlight.takeCommittable()
    if (taken === null) return
    try {
      await offsets.write(id.connector, offsetEntries(taken.offsets), signal)
    } catch (error) {
      inFlight.restore(taken)
      throw error
    }
    log.debug('offsets_committed', { records: taken.recordCount })
    progress.committed(taken.recordCount)
    await task.commit?.(signal)
  }
}
