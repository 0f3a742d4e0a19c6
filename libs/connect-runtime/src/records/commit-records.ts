import type { SourceTask } from '@tributary/connect-api'
import type { ProduceResult } from '@tributary/kafka-producer'
import type { Batch } from './batch.ts'

/**
 * Calls the task's `commitRecord` for each record of a batch, with the place of the record in Kafka. The place is null for a record
 * that was filtered out, skipped, sent to the dead-letter queue or discarded. `result` is null when the whole batch was discarded.
 */
export function commitRecords(task: SourceTask, batch: Batch, result: ProduceResult | null): void {
  if (!task.commitRecord) return
  const { records, encoded, indexes } = batch
  // `indexes` ascends, so one pass over both finds each record's place.
  let at = 0
  for (let i = 0; i < records.length; i++) {
    const produced = indexes[at] === i
    const offset = produced ? (result?.offset(at) ?? null) : null
    const to = produced ? encoded[at++] : undefined
    task.commitRecord(
      records[i]!,
      offset === null || !to ? null : { topic: to.topic, partition: to.partition, offset, timestamp: to.timestamp },
    )
  }
}
