import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuditEntry } from '../types.ts'
import { auditRecord, readAuditRecord } from './audit-records.ts'

const ENTRY: AuditEntry = {
  ...{ id: 'r-1', time: 1_900_000_000_000, who: 'key:ci', action: 'PUT /connectors/{connector}/config', path: '/x' },
  ...{ connector: 'a', address: '10.0.0.1', replica: 'a:1', status: 200, outcome: 'done', count: 1 },
  ...{ forwarded_for: '10.0.0.9', via: 'control-plane@b:1', error: 'none' },
  changes: [{ connector: 'a', before: null, after: { name: 'a', __proto: 'x' } }],
}

test('an entry is read as it was written', () => {
  assert.deepEqual(readAuditRecord(auditRecord(ENTRY)), ENTRY)
})

test('a large entry is shortened, and says so', () => {
  const config = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`key.${i}`, 'x'.repeat(1000)]))
  const read = readAuditRecord(auditRecord({ ...ENTRY, changes: [{ connector: 'a', before: config, after: config }] }))
  assert.equal(read.shortened, true)
  assert.match(read.changes[0]!.after!['key.99']!, /^x{500}… \(1000 characters\)$/)
  const many = Array.from({ length: 20 }, () => ({ connector: 'a', before: config, after: config }))
  const cut = readAuditRecord(auditRecord({ ...ENTRY, changes: many }))
  assert.deepEqual([cut.changes, cut.shortened, cut.who], [[], true, 'key:ci'])
})

test('a record that is no entry is refused, whoever wrote it', () => {
  const wrong: unknown[] = [null, 5, [], {}, { ...ENTRY, time: 1e300 }, { ...ENTRY, time: 'now' }, { ...ENTRY, who: 1 }]
  wrong.push(
    { ...ENTRY, outcome: 'good' },
    { ...ENTRY, changes: {} },
    { ...ENTRY, changes: [null] },
    { ...ENTRY, count: '1' },
  )
  wrong.push({ ...ENTRY, connector: 5 }, { ...ENTRY, changes: [{ connector: 'a', before: { a: {} }, after: null }] })
  for (const value of wrong)
    assert.throws(() => readAuditRecord(Buffer.from(JSON.stringify(value))), JSON.stringify(value))
  for (const text of ['', '{', 'x'.repeat(600_000)]) assert.throws(() => readAuditRecord(Buffer.from(text)))
})
