import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scriptedRun, until } from '../testing/run-scripted.ts'

const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => `m${i}`)

test('a position that no record carries is committed behind the records before it', async () => {
  const s = scriptedRun()
  s.producer.up.close()
  void s.run.run()
  s.task.send(...numbered(10))
  s.task.nextPosition = { sequence: 10, completed: true }
  await until(() => s.task.nextPosition === null, 'it is taken')
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.deepEqual(s.offsets.writes, [])
  s.producer.up.open()
  await until(() => s.offsets.writes.at(-1)?.['completed'] === true, 'it is committed')
  await s.run.stop()
})

test('a position is committed also when a stop comes before an empty poll', async () => {
  const s = scriptedRun()
  void s.run.run()
  await until(() => s.task.connects === 1, 'it is connected')
  s.task.onHandOut = (records) => {
    if (records.length > 0) s.task.nextPosition = { sequence: 10, completed: true }
  }
  s.task.send(...numbered(10))
  await s.run.stop()
  assert.equal(s.offsets.writes.at(-1)?.['completed'], true)
})
