import assert from 'node:assert/strict'
import { test } from 'node:test'
import { producerSettings } from './producer-settings.ts'
import { sourceTaskConfig } from './source-task-config.ts'

test("Kafka's producer settings are honoured, the connector's before the worker's", () => {
  const { options, clientId, raised, errors } = producerSettings({
    'producer.linger.ms': '5',
    'producer.batch.size': '16384',
    'producer.compression.type': 'none',
    'producer.override.compression.type': 'ZSTD',
    'producer.override.linger.ms': ' 20 ',
    'producer.override.request.timeout.ms': '15000',
    'producer.override.retry.backoff.ms': '50',
    'producer.override.max.request.size': '2000000',
    'producer.override.client.id': 'quotes',
    'producer.override.acks': 'all',
    'producer.acks': '1',
  })
  assert.deepEqual(options, {
    compression: 'zstd',
    maxRequestBytes: 16_384,
    lingerMs: 20,
    requestTimeoutMs: 15_000,
    retryBackoffMs: 50,
  })
  assert.deepEqual([clientId, raised, errors], ['quotes', [], []])
  assert.equal(producerSettings({ 'producer.override.batch.size': '0' }).options.maxRequestBytes, 1)
  assert.deepEqual(producerSettings({}), { options: {}, clientId: null, raised: [], errors: [] })
})

test('weaker guarantees than ours are raised, and that is said', () => {
  const { raised, errors } = producerSettings({
    'producer.acks': '1',
    'producer.override.enable.idempotence': 'false',
    'producer.override.retries': '3',
    'producer.override.max.in.flight.requests.per.connection': '5',
    'producer.override.delivery.timeout.ms': '120000',
    'producer.override.max.block.ms': '60000',
  })
  assert.deepEqual(errors, [])
  assert.equal(raised.length, 6)
  assert.match(raised[0]!, /^producer\.acks=1 is raised: the producer has acks=all/)
})

test('what Kafka Connect sets for each producer is what ours does, and is not mentioned', () => {
  const { raised, errors } = producerSettings({
    'producer.override.delivery.timeout.ms': '2147483647',
    'producer.override.max.block.ms': '9223372036854775807',
    'producer.override.acks': 'all',
    'producer.override.max.in.flight.requests.per.connection': '1',
  })
  assert.deepEqual([raised, errors], [[], []])
})

test('buffer.memory bounds what is in flight, unless max.in.flight.bytes does', () => {
  const bytes = (props: Record<string, string>): number => sourceTaskConfig(props).maxInFlightBytes
  const props = { 'producer.override.buffer.memory': '33554432' }
  assert.deepEqual(producerSettings(props).errors, [])
  assert.equal(bytes(props), 33_554_432)
  assert.equal(bytes({ ...props, 'max.in.flight.bytes': '1000' }), 1000)
  assert.equal(bytes({}), 8_388_608)
})

test('what cannot be honoured is refused with a sentence, never ignored', () => {
  const messages = (props: Record<string, string>): string[] => producerSettings(props).errors.map((e) => e.message)
  assert.deepEqual(messages({ 'producer.override.bootstrap.servers': 'other:9092' }), [
    "producer.override.bootstrap.servers cannot be honoured: records go to the worker's Kafka",
  ])
  assert.match(messages({ 'producer.override.buffer.memory': 'much' })[0]!, /whole number from 0/)
  assert.match(messages({ 'producer.override.nonsense': '1' })[0]!, /cannot be honoured: .* linger\.ms/)
  assert.match(messages({ 'producer.override.constructor': '1' })[0]!, /cannot be honoured: .* linger\.ms/)
  assert.match(messages({ 'producer.override.linger.ms': '-1' })[0]!, /whole number from 0/)
  assert.match(messages({ 'producer.override.batch.size': '1.5' })[0]!, /whole number from 0/)
  assert.match(messages({ 'producer.override.compression.type': 'brotli' })[0]!, /none, gzip, snappy, lz4, zstd/)
})
