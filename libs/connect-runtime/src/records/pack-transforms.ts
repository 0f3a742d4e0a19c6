import {
  type Clock,
  type Converter,
  itemOf,
  type PackedBytes,
  type PackedRecords,
  type SourceRecord,
} from '@tributary/connect-api'
import { PackedWriter } from './packed-writer.ts'
import { LOOKS, type NamedTransformation, transformRecord } from './transform-records.ts'

/** The values of a pack after the transforms, as the converter writes them, and the topic of all its records. */
export interface TransformedPack {
  readonly topic: string
  readonly values: PackedBytes
}

/**
 * Applies a chain of transforms to packs of records, and the converter of the values to the result, so that the records go on in a
 * pack. That works where the chain changes nothing but values, and the topic of all records alike. A chain that has changed more, has
 * filtered a record out, or has held the event loop, gets no pack any more.
 */
export class PackTransforms {
  readonly #chain: readonly NamedTransformation[]
  readonly #valueConverter: Converter
  readonly #clock: Pick<Clock, 'monotonic'>
  #fits = true

  constructor(chain: readonly NamedTransformation[], valueConverter: Converter, clock: Pick<Clock, 'monotonic'>) {
    this.#chain = chain
    this.#valueConverter = valueConverter
    this.#clock = clock
  }

  /** null: the records must be transformed and converted one by one, as the chain changes more, or one of them fails or must wait. */
  apply(pack: PackedRecords, keepsValues: boolean): TransformedPack | null {
    if (!this.#fits) return null
    const values = new PackedWriter(pack.count)
    let topic: string | null = null
    const startedAt = this.#clock.monotonic()
    try {
      for (let i = 0; i < pack.count; i++) {
        if (i % LOOKS === LOOKS - 1 && isSlow(this.#clock.monotonic() - startedAt, i)) return this.#fitsNot()
        const record = pack.record(i)
        const transformed = transformRecord(this.#chain, record, 0)
        if (transformed === null || !changesValueAlone(record, transformed)) return this.#fitsNot()
        if (topic === null) topic = transformed.topic
        else if (topic !== transformed.topic) return this.#fitsNot()
        const { value, valueSchema } = transformed
        const kept = keepsValues && value === record.value && valueSchema === record.valueSchema
        values.add(
          kept ? itemOf(pack.values, i) : this.#valueConverter.fromConnectData(topic, valueSchema ?? null, value),
        )
      }
    } catch {
      return null
    }
    return topic === null ? null : { topic, values: values.take() }
  }

  #fitsNot(): null {
    this.#fits = false
    return null
  }
}

/** So slow a chain must leave turns to the event loop. A pause of the process looks like one for some records only. */
function isSlow(ms: number, records: number): boolean {
  return ms > 100 && ms > records / 10
}

function changesValueAlone(before: SourceRecord, after: SourceRecord): boolean {
  return (
    typeof after.topic === 'string' &&
    after.key === before.key &&
    after.keySchema === before.keySchema &&
    after.headers === before.headers &&
    after.timestamp === before.timestamp &&
    after.partition === before.partition &&
    after.sourcePartition === before.sourcePartition &&
    after.sourceOffset === before.sourceOffset
  )
}
