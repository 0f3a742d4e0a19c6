import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { type ConnectRecord, PackedRecords, type Props, type Transformation } from '@tributary/connect-api'
import { scriptedRun, type ScriptedRun, type ScriptOptions, until } from '../testing/run-scripted.ts'

const INTERNAL = ['tributary-connect-configs', 'other-connect-offsets', 'connect-status', '__consumer_offsets']
const tolerant = { 'errors.tolerance': 'all', 'errors.deadletterqueue.topic.name': 'dlq' }

const routeTo = (topicOf: (record: ConnectRecord) => string): ScriptOptions => {
  const route: Transformation = {
    apply: (record) => ({ ...record, topic: topicOf(record) }),
  }
  return { transformations: [route] }
}
/** A run that ends with the test. */
function started(t: TestContext, props: Props, options: ScriptOptions = {}): ScriptedRun {
  const s = scriptedRun(props, options)
  const ended = s.run.run().catch(() => undefined)
  t.after(async () => {
    await s.run.stop()
    await ended
  })
  return s
}
const sent = (s: ScriptedRun): string[] => s.producer.kept.map(({ topic, value }) => `${topic} ${String(value)}`)

test('records that a transformation sends to an internal topic are bad records, the others arrive', async (t) => {
  const s = started(
    t,
    tolerant,
    routeTo(({ value }) => INTERNAL[Number(String(value).slice(1))] ?? 'events'),
  )
  for (const topic of INTERNAL) s.producer.topics.set(topic, 1)
  s.task.send('m0', 'm1', 'm2', 'm3', 'm4', 'm5')
  await until(() => s.producer.kept.length === 6, 'all are sent')
  assert.deepEqual(sent(s).sort(), ['dlq m0', 'dlq m1', 'dlq m2', 'dlq m3', 'events m4', 'events m5'])
})

test('errors.tolerance=none: a record for an internal topic fails the task, and the topic gets nothing', async (t) => {
  const s = started(
    t,
    {},
    routeTo(() => 'tributary-connect-configs'),
  )
  s.producer.topics.set('tributary-connect-configs', 1)
  s.task.send('m0')
  await until(() => s.run.state === 'failed', 'it fails')
  assert.match(String(s.failure), /RECORD_FOR_INTERNAL_TOPIC: .*tributary-connect-configs/)
  assert.deepEqual(sent(s), [])
})

test('a pack for an internal topic is refused record by record', async (t) => {
  const s = started(t, tolerant)
  s.producer.topics.set('a-connect-configs', 1)
  const pack = new PackedRecords({
    count: 2,
    topic: 'a-connect-configs',
    sourcePartition: { p: 1 },
    offsetOf: (sequence) => ({ sequence }),
    values: { bytes: Buffer.from('xy'), bounds: Int32Array.of(0, 1, 1, 2) },
    valueType: 'text',
    headers: [],
  })
  s.task.pack = () => [pack]
  s.task.send('m0')
  await until(() => s.producer.kept.length === 2, 'both are dead letters')
  assert.deepEqual(sent(s), ['dlq x', 'dlq y'])
})

test('an internal topic is refused as the dead-letter queue before the task starts', () => {
  const props = { ...tolerant, 'errors.deadletterqueue.topic.name': 'tributary-connect-offsets' }
  assert.throws(
    () => scriptedRun(props),
    /errors.deadletterqueue.topic.name: 'tributary-connect-offsets' is an internal/,
  )
})
