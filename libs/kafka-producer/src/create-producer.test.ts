import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { createProducer } from './create-producer.ts'

const connection = { brokers: ['127.0.0.1:1'], clientId: 'test' }

/** CommonJS modules are in the cache however they were imported. */
function kafkajsIsLoaded(): boolean {
  return Object.keys(createRequire(import.meta.url).cache).some((file) => /node_modules\/kafkajs\//.test(file))
}

test('kafkajs is loaded only when it is the chosen driver', async () => {
  const ours = createProducer(connection, { driver: 'tributary' })
  assert.equal(ours.driver, 'tributary')
  assert.equal(kafkajsIsLoaded(), false)
  const kafkajs = createProducer(connection, { driver: 'kafkajs' })
  assert.equal(kafkajs.driver, 'kafkajs')
  assert.equal(kafkajsIsLoaded(), true)
  await Promise.all([ours.close(), kafkajs.close()])
})

test('an unknown driver is an error of the caller', () => {
  assert.throws(() => createProducer(connection, { driver: 'rdkafka' as 'kafkajs' }), /no such driver: rdkafka/)
})
