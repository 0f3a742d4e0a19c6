import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Logger } from '@tributary/telemetry'
import type { NewTopic } from '../admin/admin.ts'
import { KafkaError } from '../cluster/errors.ts'
import { createCompacted } from './compacted-topic.ts'

const TOPIC: NewTopic = { name: 'offsets', partitions: 25, replicationFactor: -1 }

async function created(refusal: KafkaError | null): Promise<(readonly string[])[]> {
  const asked: (readonly string[])[] = []
  const createTopic = ({ configs = {} }: NewTopic): Promise<boolean> => {
    asked.push(Object.keys(configs))
    return refusal !== null && asked.length === 1 ? Promise.reject(refusal) : Promise.resolve(true)
  }
  const log = { warn: () => {} } as unknown as Logger
  await createCompacted({ createTopic }, TOPIC, log, new AbortController().signal)
  return asked
}

test('a broker that refuses settings of compaction gets the policy alone', async () => {
  const all = ['cleanup.policy', 'max.compaction.lag.ms']
  assert.deepEqual(await created(null), [all])
  for (const code of ['POLICY_VIOLATION', 'INVALID_CONFIG']) {
    assert.deepEqual(await created(new KafkaError(code, 'no', false)), [all, ['cleanup.policy']])
  }
  await assert.rejects(created(new KafkaError('TOPIC_AUTHORIZATION_FAILED', 'no', false)))
})
