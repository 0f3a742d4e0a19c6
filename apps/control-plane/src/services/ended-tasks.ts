import type { ConfigStore } from '@tributary/connect-storage'
import { setTimeout as sleep } from 'node:timers/promises'
import { restError } from '../http/rest-errors.ts'
import type { ConnectorViews } from './connector-views.ts'
import type { Workers } from './workers.ts'

export interface EndedTasksOptions {
  readonly config: ConfigStore
  readonly views: ConnectorViews
  readonly workers: Workers
  /** How long a stop may take, in ms. */
  readonly timeoutMs?: number
}

/** More than a graceful stop and, for a worker that went away, the end of its session. */
const TIMEOUT_MS = 60_000
const POLL_MS = 100

/** Knows when nothing of a stopped connector runs any more. */
export class EndedTasks {
  readonly #options: EndedTasksOptions

  constructor(options: EndedTasksOptions) {
    this.#options = options
  }

  /**
   * Waits until every live worker says that it has no task of the connector. (A status may be gone before its task: it is
   * the worker who knows.) Who has left the group has lost its lease, and commits nothing. Throws when that takes too long.
   */
  async wait(connector: string): Promise<void> {
    const service = this.#options.views.plugin(connector)?.service
    // Of a class that no worker has published no task ever ran.
    if (service === undefined) return
    const deadline = performance.now() + (this.#options.timeoutMs ?? TIMEOUT_MS)
    for (;;) {
      const busy = await this.#busy(connector, service)
      if (busy.length === 0) return
      if (performance.now() >= deadline) throw restError('tasksRunning', connector, busy)
      await sleep(POLL_MS)
    }
  }

  /** Workers that have a task, or may: they do not answer, or have still to hear that there are none. */
  async #busy(connector: string, service: string): Promise<readonly string[]> {
    const { config, workers } = this.#options
    const members = await workers.members(service)
    // While the group rebalances nobody is told who its members are.
    if (members === null) return [`the group ${workers.groupOf(service)}, which is rebalancing`]
    if (config.snapshot.tasks(connector).length > 0) return members
    const tasks = await Promise.all(members.map((worker) => workers.tasksOf(worker, connector)))
    return members.filter((_, i) => tasks[i]?.length !== 0)
  }
}
