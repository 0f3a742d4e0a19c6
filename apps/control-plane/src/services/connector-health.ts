import type { TaskHealth } from '@tributary/connect-api'
import type { ConnectorViews, StateView } from './connector-views.ts'
import type { Workers } from './workers.ts'

/** The answer of `GET /connectors/{c}/health`, over all tasks. */
export interface ConnectorHealth {
  readonly name: string
  /** The connector's state, or FAILED when one of its tasks has failed. */
  readonly state: string
  readonly connected: boolean
  readonly connected_since: number | null
  readonly last_record_at: number | null
  readonly records_total: number
  readonly rate: number
  readonly lag: number
  readonly reconnects: number
  readonly gaps: number
  /**
   * True if the connector should be running and has failed, is not connected, or has messages that have not reached Kafka for 30 s.
   */
  readonly stalled: boolean
  readonly reason: string
  readonly tasks: readonly TaskHealth[]
}

const STALLED_AFTER_MS = 30_000

/** Asks the workers that run a connector's tasks for the health of each task. */
export class ConnectorHealthReader {
  readonly #views: ConnectorViews
  readonly #workers: Workers

  constructor(views: ConnectorViews, workers: Workers) {
    this.#views = views
    this.#workers = workers
  }

  async read(connector: string): Promise<ConnectorHealth> {
    this.#views.config(connector)
    const status = this.#views.statusOrNull(connector)
    if (status === null) return unassigned(connector, await this.#whyUnassigned(connector))
    const addresses = [...new Set(status.tasks.map((task) => task.worker_id))]
    const members = await this.#membersAmong(connector, addresses)
    const answers = await Promise.all(
      addresses.map(async (worker) => (members.has(worker) ? this.#workers.tasksOf(worker, connector) : null)),
    )
    const silent = addresses.filter((worker, i) => members.has(worker) && answers[i] === null)
    const strangers = addresses.filter((worker) => !members.has(worker))
    const tasks = answers.flatMap((answer) => answer ?? []).sort((a, b) => a.task - b.task)
    const state = tasks.some((task) => task.state === 'failed') ? 'FAILED' : status.connector.state
    const failed = status.connector.state === 'FAILED'
    const stalled =
      failed ||
      (status.connector.state === 'RUNNING' && (silent.length + strangers.length > 0 || tasks.some(isStalled)))
    const sum = (of: (task: TaskHealth) => number): number => tasks.reduce((total, task) => total + of(task), 0)
    return {
      name: connector,
      state,
      connected: tasks.length > 0 && strangers.length === 0 && tasks.every(isConnected),
      connected_since: latest(tasks.map((task) => task.connected_since)),
      last_record_at: latest(tasks.map((task) => task.last_record_at)),
      records_total: sum((task) => task.records_total),
      rate: sum((task) => task.rate),
      lag: sum((task) => task.lag),
      reconnects: sum((task) => task.reconnects),
      gaps: sum((task) => task.gaps),
      stalled,
      reason: reason(status.connector, tasks, silent, strangers),
      tasks,
    }
  }

  async #membersAmong(connector: string, addresses: readonly string[]): Promise<ReadonlySet<string>> {
    const service = this.#views.plugin(connector)?.service
    return service === undefined ? new Set() : await this.#workers.membersAmong(service, addresses)
  }

  async #whyUnassigned(connector: string): Promise<string> {
    const service = this.#views.plugin(connector)?.service
    if (service === undefined) return 'No worker has published the class of this connector.'
    const workers = await this.#workers.of(service)
    return workers.length === 0
      ? `No worker of the service ${service} is alive.`
      : 'A worker is about to take the connector.'
  }
}

/** The health of a connector that no worker has reported on. */
function unassigned(name: string, reason: string): ConnectorHealth {
  const none = { connected: false, connected_since: null, last_record_at: null, stalled: true, tasks: [] }
  return { name, state: 'UNASSIGNED', records_total: 0, rate: 0, lag: 0, reconnects: 0, gaps: 0, reason, ...none }
}

/** A failed task is not connected, whatever the worker of an earlier version says. */
function isConnected(task: TaskHealth): boolean {
  return task.connected && task.state !== 'failed'
}

function isStalled(task: TaskHealth): boolean {
  if (!isConnected(task)) return true
  const since = Math.max(task.last_record_at ?? 0, task.connected_since ?? 0)
  return task.lag > 0 && Date.now() - since > STALLED_AFTER_MS
}

/** The most urgent reason: first the connector's own, then that of a worker that is silent or unknown, then a task's. */
function reason(
  { state, trace }: StateView,
  tasks: readonly TaskHealth[],
  silent: readonly string[],
  strangers: readonly string[],
): string {
  if (state === 'FAILED') return `The connector failed: ${trace?.split('\n', 1)[0] ?? 'no reason was given'}`
  if (strangers.length > 0) {
    return `The state of the tasks on ${strangers.join(', ')} is unknown: that worker is no live member of the service, so it was not asked.`
  }
  if (silent.length > 0) return `The worker ${silent.join(', ')} does not answer.`
  const task = tasks.find(({ state }) => state === 'failed') ?? tasks.find(isStalled) ?? tasks[0]
  if (task === undefined) return `The connector is ${state} and has no tasks.`
  return tasks.length === 1 ? task.reason : `Task ${task.task}: ${task.reason}`
}

function latest(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null)
  return known.length === 0 ? null : Math.max(...known)
}
