import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectorRecord, connectorTombstones, loggerLevelRecord, readConfigRecord, restartRecord, targetStateRecord, taskRecords } from './config-records.ts' // prettier-ignore
import { ConfigState } from './config-state.ts'
import type { StoreRecord } from '../types.ts'

/** A ConfigState that reads records like those of the topic, and the listener calls that it made. */
function topic(): { state: ConfigState; calls: string[]; write: (...records: StoreRecord[]) => void } {
  const state = new ConfigState()
  const calls: string[] = []
  let offset = 0n
  return {
    state,
    calls,
    write(...records) {
      for (const { key, value } of records) {
        state.apply(
          readConfigRecord(String(key), value),
          offset++,
        )?.({
          connectorConfigUpdated: (name) => calls.push(`config ${name}`),
          connectorRemoved: (name) => calls.push(`removed ${name}`),
          tasksUpdated: (name) => calls.push(`tasks ${name}`),
          targetStateUpdated: (name) => calls.push(`target ${name}`),
          restartRequested: (request) => calls.push(`restart ${JSON.stringify(request)}`),
          loggerLevelSet: (logger, level) => calls.push(`logger ${logger} ${level}`),
        })
      }
    },
  }
}
const raw = (key: string, value: unknown): StoreRecord => ({ key, value: Buffer.from(JSON.stringify(value)) })

test('a new connector has its config, is STARTED and has no tasks, and its tasks are outdated', () => {
  const { state, calls, write } = topic()
  write(connectorRecord('c', { name: 'c' }))
  assert.deepEqual(state.connectors(), ['c'])
  assert.deepEqual(state.config('c'), { name: 'c' })
  assert.equal(state.targetState('c'), 'STARTED')
  assert.deepEqual(state.tasks('c'), [])
  assert.equal(state.tasksOutdated('c'), true)
  assert.deepEqual(calls, ['config c'])
})

test('a setting named like a member of every object is kept', () => {
  const { state, write } = topic()
  const config = JSON.parse('{"name":"c","__proto__":"a","constructor":"b"}') as Record<string, string>
  write(connectorRecord('c', config))
  assert.deepEqual(Object.entries(state.config('c')!), Object.entries(config))
})

test('task configs are applied as a set by their commit record', () => {
  const { state, calls, write } = topic()
  const [first, second, commit] = taskRecords('c', [{ t: '0' }, { t: '1' }], 3)
  write(connectorRecord('c', {}), first!, second!)
  assert.deepEqual(state.tasks('c'), [])
  write(commit!)
  assert.deepEqual(state.tasks('c'), [{ t: '0' }, { t: '1' }])
  assert.equal(state.tasksOutdated('c'), false)
  write(...taskRecords('c', [{ t: 'new' }], 3))
  assert.deepEqual(state.tasks('c'), [{ t: 'new' }])
  assert.deepEqual(calls, ['config c', 'tasks c', 'tasks c'])
})

test('a set that compaction has made incomplete gives no tasks, and the tasks are outdated', () => {
  const { state, write } = topic()
  const [, second, commit] = taskRecords('c', [{ t: '0' }, { t: '1' }], 3)
  write(connectorRecord('c', {}), second!, commit!)
  assert.deepEqual(state.tasks('c'), [])
  assert.equal(state.tasksOutdated('c'), true)
})

test('a set may stand before its connector when the connector was updated later', () => {
  const { state, write } = topic()
  write(...taskRecords('c', [{ t: '0' }], 3), connectorRecord('c', { v: '2' }))
  assert.deepEqual(state.tasks('c'), [{ t: '0' }])
  assert.equal(state.tasksOutdated('c'), true)
})

test('a write with a lower generation than an earlier one is ignored; a write of Connect, without a generation, is not', () => {
  const { state, write } = topic()
  write(connectorRecord('c', {}), ...taskRecords('c', [{ t: 'new' }], 7))
  write(...taskRecords('c', [{ t: 'fenced' }, { t: 'fenced' }], 6))
  assert.deepEqual(state.tasks('c'), [{ t: 'new' }])
  write(raw('task-c-0', { properties: { t: 'connect' } }), raw('commit-c', { tasks: 1 }))
  assert.deepEqual(state.tasks('c'), [{ t: 'connect' }])
})

