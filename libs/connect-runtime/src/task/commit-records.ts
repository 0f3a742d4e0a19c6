import type { SourceTask } from '@tributary/connect-api'
import type { ProduceResult } from '@tributary/kafka-producer'
import type { Batch } from './batch.ts'

/** Tells a task of each record of a batch where the broker has it, or that it is nowhere: filtered out, set aside, discarded. */
export function commitRecords(task: SourceTask, batch: Batch, result: ProduceResult | null): void {
  if (!task.commitRecord) return
  const produced = new Map(batch.indexes.map((record, i) => [record, i]))
  for (let i = 0; i < batch.records.length; i++) {
    const at = produced.get(i)
    const offset = at === undefined ? null : (result?.offset(at) ?? null)
    const to = at === undefined ? undefined : batch.encoded[at]
    task.commitRecord(
      batch.records[i]!,
      offset === null || !to ? null : { topic: to.topic, partition: to.partition, offset, timestamp: to.timestamp },
    )
  }
}
