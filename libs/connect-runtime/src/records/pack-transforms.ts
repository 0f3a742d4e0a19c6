import { checkTopicName } from '@tributary/config'
import { type Converter, itemOf, type PackedBytes, type PackedRecords, type SourceRecord } from '@tributary/connect-api'
import { PackedWriter } from './packed-writer.ts'
import { type NamedTransformation, transformRecord } from './transform-records.ts'

/** The values of a pack after the transforms, as the converter writes them, and the topic of all its records. */
export interface TransformedPack {
  readonly topic: string
  readonly values: PackedBytes
}

/**
 * Applies a chain of transforms to packs of records, and the converter of the values to the result, so that the records go on in a
 * pack. That works where the chain changes nothing but values, and the topic of all records alike. A chain that has changed more, or
 * has filtered a record out, gets no pack any more.
 */
export class PackTransforms {
  readonly #chain: readonly NamedTransformation[]
  readonly #valueConverter: Converter
  #fits = true

  constructor(chain: readonly NamedTransformation[], valueConverter: Converter) {
    this.#chain = chain
    this.#valueConverter = valueConverter
  }

  /** null: the records must be transformed and converted one by one, as the chain changes more, or one of them fails or must wait. */
  apply(pack: PackedRecords, keepsValues: boolean): TransformedPack | null {
    if (!this.#fits) return null
    const values = new PackedWriter(pack.count)
    let topic: string | null = null
    try {
      for (let i = 0; i < pack.count; i++) {
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
    // The name of an illegal topic is told with the transform that made it.
    if (topic === null || checkTopicName(topic) !== null) return null
    return { topic, values: values.take() }
  }

  #fitsNot(): null {
    this.#fits = false
    return null
  }
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
