import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newSqs, numbered, Rig } from '../test/task-rig.ts'

test('a message is received, polled, acknowledged, and only then deleted', async () => {
  const sqs = newSqs()
  const queue = sqs.create('orders')
  const rig = await new Rig(sqs, () => [queue]).open()
  for (const body of numbered(25)) sqs.send(queue, body)
  await rig.clock.advance(0)
  const records = await rig.poll()
  assert.equal(records.length, 25)
  await rig.clock.advance(1000)
  assert.equal(sqs.count('delete'), 0, 'Kafka has nothing yet')
  await rig.acknowledge()
  await rig.clock.advance(199)
  assert.deepEqual(
    sqs.requests.filter(({ call }) => call === 'delete').map(({ entries }) => entries),
    [10, 10],
    'the rest waits for others',
  )
  await rig.clock.advance(1)
  assert.deepEqual(sqs.bodies(queue), [])
  assert.deepEqual(rig.kafka, numbered(25))
  assert.deepEqual([rig.counters.deleted, rig.stats.messagesReceived, rig.stats.queueSize], [25, 25, 0])
  await rig.stop()
})
