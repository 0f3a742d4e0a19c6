import { Gate } from '@tributary/async'
import type { StatusStore } from '@tributary/connect-storage'
import { type FormerRun, FormerRunGoesOn } from './predecessor-run.ts'
import type { TaskId } from '../task/task-parts.ts'

export interface FormerOwnerOptions {
  readonly id: TaskId
  readonly status: Pick<StatusStore, 'task' | 'refresh'>
  /** The run here is ready to take over; `connected` is false when it tried in vain for as long as it may. */
  readonly onReady: (connected: boolean) => void
}

/**
 * The run of a task on the worker that has it at present. It ends when the group takes the task from that one, and is over
 * when the group gives the task to this worker.
 */
export class FormerOwner implements FormerRun {
  readonly #options: FormerOwnerOptions
  readonly #given = new Gate(false)
  readonly #kept = new AbortController()

  constructor(options: FormerOwnerOptions) {
    this.#options = options
  }

  /** The group has given the task to this worker: nobody else has it any more. */
  gone(): void {
    this.#given.open()
  }

  /** The task will not be this worker's. */
  goesOn(): void {
    this.#kept.abort(new FormerRunGoesOn())
  }

  async finish(connected: boolean): Promise<string | null> {
    const { id, status, onReady } = this.#options
    if (!this.#given.isOpen) onReady(connected)
    await this.#given.passed(this.#kept.signal)
    await status.refresh()
    const last = status.task(id.connector, id.task)
    // Of an owner that died the topic still says what it did last.
    return last?.state === 'UNASSIGNED' ? (last.handOver ?? null) : null
  }
}
