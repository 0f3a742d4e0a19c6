import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTaskStats } from '@tributary/connect-api'
import { TaskProgress } from '../model/task-progress.ts'
import { TaskCounts } from './task-counts.ts'
import type { CreatedTask } from './task-factory.ts'

function run(received: number, produced: number, lastMessageAt = 0): CreatedTask {
  const progress = Object.assign(new TaskProgress(0), { recordsProduced: produced })
  const stats = { ...createTaskStats(), messagesReceived: received, lastMessageAt }
  const made = { run: { progress, connection: { reconnects: 0 } }, stats, errors: { skipped: 0, deadLettered: 0 } }
  return made as unknown as CreatedTask
}

test('a run that follows another with overlap continues its counts', () => {
  let current: CreatedTask | null = run(10, 7, 500)
  const counts = new TaskCounts(() => current)
  for (const next of [run(3, 2), run(4, 1, 400)]) {
    counts.goOn()
    current = next
  }
  assert.deepEqual([counts.count('messagesReceived'), counts.count('recordsProduced')], [17, 10])
  assert.equal(counts.time('lastMessageAt'), 500)
})

test('a run that starts alone counts from 0', () => {
  let current: CreatedTask | null = run(10, 7, 500)
  const counts = new TaskCounts(() => current)
  counts.goOn()
  counts.beginAnew()
  current = run(1, 1)
  assert.deepEqual([counts.count('messagesReceived'), counts.time('lastMessageAt')], [1, 0])
})

const THOUSAND = { recordCount: 1000, written: 1000, filtered: 0 }

test('the rate includes the records of both runs of a hand-over, and is 0 after a start alone', () => {
  const before = run(0, 0)
  const after = run(0, 0)
  let current: CreatedTask | null = before
  const counts = new TaskCounts(() => current)
  before.run.progress.acknowledged(THOUSAND, 100_000, 1)
  counts.goOn()
  current = after
  after.run.progress.acknowledged(THOUSAND, 101_000, 1)
  assert.equal(Math.round(counts.rate(109_999)), 200)
  counts.beginAnew()
  current = run(0, 0)
  assert.equal(counts.rate(109_999), 0)
})
