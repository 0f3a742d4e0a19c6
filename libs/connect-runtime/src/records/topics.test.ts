import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Props } from '@tributary/connect-api'
import { FakeProducer } from '../testing/fake-producer.ts'
import { type TopicCreator, Topics } from './topics.ts'

function topics(
  createTopic: (
    name: string,
    producer: FakeProducer,
    topic: Parameters<TopicCreator['createTopic']>[0],
  ) => Promise<void>,
  config: Props = {},
): Topics {
  const producer = new FakeProducer()
  producer.topics.clear()
  return new Topics({
    producer,
    admin: { createTopic: (topic) => createTopic(topic.name, producer, topic) },
    config,
    creationEnabled: true,
    deadLetterTopic: null,
    deadLetterReplication: -1,
    onTopic: () => {},
  })
}

test('an outage during the creation of a topic is waited out', async () => {
  let tries = 0
  const waiting = topics((name, producer) => {
    if (++tries < 3) return Promise.reject(Object.assign(new Error('connection refused'), { retriable: true }))
    producer.topics.set(name, 2)
    return Promise.resolve()
  })
  assert.equal(await waiting.ensureTopic('events', new AbortController().signal), 2)
  assert.equal(tries, 3)
})

test('a topic that Kafka refuses is not created again', async () => {
  const refused = topics(() => Promise.reject(Object.assign(new Error('POLICY_VIOLATION'), { retriable: false })))
  await assert.rejects(refused.ensureTopic('events', new AbortController().signal), /POLICY_VIOLATION/)
})

test('every setting of a topic reaches Kafka, which refuses those that it does not know', async () => {
  let asked = {}
  const created = topics(
    (name, producer, { configs }) => {
      asked = configs
      producer.topics.set(name, 1)
      return Promise.resolve()
    },
    { 'topic.creation.default.__proto__': 'a', 'topic.creation.default.constructor': 'b' },
  )
  await created.ensureTopic('events', new AbortController().signal)
  assert.deepEqual(Object.keys(asked), ['__proto__', 'constructor'])
})

test('a group takes the topics whose whole name matches, however its expression is written', async () => {
  const group = {
    'topic.creation.groups': 'a',
    'topic.creation.a.partitions': '7',
    'topic.creation.default.partitions': '3',
  }
  const created = async (include: string, exclude: string, topic: string): Promise<number> => {
    const lists = { 'topic.creation.a.include': include, 'topic.creation.a.exclude': exclude }
    const create: Parameters<typeof topics>[0] = (name, producer, { partitions }) =>
      Promise.resolve(void producer.topics.set(name, partitions))
    return topics(create, { ...group, ...lists }).ensureTopic(topic, new AbortController().signal)
  }
  assert.equal(await created('orders|events.*', '', 'orders'), 7)
  assert.equal(await created('orders|events.*', '', 'orders-eu'), 3)
  assert.equal(await created('x, (?i)EVENTS-.*', 'events-(?<n>\\d+)', 'events-eu'), 7)
  assert.equal(await created('events-.*', 'events-(?<n>\\d+)', 'events-1'), 3)
  // A backtracking engine takes hours for this.
  assert.equal(await created('(a+)+', '', `${'a'.repeat(200)}b`), 3)
  await assert.rejects(created('a++', '', 'a'), {
    code: 'TOPIC_CREATION_PATTERN',
    kind: 'config',
    field: 'topic.creation.a.include',
  })
})
