import { readVersion, versionKey } from './history-records.ts'
import type { ConfigVersion, ConfigVersionInfo } from '../types.ts'

interface Kept {
  readonly info: ConfigVersionInfo
  /** The record's value: a process reads few of its configurations. */
  readonly value: Buffer
  /** The version is a deletion. */
  readonly deleted: boolean
}

/** The versions that the records of the history topic add up to. */
export class HistoryState {
  readonly #connectors = new Map<string, Map<number, Kept>>()
  /** The names of connectors that were deleted, those that were deleted first before the others. */
  readonly #deleted = new Set<string>()

  /** Throws Error for a record that is skipped. */
  apply(key: string, value: Uint8Array | null): void {
    const about = versionKey(key)
    if (about === null) return
    const { connector, version } = about
    const versions = this.#connectors.get(connector) ?? new Map<number, Kept>()
    if (value === null) versions.delete(version)
    else {
      const { config, hidden: _hidden, shortened: _shortened, ...info } = readVersion(version, value)
      // A copy: the record is a part of all that Kafka has sent with it.
      versions.set(version, { info, value: Buffer.from(value), deleted: config === null })
    }
    if (versions.size > 0) this.#connectors.set(connector, versions)
    else this.#connectors.delete(connector)
    this.#deleted.delete(connector)
    if (versions.get(Math.max(...versions.keys()))?.deleted) this.#deleted.add(connector)
  }

  /** The names of connectors that were deleted, the first one first. */
  deleted(): readonly string[] {
    return [...this.#deleted]
  }

  connectors(): readonly string[] {
    return [...this.#connectors.keys()]
  }

  versions(connector: string): readonly ConfigVersionInfo[] {
    const found = [...(this.#connectors.get(connector)?.values() ?? [])].map(({ info }) => info)
    return found.sort((a, b) => a.version - b.version)
  }

  version(connector: string, version: number): ConfigVersion | null {
    const kept = this.#connectors.get(connector)?.get(version)
    return kept === undefined ? null : readVersion(version, kept.value)
  }

  latest(connector: string): ConfigVersion | null {
    const known = this.#connectors.get(connector)
    return known === undefined ? null : this.version(connector, Math.max(...known.keys()))
  }
}
