import { Gate } from '@tributary/async'
import type { StatusStore } from '@tributary/connect-storage'
import { runOutsideScopes } from '../isolation/plugin-scope.ts'
import type { TaskId } from '../model/task.ts'
import { PredecessorGoesOn, type PredecessorRun } from './predecessor.ts'

export interface RemotePredecessorOptions {
  readonly id: TaskId
  readonly status: Pick<StatusStore, 'task' | 'refresh'>
  /** Called when the run on this worker is ready to take over. `connected` is false when it could not connect in time. */
  readonly onReady: (connected: boolean) => void
}

/**
 * The run of a task on another worker, the present owner. The run ends when the group revokes the task from its owner. The run is
 * over when the group assigns the task to this worker.
 */
export class RemotePredecessor implements PredecessorRun {
  /** Whether the predecessor has ended and this worker has the task. */
  over = false
  readonly #options: RemotePredecessorOptions
  readonly #assigned = new Gate(false)
  readonly #calledOff = new AbortController()
  #finishing: Promise<string | null> | null = null

  constructor(options: RemotePredecessorOptions) {
    this.#options = options
  }

  /** Called when the group has assigned the task to this worker, so no other worker has it. */
  assignedHere(): void {
    this.#assigned.open()
  }

  /** Called when the task will not move to this worker. */
  callOff(): void {
    this.#calledOff.abort(new PredecessorGoesOn())
  }

  /** Ends the predecessor once, although a changed configuration or a failure makes several runs on this worker call this. */
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
    // An owner that died has not written UNASSIGNED. Its last status has no hand-over state.
    return last?.state === 'UNASSIGNED' ? (last.handOver ?? null) : null
  }
}
