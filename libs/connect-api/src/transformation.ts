import type { ConfigSpecData } from '@tributary/config'
import type { ConnectRecord } from './record.ts'
import type { Props } from './source.ts'

/** A single message transform (KIP-66). */
export interface Transformation {
  /**
   * Returns the record, a copy (`{ ...record, value }`), or null to filter the record out. May be called again for a record, and then
   * gives the same. Throws DataError.
   */
  apply<R extends ConnectRecord>(record: R): R | null
  /** Releases everything. Absent: there is nothing to release. */
  close?(): void
}

/** A condition for a transform (KIP-585). */
export interface Predicate {
  test(record: ConnectRecord): boolean
  close?(): void
}

interface Plugin<T extends string, I> {
  readonly type: T
  /** As configurations write it: `org.apache.kafka.connect.transforms.InsertField$Value`. */
  readonly class: string
  readonly aliases?: readonly string[]
  readonly version: string
  readonly spec: ConfigSpecData
  /** `props` has the keys without `transforms.<alias>.`, checked by the spec. Throws ConfigError, its field such a key. */
  create(props: Props): I
}

export type TransformationPlugin = Plugin<'transformation', Transformation>
export type PredicatePlugin = Plugin<'predicate', Predicate>
