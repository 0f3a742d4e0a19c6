import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SourceRecord } from '@tributary/connect-api'
import { Deliveries } from './deliveries.ts'

const records = (count: number): SourceRecord[] =>
  Array.from({ length: count }, () => ({
    sourcePartition: {},
    sourceOffset: {},
    topic: 't',
    key: null,
    value: null,
    timestamp: null,
  }))

test('the disk may forget up to the longest prefix of polls that Kafka has, and no further', () => {
  const deliveries = new Deliveries()
  const polls = [records(2), records(3), records(1)]
  for (const [i, poll] of polls.entries()) deliveries.handedOut(poll, { segment: 1, at: i })
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
  const deliveries = new Deliveries()
  const [poll] = [records(1)]
  deliveries.handedOut(poll, { segment: 1, at: 1 })
  deliveries.handedOut([], { segment: 1, at: 2 })
  assert.equal(deliveries.take(), null)
  deliveries.delivered(poll[0]!)
  assert.deepEqual(deliveries.take(), { segment: 1, at: 2 })
  assert.deepEqual(deliveries.handedOut([], { segment: 1, at: 3 }), { segment: 1, at: 3 })
  assert.equal(deliveries.take(), null)
})
