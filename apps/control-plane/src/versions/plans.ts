import { HIDDEN } from '@tributary/config'
import type { FieldError } from '@tributary/connect-api'
import type { ConfigStore, ConnectorConfig, PluginStore, StatusStore } from '@tributary/connect-storage'
import { ANONYMOUS, type Identity } from '../access/identity.ts'
import { seesSecrets } from '../access/rights.ts'
import { changedKeys, type KeyChange, keyChanges } from '../history/config-diff.ts'
import type { ConfigHistory } from '../history/config-history.ts'
import type { SentConfig } from '../http/body.ts'
import type { ConfigSecrets } from '../services/config-secrets.ts'
import type { ConfigInfos, ConfigValidator } from '../services/config-validator.ts'
import { assertName, patchedConfig, withName } from '../services/connectors.ts'
import type { PlannedTask, Workers } from '../services/workers.ts'

export interface PlansOptions {
  readonly config: ConfigStore
  readonly status: StatusStore
  readonly plugins: PluginStore
  readonly validator: ConfigValidator
  readonly secrets: ConfigSecrets
  readonly workers: Workers
  readonly history: ConfigHistory
}

/**
 * - `refuse`: the configuration is not valid, so nothing would change
 * - `nothing`: it is the present one, and no task would notice
 * - `create`: the connector would be made
 * - `restart`, `hand-over`, `start`, `stop`: what tasks would do; the first of these that some task would do
 * - `store`: it would be stored, and no task would do anything now
 */
export type PlanAction = 'refuse' | 'nothing' | 'create' | 'restart' | 'hand-over' | 'start' | 'stop' | 'store'

export interface Plan {
  readonly connector: string
  readonly action: PlanAction
  /** Sentences. */
  readonly reason: string
  /** The version that it would become; null: it would make none. */
  readonly version: number | null
  /** Secrets are masked. */
  readonly changed: readonly KeyChange[]
  readonly tasks: readonly Pick<PlannedTask, 'task' | 'action' | 'why'>[]
  readonly errors: readonly FieldError[]
}

/** What would be put in place of the stored configuration. `sent`: the part that the caller sent. */
interface Candidate {
  readonly stored: ConnectorConfig | null
  readonly wanted: SentConfig
  readonly sent: SentConfig
}

type Outcome = Pick<Plan, 'action' | 'reason' | 'tasks'> & { readonly errors?: readonly FieldError[] }

/** Tells what a change of a configuration would do, and does nothing. */
export class Plans {
  readonly #options: PlansOptions

  constructor(options: PlansOptions) {
    this.#options = options
  }

  /** Rejects as `put` of Connectors does, but for settings that are not valid. */
  put(caller: Identity, connector: string, sent: SentConfig): Promise<Plan> {
    const wanted = withName(connector, sent)
    return this.#plan(caller, connector, { stored: this.#stored(connector), wanted, sent: wanted })
  }

  patch(caller: Identity, connector: string, stored: ConnectorConfig, patch: SentConfig): Promise<Plan> {
    return this.#plan(caller, connector, { stored, wanted: patchedConfig(stored, patch), sent: patch })
  }

  /** `wanted` makes the configuration of the rollback of the stored one. */
  rollBack(caller: Identity, connector: string, wanted: (stored: ConnectorConfig | null) => SentConfig): Promise<Plan> {
    const stored = this.#stored(connector)
    const config = withName(connector, wanted(stored))
    return this.#plan(caller, connector, { stored, wanted: config, sent: config })
  }

