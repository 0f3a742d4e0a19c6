import { HIDDEN } from '@tributary/config'
import type {
  ConfigStore,
  ConfigVersion,
  ConfigVersionInfo,
  ConnectorConfig,
  HistoryStore,
} from '@tributary/connect-storage'
import { ANONYMOUS, type Identity } from '../access/identity.ts'
import type { SentConfig } from '../http/body.ts'
import { restError } from '../http/rest-errors.ts'
import type { ConfigSecrets } from '../services/config-secrets.ts'
import type { Connectors, PutConnector } from '../services/connectors.ts'
import type { Author } from '../history/author.ts'
import { changedKeys, type KeyChange, keyChanges } from '../history/config-diff.ts'

export interface HistoriesOptions {
  readonly config: ConfigStore
  readonly history: HistoryStore
  readonly secrets: ConfigSecrets
  readonly connectors: Connectors
}

/** An end of a comparison: the number of a version, 0 for nothing, or what is there now. */
export type DiffEnd = number | 'current'

export interface ConfigDiff {
  readonly from: DiffEnd
  readonly to: DiffEnd
  readonly changes: readonly KeyChange[]
}

export interface RolledBack extends PutConnector {
  readonly changed: readonly string[]
}

/** A configuration as a comparison sees it. */
interface Compared {
  readonly config: ConnectorConfig | null
  readonly hidden: readonly string[]
}

/** Reads the history of configurations, and brings its versions back. No answer shows a secret. */
export class Histories {
  readonly #config: ConfigStore
  readonly #history: HistoryStore
  readonly #secrets: ConfigSecrets
  readonly #connectors: Connectors

  constructor({ config, history, secrets, connectors }: HistoriesOptions) {
    this.#config = config
    this.#history = history
    this.#secrets = secrets
    this.#connectors = connectors
  }

  /** At most `limit` versions below `before`, the newest first. Throws 404 for a connector that was never there. */
  list(connector: string, limit: number, before: number): { versions: ConfigVersionInfo[]; next: number | null } {
    const all = this.#history.versions(connector)
    if (all.length === 0 && this.#config.snapshot.config(connector) === null)
      throw restError('connectorNotFound', connector)
    const older = all.filter(({ version }) => version < before)
    const versions = older.slice(-limit).reverse()
    return { versions, next: older.length > limit ? versions.at(-1)!.version : null }
  }

  /** With what the specs of today call a secret hidden too. Throws 404. */
  version(connector: string, number: number): ConfigVersion {
    const found = this.#history.version(connector, number)
    if (found === null) throw restError('versionNotFound', connector, number, this.#history.versions(connector))
    return { ...found, ...this.#hiding(found) }
  }

  /** Absent ends: the version before the latest one, and the latest one. Throws 404. */
  diff(connector: string, from?: DiffEnd, to?: DiffEnd): ConfigDiff {
    const numbers = this.list(connector, 2, Infinity).versions.map(({ version }) => version)
    const ends = { from: from ?? numbers[1] ?? 0, to: to ?? numbers[0] ?? 'current' }
    const [before, after] = [this.#compared(connector, ends.from), this.#compared(connector, ends.to)]
    const keys = new Set([
      ...changedKeys(before.config, after.config),
      ...this.#changedSecrets(connector, ends, before, after),
    ])
    return { ...ends, changes: keyChanges([...keys].sort(), before.config, after.config) }
  }

  /**
   * Puts the configuration of a version again. Its secrets keep their present values; `sent` has those that are not there any
   * more. Rejects as `put` does, and with 404 and 409.
   */
  async rollBack(caller: Author, connector: string, number: number, sent: SentConfig): Promise<RolledBack> {
    const done = await this.#connectors.rollBack(caller, connector, number, (stored) =>
      this.wanted(caller, connector, number, sent, stored),
    )
    return { ...done, changed: changedKeys(done.before, done.after) }
  }

  /** The configuration that a rollback would put, with masks where the caller's rights are still to be judged. */
  wanted(
    caller: Identity,
    connector: string,
    number: number,
    sent: SentConfig,
    stored: ConnectorConfig | null,
  ): SentConfig {
    const { config, hidden } = this.#kept(connector, number)
    if (config === null) throw restError('versionIsDeletion', connector, number)
    for (const key of Object.keys(sent)) {
      if (!hidden.includes(key)) throw restError('rollbackKey', key, number, hidden)
    }
    const has = (map: SentConfig | null, key: string): boolean => map !== null && Object.hasOwn(map, key)
    const missing = hidden.filter((key) => !has(sent, key) && !has(stored, key))
    if (missing.length > 0) throw restError('secretsMissing', connector, number, missing)
    // While authentication is off a mask is a text like any other.
    const kept = (key: string): string => (caller.name === ANONYMOUS.name ? stored![key]! : HIDDEN)
    const values = Object.entries(config).map(([key, value]): [string, string | null] => {
      if (!hidden.includes(key)) return [key, value]
      return [key, has(sent, key) ? sent[key]! : kept(key)]
    })
    return Object.fromEntries(values)
  }

  #compared(connector: string, end: DiffEnd): Compared {
    if (end === 0) return { config: null, hidden: [] }
    if (end !== 'current') return this.#kept(connector, end)
    const config = this.#config.snapshot.config(connector)
    return config === null ? { config, hidden: [] } : this.#hiding({ config, hidden: [] })
  }

  /** Throws 400 for a version whose configuration was not kept. */
  #kept(connector: string, number: number): ConfigVersion {
    const version = this.version(connector, number)
    if (version.shortened) throw restError('versionShortened', connector, number)
    return version
  }

  #hiding({ config, hidden }: Compared): { config: ConnectorConfig | null; hidden: string[] } {
    if (config === null) return { config, hidden: [] }
    const now = this.#secrets.secretsOf(config)
    const all = new Set([...hidden, ...[...now].filter((key) => Object.hasOwn(config, key))])
    const shown = Object.entries(config).map(([key, value]) => [key, all.has(key) ? HIDDEN : value])
    return { config: Object.fromEntries(shown) as ConnectorConfig, hidden: [...all].sort() }
  }

  /** Keys whose values are hidden at both ends, and which a version between them has changed. */
  #changedSecrets(connector: string, ends: Pick<ConfigDiff, 'from' | 'to'>, from: Compared, to: Compared): string[] {
    const place = (end: DiffEnd): number => (end === 'current' ? Infinity : end)
    const [low, high] = [place(ends.from), place(ends.to)].sort((a, b) => a - b) as [number, number]
    const between = this.#history.versions(connector).filter(({ version }) => version > low && version <= high)
    const changed = new Set(between.flatMap((version) => version.changed))
    return from.hidden.filter((key) => to.hidden.includes(key) && changed.has(key))
  }
}
