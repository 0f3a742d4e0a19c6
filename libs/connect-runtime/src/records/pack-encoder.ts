import {
  type Clock,
  type Converter,
  type HeaderConverter,
  type PackedBytes,
  PackedRecords,
  type PackedType,
  type Polled,
  recordsOf,
  type SourceOffset,
  type SourceRecord,
} from '@tributary/connect-api'
import { PackedProducerRecords, partitionForKey } from '@tributary/kafka-producer'
import { PackTransforms, type TransformedPack } from './pack-transforms.ts'
import { PackedWriter } from './packed-writer.ts'
import { encodeHeaders } from './record-headers.ts'
import type { NamedTransformation } from './transform-records.ts'

export interface PackEncoderParts {
  readonly transformations: readonly NamedTransformation[]
  readonly keyConverter: Converter
  readonly valueConverter: Converter
  readonly headerConverter: HeaderConverter
  readonly clock: Pick<Clock, 'monotonic'>
}

/** What the records of one batch have in common. */
export interface BatchTerms {
  /** Number of partitions by topic name, for each topic of the batch. */
  readonly counts: ReadonlyMap<string, number>
  /** From 0 to 1: where the records without a key go. */
  readonly stickyPoint: number
  /** ms since the epoch. */
  readonly now: number
  readonly traceparent: string | null
}

/** Hands packs of records to the producer without an object for each record that would live as long as the batch. */
export class PackEncoder {
  readonly #parts: PackEncoderParts
  /** null: there are no transforms. */
  readonly #transforms: PackTransforms | null

  constructor(parts: PackEncoderParts) {
    this.#parts = parts
    const { transformations, valueConverter, clock } = parts
    this.#transforms = transformations.length > 0 ? new PackTransforms(transformations, valueConverter, clock) : null
  }

  /**
   * Transforms and converts the values of packs, and replaces the packs that cannot be written as packs by their records, which are
   * then transformed and converted one by one. Returns the same array if all packs can be written as they are.
   */
  unpack(polled: Polled[]): Polled[] {
    if (!polled.some((element) => element instanceof PackedRecords && !this.#keeps(element))) return polled
    return polled.flatMap((element): Polled[] => {
      if (!(element instanceof PackedRecords) || this.#keeps(element)) return [element]
      return this.#packable(element) ? this.#converted(element) : recordsOf(element)
    })
  }

  #keeps(pack: PackedRecords): boolean {
    return this.#transforms === null && this.#keepsValues(pack) && this.#packable(pack)
  }

  #keepsValues(pack: PackedRecords): boolean {
    return !pack.hasData && keepsType(this.#parts.valueConverter, pack.valueType)
  }

  /** Whether nothing but the values has to be converted. */
  #packable({ keys, keyType, topic, headers }: PackedRecords): boolean {
    const { keyConverter, valueConverter, headerConverter } = this.#parts
    // A converter that adds headers has others for each record.
    if (valueConverter.headersOf !== undefined) return false
    if (keys !== undefined && !keepsType(keyConverter, keyType)) return false
    try {
      encodeHeaders(headerConverter, topic, headers, null)
      return true
    } catch {
      // The error handler gets each record with its error.
      return false
    }
  }

  /** The pack with its values transformed and converted; its records, if this cannot be done now. */
  #converted(pack: PackedRecords): Polled[] {
    const converted =
      this.#transforms === null ? this.#valuesOf(pack) : this.#transforms.apply(pack, this.#keepsValues(pack))
    // The slow path waits for the converter, or gives the error handler the record with its error.
    if (converted === null) return recordsOf(pack)
    const { topic, values } = converted
    const { count, sourcePartition, keys, keyType, headers, timestamps } = pack
    pack.dropData()
    const offsetOf = (index: number): SourceOffset => pack.offsetOf(index)
    const recordOf = (index: number): SourceRecord => pack.record(index)
    const shared = { count, topic, sourcePartition, offsetOf, recordOf, keys, keyType, headers, timestamps }
    return [new PackedRecords({ ...shared, values, valueType: 'bytes' })]
  }

  /** null: one of the values cannot be converted now. */
  #valuesOf(pack: PackedRecords): TransformedPack | null {
    const { topic, count, valueSchema } = pack
    const { valueConverter } = this.#parts
    const values = new PackedWriter(count)
    try {
      for (let i = 0; i < count; i++) values.add(valueConverter.fromConnectData(topic, valueSchema, pack.valueOf(i)))
    } catch {
      return null
    }
    return { topic, values: values.take() }
  }

  /** The records of a pack that `unpack` has kept, by partition, as Java's partitioner chooses it. */
  encode(pack: PackedRecords, { counts, stickyPoint, now, traceparent }: BatchTerms): PackedProducerRecords[] {
    const { topic, keys, values, count, timestamps } = pack
    const headers = encodeHeaders(this.#parts.headerConverter, topic, pack.headers, traceparent)
    const partitionCount = counts.get(topic)!
    const sticky = Math.floor(stickyPoint * partitionCount)
    const shared = { topic, keys: keys ?? null, values, headers, timestamps: timestamps ?? now }
    if (keys === undefined || count === 1 || partitionCount === 1) {
      const partition = keys === undefined ? sticky : partitionOf(keys, 0, partitionCount, sticky)
      return [new PackedProducerRecords({ ...shared, partition, selected: null, count })]
    }
    return byPartition(keys, count, partitionCount, sticky).map(
      ({ partition, selected }) =>
        new PackedProducerRecords({ ...shared, partition, selected, count: selected.length }),
    )
  }
}

function keepsType({ keepsText, keepsBytes }: Converter, type: PackedType): boolean {
  return (type === 'text' ? keepsText : keepsBytes) === true
}

function partitionOf({ bytes, bounds }: PackedBytes, item: number, partitionCount: number, sticky: number): number {
  const start = bounds[2 * item]!
  return start < 0 ? sticky : partitionForKey(bytes, partitionCount, start, bounds[2 * item + 1])
}

/** The items of each partition in their order: a counting sort. */
function byPartition(
  keys: PackedBytes,
  count: number,
  partitionCount: number,
  sticky: number,
): { partition: number; selected: Int32Array }[] {
  const partitions = new Int32Array(count)
  const ends = new Int32Array(partitionCount)
  for (let i = 0; i < count; i++) {
    const partition = partitionOf(keys, i, partitionCount, sticky)
    partitions[i] = partition
    ends[partition]!++
  }
  for (let p = 1; p < partitionCount; p++) ends[p]! += ends[p - 1]!
  const sorted = new Int32Array(count)
  for (let i = count - 1; i >= 0; i--) sorted[--ends[partitions[i]!]!] = i
  // Each element of `ends` is now the start of its partition.
  const groups: { partition: number; selected: Int32Array }[] = []
  for (let p = 0; p < partitionCount; p++) {
    const to = p + 1 < partitionCount ? ends[p + 1]! : count
    if (to > ends[p]!) groups.push({ partition: p, selected: sorted.subarray(ends[p], to) })
  }
  return groups
}
