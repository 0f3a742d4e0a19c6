import type { SourceTask } from '@tributary/connect-api'
import type { ProduceResult } from '@tributary/kafka-producer'
import type { Batch } from './batch.ts'

/** Tells a task of each record of a batch where the broker has it, or that it is nowhere: filtered out, set aside, discarded. */
export function commitRecords(task: SourceTask, batch: Batch, result: ProduceResult | null): void {
  if (!task.commitRecord) return
  const { records, indexes, encoded } = batch
  // Indexes ascend, so one walk along both finds who has one.
  let next = 0
  for (let i = 0; i < records.length; i++) {
    const at = indexes[next] === i ? next++ : -1
    const offset = at < 0 ? null : (result?.offset(at) ?? null)
    const to = encoded[at]
    task.commitRecord(
      records[i]!,
      offset === null || !to ? null : { topic: to.topic, partition: to.partition, offset, timestamp: to.timestamp },
    )
  }
}
