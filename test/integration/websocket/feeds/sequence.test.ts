import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { Props } from '@tributary/connect-api'
import { until } from '../../../support/until.ts'
import { type FeedClient, FeedServer } from './feed-server.ts'
import { startTaskOnKafka, type TaskOnKafka, texts } from './task-on-kafka.ts'

/** Sends numbers to each client, as the test says, and reads the resulting records. */
async function startFeed(
  t: TestContext,
  onClient: (client: FeedClient) => void,
  props: Props,
): Promise<{ task: TaskOnKafka; server: FeedServer }> {
  const server = await FeedServer.start({ onClient })
  t.after(() => server.stop())
  const task = await startTaskOnKafka(t, { 'websocket.url': `${server.url}/feed?token=s3cret`, ...props })
  return { task, server }
}

function say({ say: sayOne }: FeedClient, from: number, to: number): void {
  for (let n = from; n <= to; n++) sayOne({ n })
}

async function numbersTo(task: TaskOnKafka, last: number): Promise<number[]> {
  return until(`${last} is in the topic`, async () => {
    const all = texts(await task.kept()).map((text) => (JSON.parse(text) as { n: number }).n)
    return all.includes(last) && all
  })
}

async function gapsOf(task: TaskOnKafka): Promise<Record<string, unknown>[]> {
  return texts(await task.gaps()).map((text) => JSON.parse(text) as Record<string, unknown>)
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const NUMBERED: Props = { 'sequence.field': 'n' }

describe('a feed that reconnects', () => {
  test('without numbers has a gap for each time without a connection', async (t) => {
    const { task, server } = await startFeed(
      t,
      (client) => {
        say(client, client.number * 10 + 1, client.number * 10 + 5)
        if (client.number < 4) client.socket.close(1001, 'going away')
      },
      {},
    )
    assert.deepEqual(await numbersTo(task, 45), [
      ...range(11, 15),
      ...range(21, 25),
      ...range(31, 35),
      ...range(41, 45),
    ])
    const gaps = await until('the gaps are reported', async () => {
      const all = await gapsOf(task)
      return all.length === 3 && all
    })
    for (const gap of gaps) {
      assert.deepEqual([gap['reason'], gap['state'], gap['from'], gap['count']], ['reconnected', 'opened', null, null])
      assert.ok(String(gap['lost_at']) <= String(gap['detected_at']))
      assert.equal(gap['url'], `${server.url}/feed`)
    }
    assert.deepEqual([task.stats.sequenceGaps, task.stats.sequenceGapMessages], [3, 0])
  })

  test('leaves out the messages that the server repeats, and reports them', async (t) => {
    const { task } = await startFeed(
      t,
      (client) => {
        if (client.number === 1) say(client, 1, 100)
        if (client.number === 2) say(client, 51, 200)
        if (client.number === 3) say(client, 251, 300)
        if (client.number < 3) client.socket.close(1001, 'going away')
      },
      NUMBERED,
    )
    assert.deepEqual(await numbersTo(task, 300), [...range(1, 200), ...range(251, 300)])
    const { duplicates, sequenceGaps, sequenceGapMessages } = task.stats
    assert.deepEqual([duplicates, sequenceGaps, sequenceGapMessages], [50, 1, 50])
    const [gap] = await gapsOf(task)
    assert.deepEqual([gap!['reason'], gap!['from'], gap!['to'], gap!['count']], ['missing', 201, 250, 50])
  })

  test('continues with a server that restarts its numbering', async (t) => {
    const { task } = await startFeed(
      t,
      (client) => {
        say(client, client.number === 1 ? 500 : 1, client.number === 1 ? 600 : 50)
        if (client.number === 1) client.socket.terminate()
      },
      NUMBERED,
    )
    const all = await numbersTo(task, 50)
    assert.deepEqual(all.slice(-50), range(1, 50))
    const [gap] = await gapsOf(task)
    assert.deepEqual([gap!['reason'], gap!['to'], gap!['count']], ['reset', null, null])
    assert.equal(task.stats.duplicates, 0)
  })
})

test('a feed with ever new streams leaves offsets of the latest ones only', async (t) => {
  const messages = range(1, 3000).map((n) => ({ s: `stream-${n}`, n }))
  const { task } = await startFeed(t, (client) => messages.forEach((message) => client.say(message)), {
    ...NUMBERED,
    'sequence.key.field': 's',
    'sequence.max.streams': '100',
    'max.poll.records': '200',
  })
  assert.deepEqual(await numbersTo(task, 3000), range(1, 3000))
  const streams = await until('the other offsets are removed', async () => {
    const all = (await task.offsets()).map(({ partition }) => String(partition['stream']))
    return all.includes('stream-3000') && all.length <= 200 && all
  })
  const latest = new Set(messages.slice(-200).map(({ s }) => s))
  assert.ok(streams.length >= 50 && streams.every((stream) => latest.has(stream)), streams.join())
})

test('neither the log nor the record of a gap contains the query of the URL', async (t) => {
  const { task } = await startFeed(t, (client) => [1, 5, 5].forEach((n) => client.say({ n })), NUMBERED)
  await numbersTo(task, 5)
  const reported = JSON.stringify([task.log, await gapsOf(task)])
  assert.ok(reported.includes('sequence_gap') && reported.includes('sequence_duplicate'))
  assert.ok(!reported.includes('s3cret'))
})
