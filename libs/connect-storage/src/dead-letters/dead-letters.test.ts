import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDeadLetterRecord } from './dead-letter-records.ts'
import { DeadLetterState } from './dead-letter-state.ts'
import { type DeadLetterChanges, recordsOf } from './dead-letter-store.ts'
import { isIn, letterSet, letterSets, lettersOf, sizeOf } from './letter-set.ts'
import type { LetterEvent, Replay } from './types.ts'

const place = (offset: number, partition = 0, topic = 'dlq') => ({ topic, partition, offset: String(offset) })

const REPLAY: Replay = {
  id: 'r-1',
  at: 5,
  by: 'user:alice',
  state: 'queued',
  choice: {
    ...{ ids: null, connectors: ['a', null], topics: ['dlq'], originalTopics: null, errorTypes: ['SCHEMA_MISMATCH'] },
    ...{ statuses: null, from: 1, to: null, text: 'x', inPayload: false, limit: 1000 },
  },
  strategy: 'rate_limited',
  scheduledAt: null,
  rate: 0.5,
  targetTopic: null,
  edits: [
    { field: 'a', operation: 'cast', value: 'int' },
    { field: 'b', operation: 'mask' },
    { field: 'c', operation: 'replace', value: { deep: [1, null] } },
  ],
  ...{ force: false, notes: null, connector: null, count: 2, chosen: false, startedAt: null, completedAt: null },
  ...{ waitingFor: null, cancelledBy: null, results: null },
  failures: [{ id: 'x', topic: 'dlq', partition: 0, offset: '1', type: 'UNKNOWN', message: 'm' }],
}
const EVENT: LetterEvent = {
  ...{ id: 'e-1', at: 7, by: 'user:alice', kind: 'failed', letters: letterSet([place(1)]), replay: 'r-1', notes: 'n' },
  error: { type: 'UNKNOWN', message: 'm' },
}

function applied(state: DeadLetterState, changes: DeadLetterChanges) {
  return recordsOf(changes).map(({ key, value }) => state.apply(readDeadLetterRecord(String(key), value)))
}

test('a set of letters holds exactly its letters, in ascending runs, and large ones become several', () => {
  const letters = [place(3), place(1), place(2), place(2), place(9), place(1, 1), place(0, 0, '__proto__')]
  const set = letterSet(letters)
  assert.deepEqual(set['dlq'], { 0: [[1, 3], [9, 1]], 1: [[1, 1]] }) // prettier-ignore
  assert.equal(sizeOf(set), 6)
  assert.deepEqual(
    [...lettersOf(set)].filter(({ topic, partition }) => topic === 'dlq' && partition === 0),
    [place(1), place(2), place(3), place(9)],
  )
  for (const letter of letters) assert.ok(isIn(set, letter))
  for (const other of [place(4), place(0), place(2, 1), place(1, 0, 'constructor')]) assert.ok(!isIn(set, other))
  const scattered = Array.from({ length: 20_000 }, (_, i) => place(i * 2))
  assert.deepEqual(letterSets(scattered).map(sizeOf), [5000, 5000, 5000, 5000])
  assert.deepEqual(letterSets(scattered.map((_, i) => place(i))).map(sizeOf), [10_000, 10_000])
})

test('topics, replays, chunks and events are read back as they were written, and removed by tombstones', () => {
  const state = new DeadLetterState()
  const chunk = { replay: 'r-1', number: 3, at: 6, by: 'user:alice', connector: null, task: 2, letters: EVENT.letters }
  const events = applied(state, { topics: ['dlq'], replays: [REPLAY], chunks: [chunk], events: [EVENT] })
  const taken = { id: 'r-1:3', at: 6, by: 'user:alice', kind: 'taken', letters: EVENT.letters, replay: 'r-1' }
  assert.deepEqual(events, [null, taken, EVENT, null])
  assert.deepEqual([...state.topics()], ['dlq'])
  assert.deepEqual(state.replays(), [REPLAY])
  assert.deepEqual(state.chunks('r-1'), [chunk])
  assert.deepEqual([...state.events()], [taken, EVENT])
  assert.deepEqual(state.results('r-1'), { success: 0, failed: 1, skipped: 0 })
  applied(state, { events: [EVENT] })
  assert.deepEqual(state.results('r-1'), { success: 0, failed: 1, skipped: 0 }, 'an event counts once')
  applied(state, { gone: { topics: ['dlq'], replays: ['r-1'], chunks: [chunk], events: ['e-1'] } })
  assert.deepEqual([[...state.topics()], state.replays(), state.chunks('r-1'), [...state.events()]], [[], [], [], []])
})

test('a record that is none of these is left alone or refused', () => {
  const read = (key: string, value: unknown) => readDeadLetterRecord(key, Buffer.from(JSON.stringify(value)))
  assert.equal(read('other:x', {}), null)
  assert.equal(read('topic', {}), null)
  const { id: _, ...replay } = REPLAY
  const { id: __, ...event } = EVENT
  const refused: [string, unknown][] = [
    ['topic:a b', {}],
    ['replay:', replay],
    ['replay:r', { ...replay, state: 'other' }],
    ['replay:r', { ...replay, rate: -1 }],
    ['replay:r', { ...replay, edits: [{ field: 'a', operation: 'drop' }] }],
    ['letters:r', {}],
    ['letters:r:9999999', {}],
    ['event:e', { ...event, kind: 'lost' }],
    ['event:e', { ...event, letters: { dlq: { 0: [[0, 100_000]] } } }],
    ['event:e', { ...event, letters: { dlq: { x: [[0, 1]] } } }],
    ['event:e', { ...event, letters: { 'a b': {} } }],
    ['event:e', { ...event, letters: { dlq: { 0: [[-1, 1]] } } }],
  ]
  for (const [key, value] of refused) assert.throws(() => read(key, value), Error, `${key} ${JSON.stringify(value)}`)
})
