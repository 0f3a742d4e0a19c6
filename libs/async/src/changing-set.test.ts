import assert from 'node:assert/strict'
import { test } from 'node:test'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { ChangingSet } from './changing-set.ts'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as (options?: { type: 'minor' }) => void

function oldGenerationBytes(): number {
  return getHeapSpaceStatistics().find((space) => space.space_name === 'old_space')!.space_used_size
}

test('members come and go in any order', () => {
  const set = new ChangingSet<string>()
  for (const member of ['a', 'b', 'c']) set.add(member)
  set.delete('b')
  set.delete('not there')
  assert.deepEqual([...set], ['a', 'c'])
  for (const member of set) set.delete(member)
  assert.equal(set.size, 0)
})

test('what has left does not reach the old generation', () => {
  const set = new ChangingSet<object>()
  let oldest: object = {}
  set.add(oldest)
  gc()
  const before = oldGenerationBytes()
  for (let i = 0; i < 200; i++) {
    const next = { content: new Array<number>(1000).fill(i) }
    set.add(next)
    set.delete(oldest)
    oldest = next
    gc({ type: 'minor' })
  }
  assert.ok(oldGenerationBytes() - before < 200_000, `${oldGenerationBytes() - before} bytes more`)
})
