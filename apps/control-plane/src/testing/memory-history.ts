import {
  type Beside,
  type ConfigVersion,
  type ConfigVersionInfo,
  HistoryState,
  type HistoryStore,
  type OtherLog,
  type StoreRecord,
  versionRecord,
} from '@tributary/connect-storage'

class MemoryLog implements OtherLog {
  readonly topicName = 'memory'
  readonly partitionCount = 1
  readonly returning = false
  readonly #state: HistoryState

  constructor(state: HistoryState) {
    this.#state = state
  }

  check(): void {}
  back(): Promise<void> {
    return Promise.resolve()
  }
  refresh(): Promise<void> {
    return Promise.resolve()
  }
  write(records: readonly StoreRecord[]): void {
    for (const { key, value } of records) this.#state.apply(Buffer.from(key as string).toString(), value)
  }
}

/** Writes the records of a memory store that stand beside those of another one. */
export function writeMemory({ log, records }: Beside): void {
  ;(log as MemoryLog).write(records)
}

/** A history over a map. All versions are kept. */
export class MemoryHistoryStore implements HistoryStore {
  readonly trouble = null
  readonly #state = new HistoryState()
  readonly #log = new MemoryLog(this.#state)

  async start(): Promise<void> {}
  async refresh(): Promise<void> {}
  async stop(): Promise<void> {}

  connectors(): readonly string[] {
    return this.#state.connectors()
  }
  versions(connector: string): readonly ConfigVersionInfo[] {
    return this.#state.versions(connector)
  }
  version(connector: string, version: number): ConfigVersion | null {
    return this.#state.version(connector, version)
  }
  latest(connector: string): ConfigVersion | null {
    return this.#state.latest(connector)
  }
  records(connector: string, versions: readonly ConfigVersion[]): Beside {
    return { log: this.#log, records: versions.map((version) => versionRecord(connector, version)) }
  }
}
