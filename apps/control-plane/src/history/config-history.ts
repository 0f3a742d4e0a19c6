import { HIDDEN } from '@tributary/config'
import type {
  Beside,
  ConfigCause,
  ConfigStore,
  ConfigVersion,
  ConnectorConfig,
  HistoryStore,
} from '@tributary/connect-storage'
import type { Author } from './author.ts'
import { changedKeys } from './config-diff.ts'

export interface ConfigHistoryOptions {
  readonly config: ConfigStore
  readonly history: HistoryStore
  /** Knows the keys of a configuration whose values are secrets. */
  readonly secrets: { secretsOf(config: ConnectorConfig): ReadonlySet<string> }
  /** A lock for each connector, which every change of a configuration holds. */
  readonly locks: { run<T>(connector: string, operation: () => Promise<T>): Promise<T> }
  /** ms since the epoch. */
  readonly now?: () => number
}

/** A change that is about to be written, inside the connector's lock. */
export interface Change {
  readonly connector: string
  /** null: the connector is not there. */
  readonly before: ConnectorConfig | null
  readonly after: ConnectorConfig | null
  readonly cause: Exclude<ConfigCause, 'found'>
  /** `rollback`: the version that is brought back. */
  readonly rollbackTo?: number
}

/** Makes a version of each change of a configuration. The version is written with the change, or not at all. */
export class ConfigHistory {
  readonly #options: ConfigHistoryOptions
  readonly #now: () => number

  constructor(options: ConfigHistoryOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /** What is to be written with the change. A configuration that is put again makes no version. */
  beside({ connector, before, after, cause, rollbackTo }: Change, author: Author): Beside {
    const versions = this.#found(connector, before)
    const changed = changedKeys(before, after)
    if (changed.length > 0 || (before === null) !== (after === null)) {
      const by = { cause, author: author.name, requestId: author.requestId, rollbackTo: rollbackTo ?? null }
      versions.push(this.#version(this.#next(connector, versions), after, changed, by))
    }
    return this.#options.history.records(connector, versions)
  }

  /** The number of the latest version; 0: none. */
  version(connector: string): number {
    return this.#options.history.latest(connector)?.version ?? 0
  }

  /** The number that the next change of the connector would have. */
  nextVersion(connector: string, before: ConnectorConfig | null): number {
    return this.#next(connector, this.#found(connector, before))
  }

  /**
   * Makes versions of what is there, and of what somebody who keeps no history has changed. Rejects when this replica has lost the
   * leadership, or when Kafka refuses them.
   */
  async catchUp(signal: AbortSignal): Promise<void> {
    const { config, history, locks } = this.#options
    for (const connector of new Set([...config.snapshot.connectors(), ...history.connectors()])) {
      signal.throwIfAborted()
      if (this.#found(connector, config.snapshot.config(connector)).length === 0) continue
      await locks.run(connector, async () => {
        const versions = this.#found(connector, config.snapshot.config(connector))
        if (versions.length > 0) await config.writeBeside(history.records(connector, versions))
      })
    }
  }

  /** The version that the history lacks, as its latest one is not the present configuration; [] when it lacks none. */
  #found(connector: string, present: ConnectorConfig | null): ConfigVersion[] {
    const latest = this.#options.history.latest(connector)
    if (latest === null ? present === null : isOf(latest, present)) return []
    const changed = changedKeys(latest === null ? null : latest.config, present, latest?.hidden)
    const by = { cause: 'found', author: null, requestId: null, rollbackTo: null } as const
    return [this.#version((latest?.version ?? 0) + 1, present, changed, by)]
  }

  #next(connector: string, found: readonly ConfigVersion[]): number {
    return (found.at(-1)?.version ?? this.#options.history.latest(connector)?.version ?? 0) + 1
  }

  #version(
    version: number,
    config: ConnectorConfig | null,
    changed: readonly string[],
    by: Pick<ConfigVersion, 'cause' | 'author' | 'requestId' | 'rollbackTo'>,
  ): ConfigVersion {
    const secrets = config === null ? new Set<string>() : this.#options.secrets.secretsOf(config)
    return {
      ...{ version, time: this.#now(), ...by, changed },
      config: config && masked(config, secrets),
      hidden: [...secrets].sort(),
      shortened: false,
    }
  }
}

function masked(config: ConnectorConfig, secrets: ReadonlySet<string>): ConnectorConfig {
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key, secrets.has(key) ? HIDDEN : value]))
}

/** Whether the version is this configuration, as far as it shows. Of a hidden value only the key can be compared. */
function isOf({ config, hidden, shortened }: ConfigVersion, present: ConnectorConfig | null): boolean {
  if (config === null || present === null) return config === present
  return shortened || changedKeys(config, present, hidden).length === 0
}
