import type { OffsetEntry, SourceOffset, SourcePartition } from '@tributary/connect-api'
import { partitionForKey } from '@tributary/kafka-producer'
import { storageErrors } from '../errors.ts'
import { offsetKeyBytes, offsetValueBytes, readOffsetKey, readOffsetValue } from './offset-records.ts'
import { OffsetState } from './offset-state.ts'
import { refusalOf } from '../schema/checks.ts'
import { LIMITS } from '../schema/limits.ts'
import { StoreLog, type StoreLogOptions } from '../log/store-log.ts'
import type { OffsetRecord, OffsetStore } from '../types.ts'

/** The store of the offsets topic. */
export class KafkaOffsetStore implements OffsetStore {
  readonly #state = new OffsetState()
  readonly #log: StoreLog

  constructor(options: Omit<StoreLogOptions, 'onRecord'>) {
    this.#log = new StoreLog({
      ...options,
      onRecord: (record, key) => this.#state.apply(record, key),
    })
  }

  /** The name of the topic; known after `start`. */
  get topic(): string {
    return this.#log.topicName
  }

  /** See StoreLog. */
  get trouble(): string | null {
    return this.#log.trouble
  }

  start(signal: AbortSignal): Promise<void> {
    return this.#log.start(signal)
  }
  refresh(signal?: AbortSignal): Promise<void> {
    return this.#log.refresh(signal)
  }

  offsets(connector: string): readonly OffsetEntry[] {
    return this.#state.offsets(connector)
  }

  offset(connector: string, partition: SourcePartition): SourceOffset | null {
    return this.#state.offset(connector, partition)
  }

  encode(connector: string, entries: readonly OffsetEntry[]): OffsetRecord[] {
    const records: OffsetRecord[] = []
    for (const { partition, offset } of entries) {
      const known = this.#state.keys(connector, partition).map((key) => Buffer.from(key))
      // A removal removes every key. A write goes to the key that counts.
      const keys = offset === null && known.length > 0 ? known : [known[0] ?? offsetKeyBytes(connector, partition)]
      const value = offset === null ? null : offsetValueBytes(offset)
      for (const key of keys) {
        mustBeReadable(key, value)
        records.push({
          topic: this.#log.topicName,
          partition: partitionForKey(key, this.#log.partitionCount),
          key,
          value,
        })
      }
    }
    return records
  }

  write(connector: string, entries: readonly OffsetEntry[], signal?: AbortSignal): Promise<void> {
    return this.#log.append(this.encode(connector, entries), signal)
  }

  stop(): Promise<void> {
    return this.#log.stop()
  }
}

/** Small keys and values are readable, since they were made here. A task writes offsets too often to parse them all. */
function mustBeReadable(key: Uint8Array, value: Uint8Array | null): void {
  try {
    const refusal = refusalOf(key, value)
    if (refusal !== null) throw new Error(refusal)
    if (key.length > LIMITS.members) readOffsetKey(Buffer.from(key).toString())
    if (value !== null && value.length > LIMITS.members) readOffsetValue(value)
  } catch (error) {
    throw storageErrors.INTERNAL_RECORD_REFUSED(`An offset cannot be kept: ${(error as Error).message}.`)
  }
}
