/** A write to a store's topic. A null value is a tombstone. */
export interface StoreRecord {
  readonly key: string | Uint8Array
  readonly value: Uint8Array | null
}

/** The log of another store, whose records a store writes with its own: in one transaction, where it has transactions. */
export interface OtherLog {
  readonly topicName: string
  readonly partitionCount: number
  /** Whether the topic was deleted, and is not back yet. */
  readonly returning: boolean
  /** Throws INTERNAL_RECORD_REFUSED for a record that readers would skip. */
  check(record: StoreRecord): void
  /** Resolves when a deleted topic is back. Rejects as `append` does. */
  back(signal: AbortSignal): Promise<void>
  refresh(signal?: AbortSignal): Promise<void>
}

/** Records of another store that are written with a store's own, or not at all. */
export interface Beside {
  readonly log: OtherLog
  readonly records: readonly StoreRecord[]
}
