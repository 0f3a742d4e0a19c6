import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTaskStats } from '@tributary/connect-api'
import { TaskProgress } from '../task/task-progress.ts'
import { TaskCounts } from './task-counts.ts'
import type { CreatedTask } from './task-factory.ts'

function run(received: number, produced: number, lastMessageAt = 0): CreatedTask {
  const progress = Object.assign(new TaskProgress(), { recordsProduced: produced })
  const stats = { ...createTaskStats(), messagesReceived: received, lastMessageAt }
  const made = { run: { progress, connection: { reconnects: 0 } }, stats, errors: { skipped: 0, deadLettered: 0 } }
  return made as unknown as CreatedTask
}

test('a run that follows another with overlap counts on from it', () => {
  let current: CreatedTask | null = run(10, 7, 500)
  const counts = new TaskCounts(() => current)
  for (const next of [run(3, 2), run(4, 1, 400)]) {
    counts.goOn()
    current = next
  }
  assert.deepEqual([counts.count('messagesReceived'), counts.count('recordsProduced')], [17, 10])
  assert.equal(counts.time('lastMessageAt'), 500)
})

test('a run that begins alone counts from 0', () => {
  let current: CreatedTask | null = run(10, 7, 500)
  const counts = new TaskCounts(() => current)
  counts.goOn()
  counts.beginAnew()
  current = run(1, 1)
  assert.deepEqual([counts.count('messagesReceived'), counts.time('lastMessageAt')], [1, 0])
})

test('the rate is of what came since the last look, over a hand-over too, and never negative', () => {
  let current: CreatedTask | null = run(0, 1000)
  const counts = new TaskCounts(() => current)
  assert.equal(counts.rate(10_000), 0)
  counts.goOn()
  current = run(0, 500)
  assert.equal(counts.rate(10_500), 0)
  assert.equal(counts.rate(11_000), 500)
  counts.beginAnew()
  assert.equal(counts.rate(12_000), 0)
})
