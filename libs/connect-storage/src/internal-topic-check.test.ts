import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '@tributary/telemetry/testing'
import { internalTopicCheck } from './internal-topic-check.ts'
import { createStores } from './stores.ts'

const connection = { brokers: ['127.0.0.1:1'], clientId: 'test' }

test('internal topics are known by their naming on any cluster, and by the names that settings give', () => {
  const stores = createStores({ connection, log: silentLog, cluster: 'c', names: { configs: 'my-configs' } })
  const check = internalTopicCheck(stores, { 'access.storage.topic': 'my-keys', 'offset.storage.topic': null })
  const internal = [
    'my-configs',
    'my-keys',
    'c-connect-offsets',
    'other-connect-configs',
    'other-connect-plugins',
    'a.b-connect-access',
    'connect-status',
    'docker_connect_configs',
    'x.connect.audit',
    '__consumer_offsets',
    '__anything',
  ]
  for (const topic of internal) assert.match(check(topic) ?? '', /is an internal topic/, topic)
  const ofUsers = [
    'order-status',
    'configs',
    'c-offsets',
    'connect-configs-copy',
    'reconnect-status',
    '_schemas',
    'null',
  ]
  for (const topic of ofUsers) assert.equal(check(topic), null, topic)
})
