import assert from 'node:assert/strict'
import { it } from 'node:test'
import { record } from '../support/for-tests.ts'
import { hasHeaderKey } from './has-header-key.ts'
import { recordIsTombstone } from './record-is-tombstone.ts'
import { topicNameMatches } from './topic-name-matches.ts'

it('finds headers by name', () => {
  const predicate = hasHeaderKey.create({ name: 'a' })
  assert.equal(predicate.test(record({ headers: [{ name: 'a', value: null }] })), true)
  assert.equal(predicate.test(record({})), false)
  const message = 'Invalid value  for configuration name: String must be non-empty'
  assert.throws(() => hasHeaderKey.create({ name: '' }), { message })
})

it('finds tombstones', () => {
  const predicate = recordIsTombstone.create({})
  assert.deepEqual(
    [null, undefined, 0, ''].map((value) => predicate.test(record({ value }))),
    [true, true, false, false],
  )
})

it('matches whole names of topics', () => {
  const predicate = topicNameMatches.create({ pattern: 'a|ab' })
  assert.deepEqual(
    ['a', 'ab', 'abc'].map((topic) => predicate.test(record({ topic }))),
    [true, true, false],
  )
})
