import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalPartition, offsetKeyBytes, readOffsetKey, readOffsetValue } from './offsets/offset-records.ts'
import { compareVersions } from './plugins/plugin-catalog.ts'
import {
  connectorStatusRecord,
  readStatusRecord,
  taskStatusRecord,
  topicStatusRecord,
} from './status/status-records.ts'

test("statuses are written in Connect's format and read back", () => {
  const failed = { state: 'FAILED', trace: 'why\n\tat x', workerId: 'h:1', generation: 3 } as const
  const record = taskStatusRecord('a-b', 12, failed)
  assert.equal(record.key, 'status-task-a-b-12')
  assert.equal(String(record.value), '{"state":"FAILED","trace":"why\\n\\tat x","worker_id":"h:1","generation":3}')
  const read = readStatusRecord('status-task-a-b-12', record.value)
  assert.deepEqual(read, { kind: 'task', connector: 'a-b', task: 12, status: failed })
  const running = connectorStatusRecord('c', { state: 'RUNNING', workerId: 'h:1', generation: 3 })
  assert.equal(String(running.value), '{"state":"RUNNING","trace":null,"worker_id":"h:1","generation":3}')
})

test('the count of ended processes is an additional field, which is absent at 0', () => {
  const held = { state: 'FAILED', trace: 'held', workerId: 'h:1', generation: 3, stalls: 2 } as const
  const record = taskStatusRecord('c', 0, held)
  assert.equal(String(record.value), '{"state":"FAILED","trace":"held","worker_id":"h:1","generation":3,"stalls":2}')
  const read = readStatusRecord(String(record.key), record.value)
  assert.deepEqual(read, { kind: 'task', connector: 'c', task: 0, status: held })
  const cleared = taskStatusRecord('c', 0, { ...held, stalls: 0 })
  assert.equal(String(cleared.value), '{"state":"FAILED","trace":"held","worker_id":"h:1","generation":3}')
})

test("an ended task's hand-over state is an additional field", () => {
  const left = { state: 'UNASSIGNED', workerId: 'h:1', generation: 3, handOver: '{"last":["a","ü"]}' } as const
  const record = taskStatusRecord('c', 0, left)
  const json = '"worker_id":"h:1","generation":3,"hand_over":"{\\"last\\":[\\"a\\",\\"ü\\"]}"}'
  assert.equal(String(record.value), `{"state":"UNASSIGNED","trace":null,${json}`)
  const read = readStatusRecord(String(record.key), record.value)
  assert.deepEqual(read, { kind: 'task', connector: 'c', task: 0, status: left })
})

test("the key of a connector's topic contains both names", () => {
  const { key, value } = topicStatusRecord('c:connector-d', 't.1', { task: 2, timestamp: 5 })
  assert.equal(key, 'status-topic-t.1:connector-c:connector-d')
  assert.equal(String(value), '{"topic":{"name":"t.1","connector":"c:connector-d","task":2,"discoverTimestamp":5}}')
  const read = readStatusRecord(String(key), value)
  assert.deepEqual(read, { kind: 'topic', connector: 'c:connector-d', topic: 't.1', present: true })
})

test('an unreadable status is refused with the reason', () => {
  const read = (value: unknown) => () => readStatusRecord('status-connector-c', Buffer.from(JSON.stringify(value)))
  assert.throws(read({ state: 'DANCING', worker_id: 'w', generation: 1 }), /DANCING/)
  assert.throws(read({ state: 'RUNNING', generation: 1 }), /worker_id/)
  assert.throws(read({ state: 'RUNNING', worker_id: 'w' }), /generation/)
  assert.throws(read('RUNNING'), /not a JSON object/)
  assert.throws(() => readStatusRecord('status-x', null), /none of Kafka Connect/)
})

test('equal partitions have equal keys in spite of the order of fields and the type of integers', () => {
  assert.equal(canonicalPartition({ b: 1, a: 'x' }), canonicalPartition({ a: 'x', b: 1n }))
})

test("the fields of a partition's key are in the order of a Java HashMap", () => {
  // These keys were written by Kafka Connect 3.9.1 when REST altered offsets.
  const key = '["c",{"zeta":1,"grpc_method":"m","filename":"x","alpha":"ä\\u001F","grpc_server":"h"}]'
  const partition = { filename: 'x', grpc_server: 'h', alpha: 'ä\u001f', zeta: 1, grpc_method: 'm' }
  assert.equal(String(offsetKeyBytes('c', partition)), key)
})

test('unreadable keys and values of offsets are refused, the partition null is ignored', () => {
  assert.equal(readOffsetKey('["c",null]'), null)
  for (const key of ['x', '{}', '["c"]', '[1,{}]', '["c",[]]']) assert.throws(() => readOffsetKey(key))
  assert.throws(() => readOffsetValue(Buffer.from('5')), /not a JSON object/)
  assert.equal(readOffsetValue(null), null)
})

test('versions are compared by their numbers, and a release is above its pre-release', () => {
  const sorted = ['1.9.0', '1.10.0', '2.0.0-rc1', '2.0.0-rc2', '2.0.0', '2.0.0.1']
  assert.deepEqual([...sorted].reverse().sort(compareVersions), sorted)
  assert.equal(compareVersions('1.0', '1.0.0'), 0)
})
