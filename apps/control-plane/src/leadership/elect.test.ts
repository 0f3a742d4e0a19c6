import assert from 'node:assert/strict'
import test from 'node:test'
import { electLeader } from './elect.ts'

interface Options {
  readonly leads?: number
  readonly leaving?: boolean
}

function member(memberId: string, { leads = 0, leaving = false }: Options = {}) {
  return { memberId, leaving, metadata: { rest: `${memberId}:8083`, leads } }
}

test('of replicas none of which leads the first is elected, with the address that others reach it by', () => {
  assert.deepEqual(electLeader([member('a'), member('b')]), { id: 'a', rest: 'a:8083' })
})

test('the present leader stays, whoever joins', () => {
  assert.equal(electLeader([member('a'), member('b', { leads: 3 }), member('c')])?.id, 'b')
})

test('of two that claim to lead the later one does', () => {
  assert.equal(electLeader([member('a', { leads: 9 }), member('b', { leads: 3 })])?.id, 'a')
})

test('a leader that leaves gives it up; when all leave there is none', () => {
  assert.equal(electLeader([member('a'), member('b', { leads: 3, leaving: true })])?.id, 'a')
  assert.equal(electLeader([member('b', { leads: 3, leaving: true })]), null)
  assert.equal(electLeader([]), null)
})
