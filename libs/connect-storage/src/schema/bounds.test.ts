import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectorRecord, readConfigRecord } from '../configs/config-records.ts'
import { ConfigState } from '../configs/config-state.ts'
import { readOffsetKey } from '../offsets/offset-records.ts'
import { readStatusRecord } from '../status/status-records.ts'
import { boundedJson, refusalOf } from './checks.ts'
import { LIMITS } from './limits.ts'

const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
const status = { state: 'RUNNING', worker_id: 'w:1', generation: 1 }
const properties = { properties: {} }

test('a commit of more tasks than there are is an incomplete set, whatever its number is', () => {
  const state = new ConfigState()
  const write = (key: string, value: unknown): void =>
    void state.apply(readConfigRecord(key, bytes(value)), state.appliedOffset + 1n)
  write('connector-c', { properties: {} })
  write('task-c-0', { properties: { n: '0' } })
  for (const tasks of [9007199254740991, 2 ** 32, 1e300, 10_001, 0.5, -1, '1', null]) {
    assert.throws(() => write('commit-c', { tasks }), /'tasks' is no count up to 10000/)
  }
  write('commit-c', { tasks: 10_000 })
  assert.deepEqual(state.tasks('c'), [])
  assert.equal(state.tasksOutdated('c'), true)
})

test('names of connectors are neither empty nor endless, in every topic', () => {
  const long = 'n'.repeat(LIMITS.nameChars + 1)
  for (const name of ['', long]) {
    const read: (() => unknown)[] = [
      () => readConfigRecord(`connector-${name}`, bytes(properties)),
      () => readConfigRecord(`target-state-${name}`, bytes({ state: 'STARTED' })),
      () => readConfigRecord(`task-${name}-0`, bytes(properties)),
      () => readConfigRecord(`commit-${name}`, bytes({ tasks: 0 })),
      () => readConfigRecord(`restart-connector-${name}`, bytes({})),
      () => readConfigRecord(`logger-cluster-${name}`, bytes({ level: 'INFO' })),
      () => readStatusRecord(`status-connector-${name}`, bytes(status)),
      () => readStatusRecord(`status-task-${name}-0`, bytes(status)),
      () => readStatusRecord(`status-topic-t:connector-${name}`, bytes({})),
      () => readOffsetKey(JSON.stringify([name, {}])),
    ]
    for (const each of read) assert.throws(each, /is empty|has more than|none of Kafka Connect/)
  }
})

test('a record that could not be removed again is refused: a task number with zeros before it, or beyond the limit', () => {
  for (const number of ['007', '10000', '9'.repeat(400)]) {
    assert.throws(() => readConfigRecord(`task-c-${number}`, bytes(properties)))
    assert.throws(() => readStatusRecord(`status-task-c-${number}`, bytes(status)))
  }
})

test('numbers in values are counts within bounds', () => {
  const task = (generation: unknown) => () => readConfigRecord('task-c-0', bytes({ properties: {}, generation }))
  for (const generation of [-1, 0.5, 2 ** 53, 1e300, '1', {}]) assert.throws(task(generation), /'generation'/)
  assert.throws(() => readConfigRecord('restart-connector-c', bytes({ task: 1e300 })), /'task'/)
  const read = readStatusRecord('status-task-c-0', bytes({ ...status, stalls: -1, hand_over: 'x'.repeat(70_000) }))
  assert.deepEqual(read.kind === 'task' && read.status, { state: 'RUNNING', workerId: 'w:1', generation: 1 })
})

test('a worker is a host and a port, since requests go there', () => {
  for (const worker of ['', 'a/b', 'a?b', 'u@h:1', 'a b', 'a\\b', 'h:1#', 'x'.repeat(301), 5]) {
    assert.throws(() => readStatusRecord('status-connector-c', bytes({ ...status, worker_id: worker })), /worker_id/)
  }
})

test('a key __proto__ is a property like any other', () => {
  const read = readConfigRecord('connector-c', Buffer.from('{"properties":{"__proto__":"x","constructor":"y"}}'))
  assert.ok(read.kind === 'connector')
  assert.deepEqual(Object.entries(read.value!.properties), [
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ])
  assert.equal(String(connectorRecord('c', read.value!.properties).value), '{"properties":{"__proto__":"x","constructor":"y"}}') // prettier-ignore
})

test('a value has bounds of size, depth and number of members, and strings do not count as members', () => {
  const key = Buffer.from('k')
  assert.match(refusalOf(key, Buffer.alloc(LIMITS.valueBytes + 1))!, /value has more than/)
  assert.match(refusalOf(Buffer.alloc(LIMITS.keyBytes + 1), null)!, /key has more than/)
  assert.match(refusalOf(Buffer.of(0xff), null)!, /not UTF-8/)
  assert.match(refusalOf(null, null)!, /no key/)
  assert.equal(refusalOf(key, Buffer.alloc(LIMITS.valueBytes)), null)
  const many = Buffer.from(`[${'1,'.repeat(LIMITS.members)}1111111111111111]`)
  assert.throws(() => boundedJson(many), /more than 20000 members/)
  assert.throws(() => boundedJson(Buffer.from('['.repeat(1001) + ']'.repeat(1001))), /not JSON/)
  const text = '[,{"\\'.repeat(LIMITS.members)
  assert.deepEqual(boundedJson(bytes({ text })), { text })
})

test('the reason of a refusal shows nothing of the value', () => {
  const secret = 'hunter2-hunter2'
  const reasons = [`{"a":"${secret}"`, `"${secret}"`, `{"properties":"${secret}"}`].map((text) => {
    try {
      readConfigRecord('connector-c', Buffer.from(text))
      return 'read'
    } catch (error) {
      return (error as Error).message
    }
  })
  assert.deepEqual(reasons, [
    'the text is not JSON',
    'the value is not a JSON object',
    "the field 'properties' is missing or no object",
  ])
})

test('a connector whose records are all removed leaves nothing behind', () => {
  const state = new ConfigState()
  for (const value of [bytes({ tasks: 0 }), null]) {
    state.apply(readConfigRecord('commit-gone', value), 1n)
    assert.equal(state.remembered, value === null ? 0 : 1)
  }
})
