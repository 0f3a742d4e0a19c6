/** A dead-letter topic in the index. */
export interface StoredTopic {
  readonly id: number
  readonly topic: string
  readonly kafkaId: string
}

/** A partition of one. */
export interface StoredPart {
  readonly id: number
  readonly topic: StoredTopic
  readonly partition: number
  /** The offset of the next record that is not in the index. */
  next: number
  /** Offsets before it are no longer in Kafka. */
  first: number
  /** Spreads the letters of one ms. */
  readonly salt: number
}
