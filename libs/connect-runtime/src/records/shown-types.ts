/** Bytes as text where they are UTF-8. */
export type ShownBytes = null | ({ readonly text: string } & ShownSize) | ({ readonly base64: string } & ShownSize)

interface ShownSize {
  /** Of the whole, in bytes. */
  readonly size: number
  /** Only the beginning is shown. */
  readonly truncated?: true
  /** A secret of the configuration stood in it, and is hidden. */
  readonly redacted?: true
}

/** A value of Connect, with its schema as Connect's JSON converter writes it; null: it has none. */
export interface ShownData {
  readonly schema: unknown
  readonly value: unknown
  readonly truncated?: true
  readonly redacted?: true
}

/** A record between the source and the converters. */
export interface ShownRecord {
  readonly topic: string
  /** null: the key decides, or chance. */
  readonly partition: number | null
  readonly key: ShownData
  readonly value: ShownData
  readonly headers: readonly ({ readonly name: string } & ShownData)[]
  /** In ms since the epoch; null: the time of producing. */
  readonly timestamp: number | null
}

/** A record as the converters write it. */
export interface ShownOutput {
  readonly topic: string
  /** null: chance, as there is no key; or the topic does not exist and nobody has said how many partitions it gets. */
  readonly partition: number | null
  readonly key: ShownBytes
  readonly value: ShownBytes
  readonly headers: readonly { readonly name: string; readonly value: ShownBytes }[]
  readonly timestamp: number | null
}
