import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeProducer } from '../testing/fake-producer.ts'
import { Topics } from './topics.ts'

function topics(
  createTopic: (name: string, producer: FakeProducer, configs: Readonly<Record<string, string>>) => Promise<void>,
  config: Readonly<Record<string, string>> = {},
): Topics {
  const producer = new FakeProducer()
  producer.topics.clear()
  return new Topics({
    producer,
    admin: { createTopic: ({ name, configs }) => createTopic(name, producer, configs) },
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
    (name, producer, configs) => {
      asked = configs
      producer.topics.set(name, 1)
      return Promise.resolve()
    },
    { 'topic.creation.default.__proto__': 'a', 'topic.creation.default.constructor': 'b' },
  )
  await created.ensureTopic('events', new AbortController().signal)
  assert.deepEqual(Object.keys(asked), ['__proto__', 'constructor'])
})
