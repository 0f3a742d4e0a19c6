import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accessKeyName, accessKeyRecord, readAccessKey } from './access-records.ts'
import { AccessState } from './access-state.ts'
import type { AccessKey } from '../types.ts'

const KEY: AccessKey = {
  name: 'ci',
  id: 'aB3',
  hash: 'ab'.repeat(32),
  grants: ['operator:orders-*', 'viewer'],
  created: 1_700_000_000_000,
  createdBy: 'user:alice',
  expires: null,
  revoked: null,
}
const { name: _name, createdBy, ...rest } = KEY
const FIELDS = { ...rest, created_by: createdBy }

test('an API key is read back as it was written', () => {
  const key = { ...KEY, expires: 1_800_000_000_000, revoked: 1_700_000_000_001 }
  const record = accessKeyRecord(key)
  assert.equal(record.key, 'key-ci')
  assert.deepEqual(readAccessKey('ci', record.value!), key)
})

test('a name is what follows the prefix; records of other kinds are left alone', () => {
  assert.equal(accessKeyName('key-ci.prod_1'), 'ci.prod_1')
  for (const key of ['', 'key-', 'key-a b', 'key--a', 'other-ci', 'key-\n', `key-${'a'.repeat(101)}`]) {
    assert.equal(accessKeyName(key), null, key)
  }
})

test('a value that is no API key is refused: a key that lacks its expiry must not live for ever', () => {
  const { expires: _expires, ...immortal } = FIELDS
  const { revoked: _revoked, ...unrevoked } = FIELDS
  const refused: unknown[] = [
    null,
    [],
    'x',
    {},
    immortal,
    unrevoked,
    { ...FIELDS, id: '__proto__' },
    { ...FIELDS, hash: 'AB' },
    { ...FIELDS, hash: null },
    { ...FIELDS, grants: 'admin' },
    { ...FIELDS, grants: [['admin']] },
    { ...FIELDS, grants: Array(101).fill('admin') },
    { ...FIELDS, grants: ['x'.repeat(1001)] },
    { ...FIELDS, created: -1 },
    { ...FIELDS, expires: '2030-01-01' },
    { ...FIELDS, expires: 1e300 },
    { ...FIELDS, created_by: 5 },
  ]
  for (const value of refused) {
    assert.throws(
      () => readAccessKey('ci', Buffer.from(JSON.stringify(value))),
      Error,
      JSON.stringify(value)?.slice(0, 80),
    )
  }
  assert.throws(() => readAccessKey('ci', Buffer.from('{"id":')), /not JSON/)
  assert.throws(() => readAccessKey('ci', Buffer.from([0xff, 0xfe])))
})

test('a record that cannot be read, and a tombstone, end the key of their name; an id belongs to one key', () => {
  const state = new AccessState()
  const put = (key: AccessKey): void => state.apply(`key-${key.name}`, accessKeyRecord(key).value)
  put(KEY)
  assert.deepEqual([state.key('ci'), state.keyOfId(KEY.id), state.keys()], [KEY, KEY, [KEY]])
  assert.throws(() => put({ ...KEY, name: 'thief' }), /another key has the id/)
  assert.equal(state.keyOfId(KEY.id)?.name, 'ci')
  assert.throws(() => state.apply('key-ci', Buffer.from('{}')), /the value\.id is not there/)
  assert.deepEqual([state.key('ci'), state.keyOfId(KEY.id)], [null, null])
  put({ ...KEY, id: 'new' })
  state.apply('key-ci', null)
  assert.deepEqual(state.keys(), [])
})
