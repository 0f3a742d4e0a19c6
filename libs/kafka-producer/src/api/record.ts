export type RecordHeaders = readonly (readonly [name: string, value: Uint8Array | null])[]

/**
 * One record as bytes, with its partition. `timestamp` is in whole ms since the epoch. The bytes must not change until
 * the send is settled.
 */
export interface ProducerRecord {
  readonly topic: string
  readonly partition: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers?: RecordHeaders | undefined
  readonly timestamp: number
}
