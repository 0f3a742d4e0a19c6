import { PackedRecords, type RecordMetadata, type SourceTask } from '@tributary/connect-api'
import type { PackedProducerRecords, ProducerRecord, ProduceResult } from '@tributary/kafka-producer'
import type { Batch } from './batch.ts'

/** Where one may look at what Kafka has of a task. */
export interface Tap {
  /** null: nobody looks. */
  readonly watcher: { acknowledged(batch: Batch, result: ProduceResult): void } | null
}

/**
 * Tells the task that Kafka has a batch: by `commitRecord` for each record, with its place in Kafka, and by `commitBatch`. The place
 * is null for a record that was filtered out, skipped, sent to the dead-letter queue or discarded. `result` is null when the whole
 * batch was discarded.
 */
export function commitRecords(
  { task, tap }: { readonly task: SourceTask; readonly tap: Tap },
  batch: Batch,
  result: ProduceResult | null,
): void {
  if (tap.watcher !== null && result !== null) tap.watcher.acknowledged(batch, result)
  if (task.commitRecord) commitEach(task as CommitsRecords, batch, result)
  if (batch.polled !== null) task.commitBatch?.(batch.polled)
}

type CommitsRecords = Required<Pick<SourceTask, 'commitRecord'>>

function commitEach(task: CommitsRecords, batch: Batch, result: ProduceResult | null): void {
  const { records, encoded, indexes } = batch
  // `indexes` ascends, so one pass over both finds each record's place. `at` is an index of `encoded`, `sent` one of its records.
  let [at, sent] = [0, 0]
  for (let i = 0; i < records.length; i++) {
    const record = records[i]!
    if (record instanceof PackedRecords) {
      const places: (RecordMetadata | null)[] = []
      for (; indexes[at] === i; at++) {
        const pack = encoded[at] as PackedProducerRecords
        for (let k = 0; k < pack.count; k++) places[pack.itemOf(k)] = placeOf(pack.record(k), sent++, result)
      }
      for (let k = 0; k < record.count; k++) task.commitRecord(record.record(k), places[k]!)
      continue
    }
    const produced = indexes[at] === i
    task.commitRecord(record, produced ? placeOf(encoded[at++] as ProducerRecord, sent++, result) : null)
  }
}

function placeOf(
  { topic, partition, timestamp }: ProducerRecord,
  index: number,
  result: ProduceResult | null,
): RecordMetadata | null {
  const offset = result?.offset(index) ?? null
  return offset === null ? null : { topic, partition, offset, timestamp }
}
