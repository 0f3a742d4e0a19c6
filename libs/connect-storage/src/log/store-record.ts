/** A write to a store's topic. A null value is a tombstone. */
export interface StoreRecord {
  readonly key: string | Uint8Array
  readonly value: Uint8Array | null
}
