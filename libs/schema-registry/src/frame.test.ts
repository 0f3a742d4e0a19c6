import assert from 'node:assert/strict'
import { test } from 'node:test'
import { frame, readIndexes, unframe } from './frame.ts'
import { subjectStrategy } from './subjects.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

test('a frame is 0, the id, the indexes of the message and the payload', () => {
  const payload = Buffer.from('ab', 'hex')
  const frames: readonly [id: number, indexes: number[] | null, expected: string][] = [
    [1, null, '0000000001ab'],
    [0x7fffffff, null, '007fffffffab'],
    [5, [0], '000000000500ab'],
    [5, [1], '00000000050202ab'],
    [5, [1, 0, 300], '0000000005060200d804ab'],
  ]
  for (const [id, indexes, expected] of frames) {
    const framed = frame(id, indexes, payload)
    assert.equal(hex(framed), expected)
    const { id: read, payload: rest } = unframe(framed)
    assert.equal(read, id)
    if (indexes === null) continue
    assert.deepEqual(readIndexes(rest), { indexes, rest: payload })
  }
})

test('bytes without a frame are a data error', () => {
  const bad: readonly [bytes: string, text: RegExp][] = [
    ['', /it has 0 bytes/],
    ['00000001', /it has 4 bytes/],
    ['7b226122', /4 bytes/],
    ['00ffffffff00', /the id -1, and no id is negative/],
    ['7b226122223a', /Unknown magic byte!/],
    ['01000102030405060708090a0b0c0d0e0fff', /GUID 00010203-0405-0607-0809-0a0b0c0d0e0f, and only ids are read/],
  ]
  for (const [bytes, message] of bad) assert.throws(() => unframe(Buffer.from(bytes, 'hex')), { kind: 'data', message })
})

test('damaged indexes are a data error, and few bytes make no long list', () => {
  for (const bytes of ['', '02', '01', '03', 'ffffffffff01', 'ffffffff0f', '0480']) {
    assert.throws(() => readIndexes(Buffer.from(bytes, 'hex')), { kind: 'data', code: 'SCHEMA_FRAME' }, bytes)
  }
})

test('subjects are named by topic, record, or both, by the class or the short name', () => {
  const names = (strategy: string, isKey: boolean): string => subjectStrategy(strategy)('orders', isKey, 'a.Order')
  const prefix = 'io.confluent.kafka.serializers.subject.'
  assert.equal(names(`${prefix}TopicNameStrategy`, true), 'orders-key')
  assert.equal(names('TopicNameStrategy', false), 'orders-value')
  assert.equal(names(`${prefix}RecordNameStrategy`, true), 'a.Order')
  assert.equal(names('TopicRecordNameStrategy', false), 'orders-a.Order')
  assert.throws(() => subjectStrategy('RecordNameStrategy')('orders', false, null), { code: 'SCHEMA_SUBJECT' })
})
