import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sqsSpec } from './spec.ts'
import {
  CLAIM_CHECK_CONVERTER,
  DECOMPRESSING_CLAIM_CHECK_CONVERTER,
  DECOMPRESSING_CONVERTER,
  DEFAULT_CONVERTER,
} from './conversion.ts'
import { JVM_CLASS, readSettings } from './read.ts'

const BASE = { 'sqs.queue.url': 'https://sqs.us-east-1.amazonaws.com/123456789012/q', 'kafka.topic': 't' }
const POLICY = '{"a":["b"]}'
const JVM = { 'connector.class': JVM_CLASS }

const read = (props: Record<string, string>) => readSettings({ ...BASE, ...props })

function errorsOf(key: string, props: Record<string, string | undefined>): readonly string[] {
  const { values } = sqsSpec.validate({ ...BASE, ...props })
  return values.find(({ name }) => name === key)!.errors
}

const invalid = (key: string, value: string, reason: string): string =>
  `Invalid value ${value} for configuration ${key}: ${reason}`

/** The keys of the JVM connector with their defaults, by group in its order. */
const DOCUMENTED: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  AWS: {
    'aws.region': 'us-east-1',
    'aws.access.key.id': null,
    'aws.secret.access.key': null,
    'aws.assume.role.arn': null,
    'aws.sts.role.session.name': 'kafka-connect-sqs',
    'aws.sts.role.external.id': null,
    'aws.credentials.profile': null,
    'aws.credentials.file.path': null,
    'aws.endpoint.override': null,
  },
  SQS: {
    'sqs.queue.url': null,
    'sqs.queue.urls': null,
    'sqs.max.messages': 10,
    'sqs.wait.time.seconds': 10,
    'sqs.visibility.timeout.seconds': 30,
    'sqs.message.attributes.enabled': true,
    'sqs.delete.messages': true,
    'sqs.message.attribute.filter.names': null,
    'sqs.message.filter.policy': null,
  },
  Kafka: {
    'kafka.topic': undefined,
    'kafka.topic.partition': null,
    'sasl.mechanism': 'SCRAM-SHA-512',
    'sasl.jaas.config': null,
    'security.protocol': 'SASL_SSL',
  },
  'Error Handling': { 'dlq.topic': null, 'max.retries': 3, 'retry.backoff.ms': 1000 },
  'FIFO Queue': {
    'sqs.fifo.queue': false,
    'sqs.fifo.auto.detect': true,
    'sqs.fifo.deduplication.enabled': true,
    'sqs.fifo.deduplication.window.ms': 300_000,
  },
  Polling: { 'poll.interval.ms': 1000 },
  'Message Format': { 'message.converter.class': DEFAULT_CONVERTER },
  'Schema Registry': {
    'schema.registry.url': null,
    'value.schema.id': null,
    'key.schema.id': null,
    'schema.registry.basic.auth.credentials.source': 'USER_INFO',
    'schema.registry.basic.auth.user.info': null,
    'schema.registry.ssl.truststore.location': null,
    'schema.registry.ssl.truststore.password': null,
    'schema.auto.register': true,
    'schema.use.latest.version': false,
    'schema.subject.name.strategy': 'io.confluent.kafka.serializers.subject.TopicNameStrategy',
  },
  'Message Decompression': {
    'message.decompression.enabled': false,
    'message.decompression.delegate.converter.class': DEFAULT_CONVERTER,
    'message.decompression.field.path': null,
    'message.decompression.format': 'AUTO',
    'message.decompression.base64.decode': true,
  },
  'Message Claim Check Pattern': {
    'message.claimcheck.enabled': false,
    'message.claimcheck.delegate.converter.class': DEFAULT_CONVERTER,
    'message.claimcheck.field.path': null,
    'message.claimcheck.decompress.enabled': false,
    'message.claimcheck.compression.format': 'AUTO',
    'message.claimcheck.base64.decode': true,
  },
  'Output Field Extraction': {
    'message.output.field.extract': null,
    'message.output.field.extract.failOnMissing': false,
  },
}

