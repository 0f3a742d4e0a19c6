import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CommitTurns } from './commit-turns.ts'

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('few commits go at once; of many, 25 go in each turn, in order; one that is given up takes no place', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const turns = new CommitTurns()
  const stop = new AbortController()
  const granted: number[] = []
  const commit = (i: number, signal = new AbortController().signal): Promise<unknown> =>
    turns.next(signal).then(() => granted.push(i))
  const all = Array.from({ length: 10 + 40 }, (_, i) => commit(i))
  const givenUp = assert.rejects(commit(-1, stop.signal), { message: 'stop' })
  all.push(commit(50))
  await settled()
  assert.deepEqual(granted.length, 10)
  stop.abort(new Error('stop'))
  await givenUp
  for (const count of [35, 51]) {
    t.mock.timers.tick(100)
    await settled()
    assert.equal(granted.length, count)
  }
  assert.deepEqual(
    granted,
    [...granted].sort((a, b) => a - b),
  )
  await Promise.all(all)
  t.mock.timers.tick(100)
  t.mock.timers.tick(100)
  await commit(51)
  assert.equal(granted.at(-1), 51, 'a quiet process waits for no turn')
})
