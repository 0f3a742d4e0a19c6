import type { SourceTask } from '@tributary/connect-api'
import type { ProduceResult } from '@tributary/kafka-producer'
import type { Batch } from './batch.ts'

/** Tells a task of each record of a batch where the broker has it, or that it is nowhere: filtered out, set aside, discarded. */
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