describe('the keys of the JVM connector', () => {
  for (const [group, keys] of Object.entries(DOCUMENTED)) {
    test(`have their defaults and order in the group ${group}`, () => {
      const declared = Object.entries(sqsSpec.data.keys).filter(([, spec]) => spec.group === group)
      const documented = declared.filter(([name]) => name in keys).map(([name, spec]) => [name, spec.default])
      assert.deepEqual(Object.fromEntries(documented), keys)
      assert.deepEqual(documented.map(([name]) => name), Object.keys(keys)) // prettier-ignore
    })
  }

  const range = (key: string, low: [string, number] | null, high: [string, number] | null) => ({ key, low, high })
  for (const { key, low, high } of [
    range('sqs.max.messages', ['0', 1], ['11', 10]),
    range('sqs.wait.time.seconds', ['-1', 0], ['21', 20]),
    range('sqs.visibility.timeout.seconds', ['-1', 0], ['43201', 43_200]),
    range('max.retries', ['-1', 0], null),
    range('retry.backoff.ms', ['-1', 0], null),
    range('sqs.fifo.deduplication.window.ms', ['-1', 0], null),
    range('poll.interval.ms', ['-1', 0], null),
  ]) {
    test(`${key} has the range and the texts of the JVM connector`, () => {
      if (low) assert.deepEqual(errorsOf(key, { [key]: low[0] }), [invalid(key, low[0], `Value must be at least ${low[1]}`)]) // prettier-ignore
      if (high) assert.deepEqual(errorsOf(key, { [key]: high[0] }), [invalid(key, high[0], `Value must be no more than ${high[1]}`)]) // prettier-ignore
    })
  }

  test('a queue and a topic are required, and the mechanism is one of two', () => {
    const none = errorsOf('sqs.queue.url', { 'sqs.queue.url': undefined })
    assert.deepEqual(none, [invalid('sqs.queue.url', 'null', 'Either sqs.queue.url or sqs.queue.urls must be provided, or sqs.queue.name.prefix')]) // prettier-ignore
    assert.deepEqual(errorsOf('kafka.topic', { 'kafka.topic': undefined }), ['Missing required configuration "kafka.topic" which has no default value.']) // prettier-ignore
    assert.deepEqual(errorsOf('sasl.mechanism', { 'sasl.mechanism': 'PLAIN' }), [invalid('sasl.mechanism', 'PLAIN', 'SASL mechanism must be SCRAM-SHA-512 or SCRAM-SHA-256')]) // prettier-ignore
  })

  test('comments that documents have after values are left out', () => {
    const config = read({
      'sqs.max.messages': '5  # Max batch size',
      'message.decompression.format': 'GZIP  # Faster than auto-detection',
    })
    assert.deepEqual([config['sqs.max.messages'], config['message.decompression.format']], [5, 'GZIP'])
  })
})

