import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isMemberAssignment, isMemberMetadata } from './group-schema.ts'

const member = { worker: 'h:1', cfg: '12', own: [['c/a', 3, 0]], preparing: [], ready: ['t/0/a'], plugins: ['x@1'] }

test('metadata and assignments of our workers are read, with members of later versions', () => {
  assert.ok(isMemberMetadata({ ...member, later: true }))
  assert.ok(isMemberMetadata({ worker: '[::1]:8083', cfg: '-1', own: [] }))
  assert.ok(isMemberAssignment({ run: ['c/a'], cfg: '3', followup: false, later: 1 }))
})

test('what would end a round for all its members is no metadata', () => {
  const wrong: unknown[] = [
    null,
    [],
    {},
    { ...member, cfg: 'x' },
    { ...member, cfg: 5 },
    { ...member, cfg: '9'.repeat(1_000_000) },
    { ...member, own: null },
    { ...member, own: [['c/a', '3', 0]] },
    { ...member, own: [['c/a', 1e300, 0]] },
    { ...member, own: ['c/a'] },
    { ...member, ready: [5] },
    { ...member, worker: 'h:1/internal?x=' },
    { ...member, worker: undefined },
    { ...member, plugins: {} },
  ]
  for (const each of wrong) assert.equal(isMemberMetadata(each), false, JSON.stringify(each)?.slice(0, 100))
  for (const each of [{}, { run: [] }, { run: {}, cfg: '1' }, { run: [], cfg: '1', moving: [null] }]) {
    assert.equal(isMemberAssignment(each), false, JSON.stringify(each))
  }
})
