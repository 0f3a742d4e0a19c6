import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SourceRecord } from '@tributary/connect-api'
import { Deliveries, type Taken } from './deliveries.ts'
import type { SpillPosition } from './position-file.ts'

const records = (count: number): SourceRecord[] =>
  Array.from({ length: count }, () => ({
    sourcePartition: {},
    sourceOffset: {},
    topic: 't',
    key: null,
    value: null,
    timestamp: null,
  }))

const disk = (position: SpillPosition): Taken<string> => ({ position, messages: null })
const memory = (...messages: string[]): Taken<string> => ({ position: null, messages })

test('the log may be deleted up to the longest prefix of delivered polls', () => {
  const deliveries = new Deliveries<string>()
  const polls = [records(2), records(3), records(1)]
  for (const [i, poll] of polls.entries()) deliveries.handedOut(poll, disk({ segment: 1, at: i }))
  deliveries.delivered(polls[1]!)
  assert.equal(deliveries.take(), null)
  deliveries.delivered(polls[0]!)
  assert.deepEqual(deliveries.take(), { segment: 1, at: 1 })
  assert.equal(deliveries.take(), null)
  deliveries.delivered(polls[2]!)
  assert.deepEqual(deliveries.take(), { segment: 1, at: 2 })
})

test('messages that made no record are released together with the polls before them', () => {
  const deliveries = new Deliveries<string>()
  const [poll] = [records(1)]
  deliveries.handedOut(poll, disk({ segment: 1, at: 1 }))
  deliveries.handedOut([], disk({ segment: 1, at: 2 }))
  assert.equal(deliveries.take(), null)
  deliveries.delivered(poll)
  assert.deepEqual(deliveries.take(), { segment: 1, at: 2 })
  assert.deepEqual(deliveries.handedOut([], disk({ segment: 1, at: 3 })), { segment: 1, at: 3 })
  assert.equal(deliveries.take(), null)
})

test('a poll from memory is held until Kafka has its records, and holds back the later polls from disk', () => {
  const deliveries = new Deliveries<string>()
  const [first, second, third] = [records(1), records(1), records(1)]
  deliveries.handedOut(first, memory('a', 'b'))
  deliveries.handedOut(second, disk({ segment: 1, at: 1 }))
  deliveries.handedOut(third, memory('c'))
  deliveries.delivered(second)
  assert.equal(deliveries.take(), null)
  deliveries.delivered(third)
  assert.deepEqual(deliveries.onlyInMemory(), ['a', 'b', 'c'], 'from the first undelivered poll')
  deliveries.delivered(first)
  assert.deepEqual(deliveries.take(), { segment: 1, at: 1 })
  assert.deepEqual(deliveries.onlyInMemory(), [])
})