describe('reading the settings', () => {
  test('blank is absent where a key has no default', () => {
    const config = read({ 'aws.access.key.id': '', 'aws.secret.access.key': ' ', 'dlq.topic': ' ' })
    assert.deepEqual([config['aws.access.key.id'], config['aws.secret.access.key'], config['dlq.topic']], [null, null, null]) // prettier-ignore
  })

  test('what does not match is kept, but deleted under the class of the JVM connector, which did so', () => {
    const unmatched = (props: Record<string, string>) => read(props)['sqs.filter.unmatched']
    assert.equal(unmatched({ 'sqs.message.filter.policy': POLICY }), 'keep')
    assert.equal(unmatched({ ...JVM, 'sqs.message.filter.policy': POLICY }), 'delete')
    assert.equal(unmatched({ ...JVM, 'sqs.message.filter.policy': POLICY, 'sqs.filter.unmatched': 'DLQ' }), 'dlq')
    assert.equal(unmatched({ ...JVM, 'message.filter.policy': POLICY }), 'keep')
  })

  test('the policy of documents looks at the body, and can be switched off', () => {
    const policy = (props: Record<string, string>) => {
      const config = read(props)
      return [config['sqs.message.filter.policy'], config['sqs.message.filter.policy.scope']]
    }
    assert.deepEqual(policy({ 'message.filter.enabled': 'true', 'message.filter.policy': POLICY }), [POLICY, 'MessageBody']) // prettier-ignore
    assert.deepEqual(policy({ 'message.filter.policy': '{}', 'sqs.message.filter.policy': POLICY }), [POLICY, 'MessageAttributes']) // prettier-ignore
    assert.deepEqual(policy({ 'message.filtering.enabled': 'false  # If not needed', 'sqs.message.filter.policy': POLICY }), [null, 'MessageAttributes']) // prettier-ignore
    assert.deepEqual(policy({ 'sqs.message.filter.policy.scope': 'messagebody' }), [null, 'MessageBody'])
  })

  test('other keys of documents stand in for those that they mean', () => {
    const window = (props: Record<string, string>) => read(props)['sqs.fifo.deduplication.window.ms']
    assert.equal(window({ 'fifo.deduplication.time.window.minutes': '10' }), 600_000)
    assert.equal(window({ 'fifo.deduplication.time.window.minutes': '10', 'sqs.fifo.deduplication.window.ms': '1' }), 1)
    assert.equal(read({ 'error.dlq.topic': 'dead' })['dlq.topic'], 'dead')
    assert.equal(read({ 'error.dlq.topic': 'dead', 'dlq.topic': 'own' })['dlq.topic'], 'own')
    assert.equal(read({ 'error.dlq.topic': 'dead', 'error.dlq.enabled': 'false' })['dlq.topic'], null)
    const { 'message.claimcheck.field.path': paths } = read({ 'claim.check.field.paths': 's3Uri,body.location' })
    assert.equal(paths, 's3Uri,body.location')
  })

  for (const [given, props, converter, delegate] of [
    ['claim.check.enabled', {}, CLAIM_CHECK_CONVERTER, DEFAULT_CONVERTER],
    ['message.claimcheck.enabled', {}, CLAIM_CHECK_CONVERTER, DEFAULT_CONVERTER],
    ['message.claimcheck.enabled', { 'message.converter.class': DECOMPRESSING_CONVERTER }, CLAIM_CHECK_CONVERTER, DECOMPRESSING_CONVERTER], // prettier-ignore
    ['message.claimcheck.enabled', { 'message.converter.class': DECOMPRESSING_CLAIM_CHECK_CONVERTER }, DECOMPRESSING_CLAIM_CHECK_CONVERTER, DEFAULT_CONVERTER], // prettier-ignore
    ['message.decompression.enabled', {}, DECOMPRESSING_CONVERTER, DEFAULT_CONVERTER],
    ['message.decompression.enabled', { 'message.converter.class': CLAIM_CHECK_CONVERTER }, CLAIM_CHECK_CONVERTER, DECOMPRESSING_CONVERTER], // prettier-ignore
    ['message.decompression.enabled', { 'claim.check.enabled': 'true' }, CLAIM_CHECK_CONVERTER, DECOMPRESSING_CONVERTER], // prettier-ignore
  ] as const) {
    test(`${given}=true with ${JSON.stringify(props)} adds its converter`, () => {
      const config = read({ ...props, [given]: 'true' })
      assert.equal(config['message.converter.class'], converter)
      assert.equal(config['message.claimcheck.delegate.converter.class'], delegate)
      // The switch never takes a converter away.
      const off = read({ ...props, [given]: 'false' })
      assert.equal(off['message.converter.class'], (props as Record<string, string>)['message.converter.class'] ?? (('claim.check.enabled' in props) ? CLAIM_CHECK_CONVERTER : DEFAULT_CONVERTER)) // prettier-ignore
    })
  }
})
