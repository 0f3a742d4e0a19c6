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

test('the disk may forget up to the longest prefix of polls that Kafka has, and no further', () => {
  const deliveries = new Deliveries<string>()
  const polls = [records(2), records(3), records(1)]
  for (const [i, poll] of polls.entries()) deliveries.handedOut(poll, disk({ segment: 1, at: i }))
  for (const record of polls[1]!) deliveries.delivered(record)
  assert.equal(deliveries.take(), null)
  deliveries.delivered(polls[0]![0]!)
  assert.equal(deliveries.take(), null)
  deliveries.delivered(polls[0]![1]!)
  assert.deepEqual(deliveries.take(), { segment: 1, at: 1 })
  assert.equal(deliveries.take(), null)
  deliveries.delivered(polls[2]![0]!)
  assert.deepEqual(deliveries.take(), { segment: 1, at: 2 })
})

test('messages of which nothing became a record are forgotten with those before them', () => {
  const deliveries = new Deliveries<string>()
  const [poll] = [records(1)]
  deliveries.handedOut(poll, disk({ segment: 1, at: 1 }))
  deliveries.handedOut([], disk({ segment: 1, at: 2 }))
  assert.equal(deliveries.take(), null)
  deliveries.delivered(poll[0]!)
  assert.deepEqual(deliveries.take(), { segment: 1, at: 2 })
  assert.deepEqual(deliveries.handedOut([], disk({ segment: 1, at: 3 })), { segment: 1, at: 3 })
  assert.equal(deliveries.take(), null)
})

test('what was in memory only is known until Kafka has it, and holds back what comes from disk behind it', () => {
  const deliveries = new Deliveries<string>()
  const [first, second, third] = [records(1), records(1), records(1)]
  deliveries.handedOut(first, memory('a', 'b'))
  deliveries.handedOut(second, disk({ segment: 1, at: 1 }))
  deliveries.handedOut(third, memory('c'))
  deliveries.delivered(second[0]!)
  assert.equal(deliveries.take(), null)
  deliveries.delivered(third[0]!)
  assert.deepEqual(deliveries.onlyInMemory(), ['a', 'b', 'c'], 'from the first that is missing')
  deliveries.delivered(first[0]!)
  assert.deepEqual(deliveries.take(), { segment: 1, at: 1 })
  assert.deepEqual(deliveries.onlyInMemory(), [])
})
