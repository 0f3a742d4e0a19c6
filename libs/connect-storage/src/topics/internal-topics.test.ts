import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger } from '@tributary/telemetry'
import { type InternalTopic, prepareTopics, type TopicAdmin } from './internal-topics.ts'
import type { StoreName } from '../types.ts'

const STORES: readonly StoreName[] = ['configs', 'offsets', 'status', 'plugins']
const TOPICS = STORES.map((store): InternalTopic => {
  const name = `c-connect-${store}`
  return { store, name, formerName: `c-${store}`, partitions: store === 'offsets' ? 25 : 1, replicationFactor: 3 }
})

/** The topics of a broker, by name, with the number of their records. */
async function prepared(
  topics: Record<string, number>,
  onLook?: (look: number) => void,
  incomplete: readonly string[] = [],
): Promise<string[]> {
  const created: string[] = []
  const logged: string[] = []
  let looks = 0
  const admin: TopicAdmin = {
    describeTopics: (names) => {
      onLook?.(++looks)
      const described = names.map((name) => [name, name in topics ? { name, id: '', partitions: [] } : null] as const)
      return Promise.resolve(new Map(described))
    },
    listOffsets: (name) => Promise.resolve(new Map([[0, BigInt(topics[name]!)]])),
    topicConfig: (name, keys) => Promise.resolve(new Map([[keys[0]!, incomplete.includes(name) ? '1' : '0']])),
    createTopic: ({ name }) => Promise.resolve(created.push(name) > 0),
  }
  const log = createLogger({ name: 'test', stream: { write: (line) => logged.push(line) > 0 } })
  const options = { bootstrap: 'k:9092', log, appearsMs: onLook ? 5000 : 0 }
  await prepareTopics(admin, TOPICS, options, new AbortController().signal)
  return created
}

test('a first start creates all topics, also when another process has created some of them a moment ago', async () => {
  const all = TOPICS.map(({ name }) => name)
  assert.deepEqual(await prepared({}), all)
  assert.deepEqual(await prepared({ 'c-connect-configs': 0, 'c-connect-plugins': 0 }), [all[1], all[2]])
})

test('a start refuses to do without configs or offsets while another topic holds records', async () => {
  const full = { 'c-connect-configs': 9, 'c-connect-offsets': 0, 'c-connect-status': 0, 'c-connect-plugins': 3 }
  for (const store of ['configs', 'offsets'] as const) {
    const { [`c-connect-${store}` as const]: _, ...rest } = full
    const witness = store === 'configs' ? 'plugins' : 'configs'
    await assert.rejects(prepared(rest), (error: Error & { code?: string; kind?: string }) => {
      assert.deepEqual([error.code, error.kind], ['INTERNAL_TOPIC_MISSING', 'config'])
      const partitions = store === 'offsets' ? 25 : 1
      for (const part of [
        `The internal topic c-connect-${store} (${store}) is missing, but c-connect-${witness} holds records`,
        store === 'configs' ? 'config.storage.topic' : 'offset.storage.topic',
        'would be forgotten|would forget',
        `kafka-topics.sh --bootstrap-server k:9092 --create --topic c-connect-${store} --partitions ${partitions} --replication-factor 3 --config cleanup.policy=compact`,
      ])
        assert.ok(
          part.split('|').some((text) => error.message.includes(text)),
          `${part} in: ${error.message}`,
        )
      return true
    })
  }
})

test('topics that the workers fill again keep no version from starting: a new one is created beside full ones', async () => {
  const full = { 'c-connect-configs': 9, 'c-connect-offsets': 9 }
  assert.deepEqual(await prepared(full), ['c-connect-status', 'c-connect-plugins'])
})

test('topics of an earlier version count under their former names', async () => {
  const former = { 'c-configs': 9, 'c-offsets': 9, 'c-status': 9 }
  assert.deepEqual(await prepared(former), ['c-connect-plugins'])
  await assert.rejects(prepared({ 'c-configs': 9, 'c-status': 9 }), { code: 'INTERNAL_TOPIC_MISSING' })
})

test('a topic that running processes are making again is waited for', async () => {
  const topics: Record<string, number> = { 'c-connect-configs': 9, 'c-connect-status': 1, 'c-connect-plugins': 1 }
  const back = (look: number): void => {
    if (look > 6) topics['c-connect-offsets'] = 0
  }
  assert.deepEqual(await prepared(topics, back), [])
})

test('a topic that was created again, and of which nobody knows whether it was written back, refuses a start', async () => {
  const full = { 'c-connect-configs': 9, 'c-connect-offsets': 0, 'c-connect-status': 1, 'c-connect-plugins': 1 }
  await assert.rejects(prepared(full, undefined, ['c-connect-offsets']), {
    code: 'INTERNAL_TOPIC_MISSING',
    message: /c-connect-offsets \(offsets\) was deleted, and is not complete.* --delete-config min.compaction.lag.ms$/,
  })
  assert.deepEqual(await prepared(full, undefined, ['c-connect-status', 'c-connect-plugins']), [])
})
