import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Admin } from '@platformatic/kafka'
import type { LetterEvent } from '@tributary/connect-storage'
import { createDeadLetterIndex, type DeadLetterIndex, type DeadLetterIndexOptions } from '@tributary/dead-letters'
import { sharedKafka } from '@tributary/harness'
import { KafkaAdmin } from '@tributary/kafka'
import { createProducer } from '@tributary/kafka-producer'
import { createTopic, untilKnown } from '../../support/kafka-topic.ts'
import { quietLogger } from '../../support/unit-worker.ts'
import { until } from '../../support/until.ts'

const { brokers } = await sharedKafka()
const connection = { brokers, clientId: 'test' }
const forever = new AbortController().signal

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'dead-letters-'))
  t.after(() => rmSync(made, { recursive: true, force: true }))
  return made
}

async function started(
  t: TestContext,
  topic: string,
  options: Partial<DeadLetterIndexOptions> = {},
): Promise<DeadLetterIndex> {
  const index = createDeadLetterIndex({ connection, log: quietLogger, lookMs: 200, ...options })
  t.after(() => index.stop())
  await index.start(forever)
  index.follow([topic])
  return index
}

/** Letters with an error of which one word is the number of the letter. Those of an aborted transaction are no letters. */
async function produce(topic: string, numbers: readonly number[], aborted = false): Promise<void> {
  const producer = createProducer(connection, {
    driver: 'tributary',
    ...(aborted && { transactionalId: `aborts-${topic}` }),
  })
  await producer.start(forever)
  const records = numbers.map((n) => ({
    ...{ topic, partition: n % 2, timestamp: 1_700_000_000_000 + n * 10 },
    ...{ key: Buffer.from(`key${n}`), value: Buffer.from(`{"n":${n}}`) },
    headers: [
      ['__connect.errors.connector.name', Buffer.from(`c${n % 3}`)],
      ['__connect.errors.exception.message', Buffer.from(`cannot read ${n}`)],
      ['error_type', Buffer.from(n % 2 ? 'POISON_PILL' : 'AUTH_ERROR')],
    ] as const,
  }))
  if (aborted) producer.beginTransaction()
  const { failures } = await producer.send(records, forever)
  assert.deepEqual(failures, [])
  if (aborted) await producer.abortTransaction(forever)
  await producer.close()
}

const numbers = (from: number, until: number): number[] => Array.from({ length: until - from }, (_, i) => from + i)
const untilTotal = (index: DeadLetterIndex, total: number) =>
  until(`the index has ${total} letters`, async () => {
    const page = await index.query({}, { limit: 1000 })
    return page.total === total && index.state.ready ? page : undefined
  })

test('two replicas answer alike, also about letters that came before and after their events', async (t) => {
  const topic = await createTopic(brokers, { partitions: 2 })
  await produce(topic, numbers(0, 100))
  await produce(topic, numbers(100, 110), true)
  const event: LetterEvent = {
    ...{ id: '1', at: 5, by: 'ann', kind: 'discarded', notes: 'no use' },
    letters: { [topic]: { 0: [[0, 10]], 1: [[45, 30]] } },
  }
  const early = await started(t, topic)
  await early.apply([event])
  await untilTotal(early, 100)
  const late = await started(t, topic)
  await untilTotal(late, 100)
  await late.apply([event, event])
  await produce(topic, numbers(110, 200))
  const [a, b] = [await untilTotal(early, 190), await untilTotal(late, 190)]
  assert.deepEqual(a, b)
  assert.deepEqual(a.records[0]?.message, 'cannot read 199')
  const discarded = await early.query({ statuses: ['DISCARDED'] }, { limit: 100 })
  // The marker of the aborted transaction, and its records, have offsets too.
  assert.deepEqual(discarded.records.map(({ notes, resolvedBy }) => [notes, resolvedBy]), discarded.records.map(() => ['no use', 'ann'])) // prettier-ignore
  assert.equal(discarded.total, 10 + 30 - 6)
  assert.deepEqual(await late.query({ statuses: ['DISCARDED'] }, { limit: 100 }), discarded)
  const filter = { errorTypes: ['POISON_PILL'], visible: (name: string | null) => name === 'c1', text: '1*' } as const
  const seen = numbers(0, 200).filter((n) => (n < 100 || n >= 110) && n % 2 === 1 && n % 3 === 1 && String(n).startsWith('1')) // prettier-ignore
  const { records } = await early.query(filter, { limit: 100 })
  assert.deepEqual(records.map(({ message }) => Number(message.slice(12))).reverse(), seen)
  assert.equal(
    (await early.query({ text: 'key7', inPayload: true }, { limit: 5 })).records[0]?.message,
    'cannot read 7',
  )
})

test('a topic is awaited, and read anew when it is made anew', async (t) => {
  const admin = new KafkaAdmin(connection)
  t.after(() => admin.close())
  const topic = `awaited-${process.pid}-${Date.now()}`
  const index = await started(t, topic)
  await until('the topic is looked for', () => index.state.ready)
  const create = async (): Promise<void> => {
    await admin.createTopic({ name: topic, partitions: 2, replicationFactor: 1 })
    await untilKnown(brokers, topic, 2)
  }
  await create()
  await produce(topic, numbers(0, 20))
  const before = await untilTotal(index, 20)
  await admin.deleteTopics([topic])
  await untilKnown(brokers, topic, 0)
  await untilTotal(index, 0)
  await create()
  await produce(topic, numbers(0, 4))
  const after = await untilTotal(index, 4)
  const ids = new Set(before.records.map(({ id }) => id))
  assert.deepEqual(
    after.records.filter(({ id }) => ids.has(id)),
    [],
  )
})

test('letters that retention has removed leave, and an index begins where the topic does', async (t) => {
  const topic = await createTopic(brokers, { partitions: 2 })
  await produce(topic, numbers(0, 40))
  const index = await started(t, topic)
  await untilTotal(index, 40)
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [...brokers] })
  t.after(() => admin.close())
  await admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: 15n }] }] })
  const left = await untilTotal(index, 25)
  const late = await started(t, topic)
  assert.deepEqual(await untilTotal(late, 25), left)
  assert.deepEqual((await late.select({}, 1)).map(({ message }) => message), ['cannot read 1']) // prettier-ignore
})

test('an index that was killed in the middle goes on, and is as one that was never killed', async (t) => {
  const topic = await createTopic(brokers, { partitions: 2 })
  await produce(topic, numbers(0, 3000))
  const own = folder(t)
  for (let kills = 0; kills < 2; kills++) {
    const child = fork(new URL('./index-writer.ts', import.meta.url), [brokers.join(','), own, topic])
    await once(child, 'message')
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  const [survivor, fresh] = [await started(t, topic, { folder: own }), await started(t, topic)]
  const pages = await Promise.all([untilTotal(survivor, 3000), untilTotal(fresh, 3000)])
  assert.deepEqual(pages[0], pages[1])
  assert.deepEqual(await survivor.stats({}), await fresh.stats({}))
  assert.deepEqual(await survivor.select({}, 3000), await fresh.select({}, 3000))
})
