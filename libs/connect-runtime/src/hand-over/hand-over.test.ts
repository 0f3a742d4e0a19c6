import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createTaskStats, MemoryBudget } from '@tributary/connect-api'
import type { Logger } from '@tributary/telemetry'
import { HandOver, type OverlappingRun } from './hand-over.ts'
import { PredecessorGoesOn } from './predecessor.ts'

describe('a predecessor that waits for memory of the process', () => {
  const stats = { ...createTaskStats(), queueCapacity: 1000, queueMaxBytes: 1_000_000 }
  const memory = new MemoryBudget(1000).share()
  const run = { created: { stats, memory, outage: () => null } } as unknown as OverlappingRun
  const log = {} as Logger
  const handOver = new HandOver({
    ...{ predecessor: run, successor: run, reason: 'connection_age', log },
    onPredecessorEnded: () => {},
  })

  test('is behind, as what its server sent is still in the paused transport', async () => {
    assert.equal(handOver.behind(), false)
    memory.set('queue', 600)
    memory.waitForSpace(() => {})
    assert.equal(handOver.behind(), true)
    await assert.rejects(handOver.finish(true), PredecessorGoesOn)
    memory.set('queue', 0)
    assert.equal(handOver.behind(), false)
  })
})
