import { checkName, ConfigException, connectFrame } from '@tributary/config'
import type { ConfigCause, ConfigStore, ConnectorConfig, TargetState } from '@tributary/connect-storage'
import type { SentConfig } from '../http/body.ts'
import type { Logger } from '@tributary/telemetry'
import { restError } from '../http/rest-errors.ts'
import { matchesGlob } from '../access/glob.ts'
import type { Identity } from '../access/identity.ts'
import type { Author } from '../history/author.ts'
import type { ConfigHistory } from '../history/config-history.ts'
import { may } from '../access/rights.ts'
import type { ConfigSecrets } from './config-secrets.ts'
import { type ConfigValidator, mustBeValid } from './config-validator.ts'
import type { ConnectorInfo, ConnectorStatus, ConnectorViews } from './connector-views.ts'
import type { KeyedLock } from './keyed-lock.ts'

export interface ConnectorsOptions {
  readonly config: ConfigStore
  readonly views: ConnectorViews
  readonly validator: ConfigValidator
  readonly secrets: ConfigSecrets
  readonly history: ConfigHistory
  readonly log: Logger
  /** A lock for each connector. */
  readonly writes: KeyedLock
}

export interface PutConnector {
  readonly created: boolean
  readonly info: ConnectorInfo
  /** The configuration that was replaced; null: none. */
  readonly before: ConnectorConfig | null
  readonly after: ConnectorConfig
  /** The number of the version that the connector has now. */
  readonly version: number
}

/** Names of connectors, sorted. */
export interface ChangedConnectors {
  readonly pattern: string
  readonly changed: readonly string[]
  readonly unchanged: readonly string[]
  readonly stopped: readonly string[]
}

export interface Restart {
  readonly includeTasks: boolean
  readonly onlyFailed: boolean
}

/**
 * Changes connectors. Every write is answered after it was read back from the config topic, so that a following read
 * sees it. Writes to one connector run one after the other, so that one of many POSTs of a name wins.
 */
export class Connectors {
  readonly #config: ConfigStore
  readonly #views: ConnectorViews
  readonly #validator: ConfigValidator
  readonly #secrets: ConfigSecrets
  readonly #history: ConfigHistory
  readonly #log: Logger
  readonly #writes: KeyedLock

  constructor({ config, views, validator, secrets, history, log, writes }: ConnectorsOptions) {
    this.#config = config
    this.#views = views
    this.#validator = validator
    this.#secrets = secrets
    this.#history = history
    this.#log = log
    this.#writes = writes
  }

  /**
   * Validates before the check for a duplicate, as Connect does: an invalid config of an existing name is answered with
   * 400, not 409.
   */
  create(caller: Author, connector: string, sent: SentConfig, targetState: TargetState): Promise<ConnectorInfo> {
    return this.#writes.run(connector, async () => {
      const config = await this.#accept(caller, connector, null, withName(connector, sent))
      if (this.#views.has(connector)) throw restError('connectorExists', connector)
      // A connector without a written state is RUNNING.
      await this.#write(caller, connector, config, 'create', targetState === 'STARTED' ? undefined : targetState)
      // Connect's answer to a creation never contains tasks, but a quick worker may have written some already.
      return { ...this.#info(caller, connector), tasks: [] }
    })
  }

