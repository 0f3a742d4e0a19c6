import { stringifyJson } from '@tributary/config'
import type { ReplayAnswer, ReplayRequest } from '@tributary/connect-api'
import type { ConfigStore } from '@tributary/connect-storage'
import type { ConnectorViews } from '../services/connector-views.ts'
import type { Workers } from '../services/workers.ts'

/** A worker did it; it cannot be done now, for a reason in a sentence; or never, as the connector does not exist. */
export type Sent = { readonly answer: ReplayAnswer } | { readonly waitingFor: string } | { readonly never: string }

/** Where replays are carried out. */
export interface ReplayWorkers {
  send(connector: string, request: ReplayRequest, signal: AbortSignal): Promise<Sent>
}

/** A batch of 1,000 large letters over a slow Kafka; the worker goes on when nobody listens, and remembers its answer. */
const BATCH_TIMEOUT_MS = 120_000

/** Sends batches to the worker that runs the task. */
export class TaskWorkers implements ReplayWorkers {
  readonly #config: ConfigStore
  readonly #views: ConnectorViews
  readonly #workers: Workers

  constructor(options: { config: ConfigStore; views: ConnectorViews; workers: Workers }) {
    this.#config = options.config
    this.#views = options.views
    this.#workers = options.workers
  }

  async send(connector: string, request: ReplayRequest, signal: AbortSignal): Promise<Sent> {
    if (!this.#views.has(connector)) {
      return {
        never: `The connector ${connector} does not exist any more, and only its tasks can replay this letter. Create it again and replay the letter, or discard it.`,
      }
    }
    const target = this.#config.snapshot.targetState(connector)
    if (target !== 'STARTED') return { waitingFor: `The connector ${connector} is ${target}. Resume it.` }
    const plugin = this.#views.plugin(connector)
    if (plugin === null) return { waitingFor: `No worker has published the class of the connector ${connector}.` }
    const worker = this.#workerOf(connector, request.task)
    if (worker === null) return { waitingFor: this.#whyNone(connector) }
    const members = await this.#workers.membersAmong(plugin.service, [worker])
    if (!members.has(worker)) {
      return {
        waitingFor: `The worker ${worker}, which had the tasks of the connector ${connector}, is gone. Another one takes them.`,
      }
    }
    const path = `/internal/connectors/${encodeURIComponent(connector)}/replay`
    const answer = await this.#workers.ask(worker, path, stringifyJson(request), BATCH_TIMEOUT_MS, signal)
    if (answer === null) return { waitingFor: `The worker ${worker} does not answer.` }
    const { status, body } = answer
    if (status === 200 && isAnswer(body, request)) return { answer: body }
    const { message } = (body ?? {}) as { message?: unknown }
    const reason = typeof message === 'string' ? message : `it answered ${status}`
    return { waitingFor: `The worker ${worker} cannot replay letters of the connector ${connector} now: ${reason}` }
  }

  /** The worker of this task, or of any that runs. */
  #workerOf(connector: string, task: number | null): string | null {
    const tasks = (this.#views.statusOrNull(connector)?.tasks ?? []).filter(({ state }) => state === 'RUNNING')
    return (tasks.find(({ id }) => id === task) ?? tasks[0])?.worker_id ?? null
  }

  #whyNone(connector: string): string {
    const status = this.#views.statusOrNull(connector)
    const failed = status?.tasks.find(({ state }) => state === 'FAILED') ?? status?.connector
    if (failed?.state !== 'FAILED') return `No task of the connector ${connector} runs yet.`
    const why = failed.trace?.split('\n', 1)[0]
    return `The connector ${connector} has failed${why === undefined ? '' : ` (${why})`}. Mend it, and restart it.`
  }
}

function isAnswer(body: unknown, { letters }: ReplayRequest): body is ReplayAnswer {
  const outcomes = (body as { outcomes?: unknown } | null)?.outcomes
  return Array.isArray(outcomes) && outcomes.length === letters.length
}
