import { stringifyJson } from '@tributary/config'
import { configDigest, type ReplayAnswer, type ReplayRequest } from '@tributary/connect-api'
import type { ConfigStore, ConnectorConfig } from '@tributary/connect-storage'
import type { ConnectorViews } from '../services/connector-views.ts'
import type { Workers } from '../services/workers.ts'

/** A worker did it; it cannot be done now, for a reason in a sentence; or never, as the connector does not exist. */
export type Sent = { readonly answer: ReplayAnswer } | { readonly waitingFor: string } | { readonly never: string }

export type Batch = Omit<ReplayRequest, 'config'>

/** Where replays are carried out. */
export interface ReplayWorkers {
  send(connector: string, request: Batch, signal: AbortSignal): Promise<Sent>
}

/** A batch of 1,000 large letters over a slow Kafka; the worker goes on when nobody listens, and remembers its answer. */
const BATCH_TIMEOUT_MS = 120_000
/** A worker makes the tasks of a new configuration within this time, in ms. Most changes that need no new tasks are none at all. */
const NEW_TASKS_MS = 10_000

/** Sends batches to the worker that runs the task. */
export class TaskWorkers implements ReplayWorkers {
  readonly #config: ConfigStore
  readonly #views: ConnectorViews
  readonly #workers: Workers
  /** Since when the tasks of a configuration are awaited, in monotonic ms. */
  readonly #awaited = new WeakMap<ConnectorConfig, number>()

  constructor(options: { config: ConfigStore; views: ConnectorViews; workers: Workers }) {
    this.#config = options.config
    this.#views = options.views
    this.#workers = options.workers
  }

  async send(connector: string, request: Batch, signal: AbortSignal): Promise<Sent> {
    if (!this.#views.has(connector)) {
      return {
        never: `The connector ${connector} does not exist any more, and only its tasks can replay this letter. Create it again and replay the letter, or discard it.`,
      }
    }
    const target = this.#config.snapshot.targetState(connector)
    if (target !== 'STARTED') return { waitingFor: `The connector ${connector} is ${target}. Resume it.` }
    const plugin = this.#views.plugin(connector)
    if (plugin === null) return { waitingFor: `No worker has published the class of the connector ${connector}.` }
    if (this.#awaitsTasks(connector)) {
      return { waitingFor: `The tasks of the connector ${connector} do not have its newest configuration yet.` }
    }
    const { worker, config } = this.#taskFor(connector, request.task)
    if (worker === null) return { waitingFor: this.#whyNone(connector) }
    const members = await this.#workers.membersAmong(plugin.service, [worker])
    if (!members.has(worker)) {
      return {
        waitingFor: `The worker ${worker}, which had the tasks of the connector ${connector}, is gone. Another one takes them.`,
      }
    }
    const path = `/internal/connectors/${encodeURIComponent(connector)}/replay`
    const answer = await this.#workers.ask(
      worker,
      path,
      stringifyJson({ ...request, config }),
      BATCH_TIMEOUT_MS,
      signal,
    )
    if (answer === null) return { waitingFor: `The worker ${worker} does not answer.` }
    const { status, body } = answer
    if (status === 200 && isAnswer(body, request)) return { answer: body }
    const { message } = (body ?? {}) as { message?: unknown }
    const reason = typeof message === 'string' ? message : `it answered ${status}`
    return { waitingFor: `The worker ${worker} cannot replay letters of the connector ${connector} now: ${reason}` }
  }

  /** Letters are replayed by the configuration that was mended for them, not by the tasks that failed. */
  #awaitsTasks(connector: string): boolean {
    const { snapshot } = this.#config
    const config = snapshot.config(connector)
    if (config === null || !snapshot.tasksOutdated(connector)) return false
    const now = performance.now()
    const since = this.#awaited.get(config) ?? now
    this.#awaited.set(config, since)
    return now - since < NEW_TASKS_MS
  }

  /** The worker of this task, with the digest of its configuration; or the worker of any task that runs. */
  #taskFor(connector: string, task: number | null): { worker: string | null; config: string | null } {
    const tasks = (this.#views.statusOrNull(connector)?.tasks ?? []).filter(({ state }) => state === 'RUNNING')
    const own = tasks.find(({ id }) => id === task)
    const config = own === undefined ? undefined : this.#config.snapshot.tasks(connector)[own.id]
    return { worker: (own ?? tasks[0])?.worker_id ?? null, config: config === undefined ? null : configDigest(config) }
  }

  #whyNone(connector: string): string {
    const status = this.#views.statusOrNull(connector)
    const failed = status?.tasks.find(({ state }) => state === 'FAILED') ?? status?.connector
    if (failed?.state !== 'FAILED') return `No task of the connector ${connector} runs yet.`
    const why = failed.trace?.split('\n', 1)[0]
    return `The connector ${connector} has failed${why === undefined ? '' : ` (${why})`}. Mend it, and restart it.`
  }
}

function isAnswer(body: unknown, { letters }: Pick<ReplayRequest, 'letters'>): body is ReplayAnswer {
  const outcomes = (body as { outcomes?: unknown } | null)?.outcomes
  return Array.isArray(outcomes) && outcomes.length === letters.length
}