test('a removed connector is gone, and a set that follows the removal is not shown', () => {
  const { state, calls, write } = topic()
  write(targetStateRecord('c', 'STOPPED'), connectorRecord('c', {}), ...taskRecords('c', [{}, {}], 1))
  assert.deepEqual([...state.taskNumbers('c')], [0, 1])
  const tombstones = connectorTombstones('c', state.taskNumbers('c'))
  assert.deepEqual(tombstones.map((r) => r.key), ['connector-c', 'target-state-c', 'commit-c', 'task-c-0', 'task-c-1']) // prettier-ignore
  calls.length = 0
  write(...tombstones)
  assert.deepEqual(calls, ['removed c'])
  write(...taskRecords('c', [{}], 1))
  assert.deepEqual([state.connectors(), state.config('c'), state.tasks('c')], [[], null, []])
  assert.equal(state.targetState('c'), 'STARTED')
})

test('a target state that only an old worker wrote is understood, an unknown state is refused', () => {
  const { state, write } = topic()
  write(raw('target-state-c', { state: 'PAUSED' }))
  assert.equal(state.targetState('c'), 'PAUSED')
  write(raw('target-state-c', { state: 'PAUSED', 'state.v2': 'STOPPED' }))
  assert.equal(state.targetState('c'), 'STOPPED')
  assert.throws(() => write(raw('target-state-c', { state: 'FROZEN' })), /FROZEN/)
  assert.equal(state.targetState('c'), 'STOPPED')
})

test('unknown fields are kept when a value is written again', () => {
  const { state, write } = topic()
  write(raw('connector-c', { properties: {}, later: 1 }), raw('target-state-c', { state: 'PAUSED', later: [2] }))
  const kept = state.keptFields('c')
  assert.equal(String(connectorRecord('c', { a: 'b' }, kept.config).value), '{"properties":{"a":"b"},"later":1}')
  assert.equal(
    String(targetStateRecord('c', 'STARTED', kept.targetState).value),
    '{"state":"STARTED","later":[2],"state.v2":"STARTED"}',
  )
})

test('restarts and logger levels are passed to listeners', () => {
  const { calls, write } = topic()
  write(restartRecord({ connector: 'c', includeTasks: true, onlyFailed: false }), loggerLevelRecord('io.x', 'DEBUG'))
  write(restartRecord({ connector: 'c', includeTasks: false, onlyFailed: false, task: 3 }))
  assert.deepEqual(calls, [
    'restart {"connector":"c","includeTasks":true,"onlyFailed":false}',
    'logger io.x DEBUG',
    'restart {"connector":"c","includeTasks":false,"onlyFailed":false,"task":3}',
  ])
})

test('names with dashes, digits and unusual characters are distinguished', () => {
  const { state, write } = topic()
  for (const name of ['a-1', 'a', 'target-state-x', 'ä /%-0']) {
    write(connectorRecord(name, { name }), ...taskRecords(name, [{ of: name }], 1))
  }
  for (const name of state.connectors()) assert.deepEqual(state.tasks(name), [{ of: name }])
  assert.equal(state.connectors().length, 4)
})

test('records that only Connect needs are ignored, and unknown records are refused', () => {
  assert.equal(readConfigRecord('session-key', Buffer.from('{}')).kind, 'foreign')
  assert.equal(readConfigRecord('tasks-fencing-c-1', Buffer.from('{"task-count":1}')).kind, 'foreign')
  assert.throws(() => readConfigRecord('something', Buffer.from('{}')), /none of Kafka Connect/)
  assert.throws(() => readConfigRecord('connector-c', Buffer.from('[]')), /not a JSON object/)
  assert.throws(() => readConfigRecord('connector-c', Buffer.from('{')), /not JSON/)
  assert.throws(() => readConfigRecord('connector-c', Buffer.from('{}')), /'properties'/)
  assert.throws(() => readConfigRecord('commit-c', Buffer.from('{"tasks":-1}')), /'tasks'/)
})
