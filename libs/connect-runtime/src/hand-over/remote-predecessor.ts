import { Gate } from '@tributary/async'
import type { StatusStore } from '@tributary/connect-storage'
import { runOutsideScopes } from '../isolation/plugin-scope.ts'
import type { TaskId } from '../model/task.ts'
import { PredecessorGoesOn, type PredecessorRun } from './predecessor.ts'

export interface RemotePredecessorOptions {
  readonly id: TaskId
  readonly status: Pick<StatusStore, 'task' | 'refresh'>
  /** The run here is ready to take over; `connected` is false when it has tried in vain for as long as it may. */
  readonly onReady: (connected: boolean) => void
}

/**
 * The run of a task on the worker that has the task at present. That run ends when the group takes the task from its worker, and
 * is over when the group gives the task to this worker.
 */
export class RemotePredecessor implements PredecessorRun {
  /** The predecessor has ended, and the task is this worker's. */
  over = false
  readonly #options: RemotePredecessorOptions
  readonly #assigned = new Gate(false)
  readonly #calledOff = new AbortController()
  #finishing: Promise<string | null> | null = null

  constructor(options: RemotePredecessorOptions) {
    this.#options = options
  }

  /** The group has given the task to this worker: no other worker has it any more. */
  assignedHere(): void {
    this.#assigned.open()
  }

  /** The task will not be this worker's. */
  callOff(): void {
    this.#calledOff.abort(new PredecessorGoesOn())
  }

  /** Asked by several runs here, as after a changed configuration or a failure, the predecessor is still ended once. */
  finish(connected: boolean): Promise<string | null> {
    this.#finishing ??= runOutsideScopes(() => this.#finish(connected))
    return this.#finishing
  }

  async #finish(connected: boolean): Promise<string | null> {
    const { id, status, onReady } = this.#options
    if (!this.#assigned.isOpen) onReady(connected)
    await this.#assigned.passed(this.#calledOff.signal)
    await status.refresh()
    this.over = true
    const last = status.task(id.connector, id.task)
    // An owner that died has not written its end: the status is then that of its last change, without a hand-over state.
    return last?.state === 'UNASSIGNED' ? (last.handOver ?? null) : null
  }
}