  #stored(connector: string): ConnectorConfig | null {
    return this.#options.config.snapshot.config(connector)
  }

  async #plan(caller: Identity, connector: string, { stored, wanted, sent }: Candidate): Promise<Plan> {
    const { secrets, validator, history } = this.#options
    const settled = secrets.settle(caller, connector, stored, wanted, sent)
    const infos = await secrets.hiding(caller, connector, stored, () => validator.validate(settled))
    const errors = errorsOf(secrets.infos(caller, connector, stored, infos))
    if (errors.length > 0) {
      const reason = 'The configuration is not valid, so it would be refused and nothing would change.'
      return { connector, action: 'refuse', reason, version: null, changed: [], tasks: [], errors }
    }
    if (stored === null) assertName(connector)
    // The validation has refused every null, so all values are text.
    const config = this.#unconfirmed(caller, connector, stored, settled as ConnectorConfig, sent)
    const changed = changedKeys(stored, config)
    const made = changed.length > 0 || stored === null
    const { errors: refused = [], ...outcome } = await this.#outcome(connector, stored, config, made)
    return {
      connector,
      ...outcome,
      version: made && outcome.action !== 'refuse' ? history.nextVersion(connector, stored) : null,
      changed: this.#shown(changed, stored, config),
      errors: refused,
    }
  }

  /** A caller who does not see the secrets must not learn that one that they send is the stored one: it counts as another one. */
  #unconfirmed(
    caller: Identity,
    connector: string,
    stored: ConnectorConfig | null,
    config: ConnectorConfig,
    sent: SentConfig,
  ): ConnectorConfig {
    if (stored === null || caller.name === ANONYMOUS.name || seesSecrets(caller, connector)) return config
    const secret = this.#options.secrets.secretsOf(stored)
    const guessed = (key: string): boolean => secret.has(key) && Object.hasOwn(sent, key) && sent[key] !== HIDDEN
    const values = Object.entries(config).map(([key, value]) => [key, guessed(key) ? `${value} ` : value])
    return Object.fromEntries(values) as ConnectorConfig
  }

  #shown(keys: readonly string[], before: ConnectorConfig | null, after: ConnectorConfig): KeyChange[] {
    const masked = (config: ConnectorConfig): ConnectorConfig => this.#options.secrets.masked(config)
    // A key that is a secret of one of them may be one of both.
    const secret = new Set([before, after].flatMap((each) => (each ? [...this.#options.secrets.secretsOf(each)] : [])))
    return keyChanges(keys, before && masked(before), masked(after)).map(({ key, before: from, after: to }) => {
      const hide = (value: string | null): string | null => (value !== null && secret.has(key) ? HIDDEN : value)
      return { key, before: hide(from), after: hide(to) }
    })
  }

  async #outcome(
    connector: string,
    stored: ConnectorConfig | null,
    config: ConnectorConfig,
    changed: boolean,
  ): Promise<Outcome> {
    const target = stored === null ? 'STARTED' : this.#options.config.snapshot.targetState(connector)
    if (target !== 'STARTED') {
      const state = target === 'PAUSED' ? 'paused' : 'stopped'
      const reason = changed
        ? `The connector is ${state}: its tasks take the configuration when it is resumed.`
        : `The configuration is the present one, and the connector is ${state}.`
      return { action: changed ? 'store' : 'nothing', reason, tasks: [] }
    }
    const answer = await this.#ask(connector, config)
    if (typeof answer === 'string') {
      const reason = `${answer} What its tasks would do is not known: they take the configuration when a worker runs them.`
      return { action: stored === null ? 'create' : changed ? 'store' : 'nothing', reason, tasks: [] }
    }
    if (answer.errors.length > 0) {
      const reason = 'The configuration would be stored, and the connector would fail: its tasks cannot be made.'
      return { action: stored === null ? 'create' : 'store', reason, tasks: [], errors: answer.errors }
    }
    const tasks = answer.tasks.map(({ task, action, why }) => ({ task, action, why }))
    return { tasks, ...judgement(tasks, stored === null, changed) }
  }

  /** What the workers say that run the tasks, and any worker for tasks that none runs; a sentence when none can say it. */
  async #ask(
    connector: string,
    config: ConnectorConfig,
  ): Promise<{ tasks: readonly PlannedTask[]; errors: readonly FieldError[] } | string> {
    const { plugins, status, workers } = this.#options
    const plugin = plugins.find(config['connector.class'] ?? '')
    if (plugin === null) return 'No worker has the class of the connector.'
    const owners = [...new Set([...status.tasks(connector).values()].map(({ workerId }) => workerId))]
    const answers = await workers.plan(plugin, { connector, config }, owners)
    if (answers.length === 0) return `No worker of the service ${plugin.service} answers.`
    const errors = answers.find((answer) => answer.errors.length > 0)?.errors ?? []
    const byTask = new Map<number, PlannedTask>()
    for (const task of answers.flatMap((answer) => answer.tasks)) {
      if (task.here || !byTask.has(task.task)) byTask.set(task.task, task)
    }
    return { errors, tasks: [...byTask.values()].sort((a, b) => a.task - b.task) }
  }
}

function errorsOf({ configs }: ConfigInfos): FieldError[] {
  return configs.flatMap(({ value }) => value.errors.map((message) => ({ field: value.name, message })))
}

/** The strongest first, and what is said of it. */
const OF_TASKS = [
  ['restart', 'without overlap: what the source sends meanwhile is received only if the source can be asked again'],
  ['hand-over', 'with overlap: the present run reads until the new one is connected'],
  ['start', 'beside those that run'],
  ['stop', 'and the others go on'],
] as const
const VERBS = { restart: 'restart', 'hand-over': 'hand over', start: 'begin', stop: 'end' } as const

function judgement(
  tasks: readonly Pick<PlannedTask, 'action'>[],
  created: boolean,
  changed: boolean,
): Pick<Plan, 'action' | 'reason'> {
  const count = (of: string): number => tasks.filter(({ action }) => action === of).length
  if (created)
    return { action: 'create', reason: `The connector is new, and begins with ${tasksOf(tasks.length).toLowerCase()}.` }
  const happens = OF_TASKS.filter(([action]) => count(action) > 0)
  const [first] = happens
  if (first === undefined) {
    const reason = changed
      ? 'The configuration is stored as a version. No task would notice: their own configurations stay the same.'
      : 'The configuration is the present one.'
    return { action: changed ? 'store' : 'nothing', reason }
  }
  const said = happens.map(([action, how]) => `${tasksOf(count(action))} would ${VERBS[action]} ${how}`)
  const why = changed
    ? ''
    : 'The configuration is the present one, but a file that it names, or a referenced value, has changed. '
  return { action: first[0], reason: `${why}${said.join('; ')}.` }
}

function tasksOf(count: number): string {
  return count === 1 ? 'One task' : `${count} tasks`
}
