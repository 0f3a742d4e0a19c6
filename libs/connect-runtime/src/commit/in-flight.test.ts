import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Gate } from '@tributary/async'
import { inFlightCost, MemoryBudget } from '@tributary/connect-api'
import { BatchMemory } from '../records/batch-memory.ts'
import type { Batch } from '../records/batch.ts'
import { TaskProgress } from '../model/task-progress.ts'
import { InFlight } from './in-flight.ts'

const RECORD = { sourcePartition: {}, sourceOffset: {}, topic: 't', key: null, value: null, timestamp: null }

function batchOf(byteCount: number): Batch {
  const memoryCost = inFlightCost(1, byteCount)
  const records = { records: [RECORD], recordCount: 1, polled: null, encoded: [], indexes: [], offsets: new Map() }
  return { ...records, written: 1, filtered: 0, byteCount, memoryCost, polledAt: 0 }
}

test('a batch waits while the task has too much of the memory, unless nothing of it is in flight', async () => {
  const memory = new BatchMemory(new MemoryBudget(100_000).share())
  const config = { exactlyOnce: false, maxInFlightRecords: 1000, maxInFlightBytes: 1_000_000 }
  const onFailure = (error: unknown): void => assert.fail(String(error))
  const inFlight = new InFlight({ config, progress: new TaskProgress(0), memory: memory.share, onFailure })
  const acknowledged = new Gate(false)
  const add = (batch: Batch): void => {
    memory.converted(batch)
    const submitted = inFlight.add(batch)
    void acknowledged.passed(new AbortController().signal).then(() => {
      memory.acknowledged(batch)
      inFlight.acknowledged(submitted)
    })
  }
  const room = (): Promise<void> => inFlight.room(AbortSignal.timeout(5000))
  await room()
  add(batchOf(10_000))
  await room()
  add(batchOf(10_000))
  let waited = true
  const next = room().then(() => (waited = false))
  await new Promise(setImmediate)
  assert.equal(waited, true)
  acknowledged.open()
  await next
  assert.equal(memory.share.used, 0)
  memory.converted(batchOf(1_000_000))
  await room()
})