  /** Replaces the whole configuration and keeps the target state. */
  put(caller: Author, connector: string, sent: SentConfig): Promise<PutConnector> {
    return this.#writes.run(connector, async () => {
      const stored = this.#config.snapshot.config(connector)
      return this.#put(caller, connector, await this.#accept(caller, connector, stored, withName(connector, sent)))
    })
  }

  /** Like `put`, with a configuration that is made inside the lock of the connector. */
  rollBack(
    caller: Author,
    connector: string,
    version: number,
    wanted: (stored: ConnectorConfig | null) => SentConfig,
  ): Promise<PutConnector> {
    return this.#writes.run(connector, async () => {
      const stored = this.#config.snapshot.config(connector)
      const config = await this.#accept(caller, connector, stored, withName(connector, wanted(stored)))
      return this.#put(caller, connector, config, version)
    })
  }

  async #put(caller: Author, connector: string, config: ConnectorConfig, version?: number): Promise<PutConnector> {
    const created = !this.#views.has(connector)
    if (created) assertName(connector)
    const cause = version !== undefined ? 'rollback' : created ? 'create' : 'update'
    const before = this.#config.snapshot.config(connector)
    await this.#write(caller, connector, config, cause, undefined, version)
    const info = this.#info(caller, connector)
    const changed = { before, after: config, version: this.#history.version(connector) }
    return { created, info: created ? { ...info, tasks: [] } : info, ...changed }
  }

  /** Writes the configuration and its version of the history. */
  #write(
    author: Author,
    connector: string,
    after: ConnectorConfig,
    cause: Exclude<ConfigCause, 'found'>,
    targetState?: TargetState,
    rollbackTo?: number,
  ): Promise<void> {
    const before = this.#config.snapshot.config(connector)
    const change = { connector, before, after, cause, ...(rollbackTo !== undefined && { rollbackTo }) }
    return this.#config.putConnectorConfig(connector, after, targetState, this.#history.beside(change, author))
  }

  /** Merges the patch into the configuration (KIP-477): null removes a key. */
  patch(caller: Author, connector: string, patch: SentConfig): Promise<ConnectorInfo> {
    return this.#writes.run(connector, async () => {
      const stored = this.#views.config(connector)
      const config = await this.#accept(caller, connector, stored, patchedConfig(stored, patch), patch)
      await this.#write(caller, connector, config, 'patch')
      return this.#info(caller, connector)
    })
  }

  /** The connector's offsets stay, because they belong to its name. */
  remove(author: Author, connector: string): Promise<void> {
    return this.#writes.run(connector, async () => {
      const change = { connector, before: this.#views.config(connector), after: null, cause: 'delete' } as const
      await this.#config.removeConnector(connector, this.#history.beside(change, author))
    })
  }

  /** Writes nothing when the connector has that state already. */
  setTargetState(connector: string, state: TargetState): Promise<void> {
    return this.#writes.run(connector, async () => {
      if (!this.#views.has(connector)) throw restError('unknownConnectorState', connector)
      if (this.#config.snapshot.targetState(connector) === state) return
      await this.#config.putTargetState(connector, state)
    })
  }

  /**
   * Pauses or resumes all connectors whose name matches the glob and which the caller may operate. STOPPED connectors stay STOPPED: a pause is not what
   * their operator asked for, and a later resume would start them. If one write fails the other writes are still made,
   * and the client may ask again.
   */
  async setTargetStates(caller: Identity, pattern: string, state: 'PAUSED' | 'STARTED'): Promise<ChangedConnectors> {
    const { snapshot } = this.#config
    const matching = this.#views
      .names()
      .filter((connector) => matchesGlob(pattern, connector) && may(caller, 'operate', connector))
    const by = Map.groupBy(matching.sort(), (connector) => snapshot.targetState(connector))
    const changed = by.get(state === 'PAUSED' ? 'STARTED' : 'PAUSED') ?? []
    const written = await Promise.allSettled(changed.map((connector) => this.setTargetState(connector, state)))
    const failed = written.find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
    return { pattern, changed, unchanged: by.get(state) ?? [], stopped: by.get('STOPPED') ?? [] }
  }

  /** Restarts the connector and, with `failedTasks`, those of its tasks that have failed. Its other tasks continue. */
  async restart(connector: string, failedTasks: boolean): Promise<void> {
    if (!this.#views.has(connector)) throw restError('unknownConnector', connector)
    await this.#config.putRestart({ connector, includeTasks: false, onlyFailed: false })
    if (failedTasks) await this.#config.putRestart({ connector, includeTasks: true, onlyFailed: true })
  }

  /** Requests the restart and answers the expected status. Workers restart after the answer (KIP-745). */
  async restartWith(connector: string, { includeTasks, onlyFailed }: Restart): Promise<ConnectorStatus> {
    if (!this.#views.has(connector)) throw restError('unknownConnector', connector)
    const status = this.#views.statusOrNull(connector)
    if (status === null) throw restError('restartStatusMissing', connector)
    await this.#config.putRestart({ connector, includeTasks, onlyFailed })
    const restarted = <S extends ConnectorStatus['connector']>(part: S): S =>
      !onlyFailed || part.state === 'FAILED' ? { ...part, state: 'RESTARTING' } : part
    return {
      ...status,
      connector: restarted(status.connector),
      tasks: includeTasks ? status.tasks.map(restarted) : status.tasks,
    }
  }

  async restartTask(connector: string, task: number): Promise<void> {
    if (!this.#views.has(connector)) throw restError('unknownConnector', connector)
    if (this.#config.snapshot.tasks(connector)[task] === undefined) throw restError('unknownTask', connector, task)
    await this.#config.putRestart({ connector, task, includeTasks: false, onlyFailed: false })
  }

  #info(caller: Identity, connector: string): ConnectorInfo {
    return this.#secrets.info(caller, this.#views.info(connector))
  }

  /**
   * Returns the config to store. Throws ConfigException with every error when the config is not valid, and what
   * ConfigSecrets.settle throws.
   */
  #accept(
    caller: Identity,
    connector: string,
    stored: ConnectorConfig | null,
    wanted: SentConfig,
    sent = wanted,
  ): Promise<ConnectorConfig> {
    const settled = this.#secrets.settle(caller, connector, stored, wanted, sent)
    return this.#secrets.hiding(caller, connector, stored, () => this.#valid(settled))
  }

  async #valid(sent: SentConfig): Promise<ConnectorConfig> {
    mustBeValid(await this.#validator.validate(sent))
    for (const { name, nearest } of this.#validator.misspelt(sent)) {
      const message = `No setting is called ${name}, so it has no effect. Did you mean ${nearest}?`
      this.#log.warn('config_key_unknown', { message, connector_name: sent['name'], key: name, nearest })
    }
    // The validation has refused every null, so all values are text.
    return sent as ConnectorConfig
  }
}

/** What a PATCH would store (KIP-477): null removes a key. */
export function patchedConfig(stored: ConnectorConfig, patch: SentConfig): SentConfig {
  const merged = new Map<string, string>(Object.entries(stored))
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key)
    else merged.set(key, value)
  }
  return Object.fromEntries(merged)
}

/** What a PUT would store. Throws 400 for another name. */
export function withName(connector: string, sent: SentConfig): SentConfig {
  const included = sent['name']
  if (included === undefined || included === null) return { ...sent, name: connector }
  if (included !== connector) throw restError('nameMismatch', included, connector)
  return sent
}

/** The check of the setting `name` trims the value. A path keeps its blanks, and is the name. */
export function assertName(connector: string): void {
  const reason = checkName(connector)
  if (reason === null) return
  const message = `Invalid value ${JSON.stringify(connector.slice(0, 200))} for configuration name: ${reason}`
  throw new ConfigException(connectFrame([{ name: 'name', message }]), [{ name: 'name', message }])
}
