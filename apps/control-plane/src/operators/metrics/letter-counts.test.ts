import assert from 'node:assert/strict'
import test from 'node:test'
import { MemoryDeadLetterIndex } from '../../testing/memory-dead-letters.ts'
import { LetterCounts } from './letter-counts.ts'

const SOON = AbortSignal.timeout(60_000)

test('counts do not fall when retention takes letters from the index, and go on with new ones', async () => {
  const table = (count: number): object => ({ byErrorType: { UNKNOWN: count }, byOriginalTopic: { orders: count } })
  let count = 10
  let now = 0
  const index = {
    state: { ready: true, indexed: 0, behind: 0, troubles: [] },
    stats: () => Promise.resolve(table(count)),
  }
  const counts = new LetterCounts(index as never, () => now)
  const read = async (letters: number) => {
    count = letters
    now += 10_000
    return (await counts.read(SOON)).map((one) => one.count)
  }
  assert.deepEqual([await read(10), await read(4), await read(7), await read(0), await read(1)], [[10], [10], [13], [13], [14]]) // prettier-ignore
})

test('an index that is slow gives the counts of before, and one that is being built gives none', async () => {
  const index = new MemoryDeadLetterIndex()
  index.add()
  index.state = { ...index.state, ready: false }
  const counts = new LetterCounts(index)
  assert.deepEqual(await counts.read(SOON), [])
  index.state = { ...index.state, ready: true }
  index.stats = () => new Promise(() => undefined)
  assert.deepEqual(await counts.read(AbortSignal.abort()), [])
})
