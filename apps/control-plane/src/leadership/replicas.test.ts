import assert from 'node:assert/strict'
import test from 'node:test'
import { electLeader } from './replicas.ts'

interface Options {
  readonly leads?: number
  readonly leaving?: boolean
}

function member(memberId: string, { leads = 0, leaving = false }: Options = {}) {
  return { memberId, leaving, metadata: { rest: `${memberId}:8083`, leads } }
}

test('the first replica is elected when none leads, and is known by its REST address', () => {
  assert.deepEqual(electLeader([member('a'), member('b')]), { id: 'a', rest: 'a:8083' })
})

test('the current leader stays when replicas join', () => {
  assert.equal(electLeader([member('a'), member('b', { leads: 3 }), member('c')])?.id, 'b')
})

test('when two replicas claim to lead, the later leader wins', () => {
  assert.equal(electLeader([member('a', { leads: 9 }), member('b', { leads: 3 })])?.id, 'a')
})

test('a leaving leader is replaced; when all replicas leave, nobody leads', () => {
  assert.equal(electLeader([member('a'), member('b', { leads: 3, leaving: true })])?.id, 'a')
  assert.equal(electLeader([member('b', { leads: 3, leaving: true })]), null)
  assert.equal(electLeader([]), null)
})
