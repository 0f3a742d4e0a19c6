import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JVM_CLASS, readSettings } from './read.ts'
import { warningsOf } from './warnings.ts'

const warnings = (props: Record<string, string>): string[] => {
  const all = { 'sqs.queue.url': 'q', 'kafka.topic': 't', ...props }
  return warningsOf(readSettings(all), all)
}

test('a key of documents is named with the key that stands for it', () => {
  assert.deepEqual(warnings({ 'fifo.deduplication.time.window.minutes': '5' }), [
    'fifo.deduplication.time.window.minutes is understood as documents mean it; use sqs.fifo.deduplication.window.ms.',
  ])
  for (const key of ['kafka.bootstrap.servers', 'ssl.truststore.location', 'connector.client.config.override.policy']) {
    assert.match(warnings({ [key]: 'x' })[0]!, new RegExp(`^${key.replaceAll('.', '\\.')} has no effect: .*worker`))
  }
  assert.equal(warnings({ 'aws.credentials.provider': 'custom' }).length, 1)
})

test('what is harmless, blank or the default gives none', () => {
  assert.deepEqual(warnings({ 'aws.credentials.provider': 'default', 'error.dlq.topic': ' ' }), []) // prettier-ignore
  assert.deepEqual(warnings({ constructor: 'x' }), [])
})

test('what a policy excludes is told under the class of the JVM connector, unless the configuration says it', () => {
  const policy = { 'connector.class': JVM_CLASS, 'sqs.message.filter.policy': '{"a":["b"]}' }
  assert.match(warnings(policy)[0]!, /are deleted, as the JVM connector does; set sqs\.filter\.unmatched/)
  assert.deepEqual(warnings({ ...policy, 'sqs.filter.unmatched': 'delete' }), [])
  assert.deepEqual(warnings({ 'sqs.message.filter.policy': '{"a":["b"]}' }), [])
})

test('settings that do nothing alone, and short polling, are told', () => {
  assert.match(warnings({ 'aws.credentials.file.path': '/f' })[0]!, /without aws\.credentials\.profile/)
  assert.match(warnings({ 'aws.sts.role.external.id': 'x' })[0]!, /without aws\.assume\.role\.arn/)
  assert.match(warnings({ 'sqs.wait.time.seconds': '0' })[0]!, /4,320/)
})
