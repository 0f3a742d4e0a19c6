import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { Props } from '@tributary/connect-api'
import { until } from '../../../support/until.ts'
import { type FeedClient, FeedServer } from './feed-server.ts'
import { type Answer, HistoryServer } from './history-server.ts'
import { startTaskOnKafka, type TaskOnKafka, texts } from './task-on-kafka.ts'

const items = (from: number, to: number): { n: number }[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => ({ n: from + i }))

interface Scene {
  readonly task: TaskOnKafka
  readonly history: HistoryServer
  readonly client: FeedClient
}

/** A feed with numbers, and beside it a server that has the skipped messages. */
async function startScene(t: TestContext, answer: Answer, props: Props = {}): Promise<Scene> {
  const history = await HistoryServer.start(answer)
  t.after(() => history.stop())
  const feed = await FeedServer.start({})
  t.after(() => feed.stop())
  const task = await startTaskOnKafka(t, {
    'websocket.url': feed.url,
    'sequence.field': 'n',
    'backfill.url': history.url,
    ...props,
  })
  await until('the client is there', () => feed.clients.length === 1)
  return { task, history, client: feed.clients[0]! }
}

function say(client: FeedClient, from: number, to: number): void {
  for (const message of items(from, to)) client.say(message)
}

async function numbersIn(task: TaskOnKafka): Promise<number[]> {
  return texts(await task.kept()).map((text) => (JSON.parse(text) as { n: number }).n)
}

async function arrived(task: TaskOnKafka, last: number): Promise<number[]> {
  return until(`${last} is in the topic`, async () => {
    const all = await numbersIn(task)
    return all.includes(last) && all
  })
}

interface GapValue {
  readonly state: string
  readonly from: number
  readonly to: number
  readonly count: number
  readonly missing: readonly { readonly from: number; readonly to: number }[]
}

async function gapsOf(task: TaskOnKafka): Promise<GapValue[]> {
  return texts(await task.gaps()).map((text) => JSON.parse(text) as GapValue)
}

const numbers = (from: number, to: number): number[] => items(from, to).map(({ n }) => n)

describe('a gap with a backfill', () => {
  test('is filled in its place, reported as opened and as filled, and counted', async (t) => {
    const { task, history, client } = await startScene(t, ({ from, to }) => items(from, to))
    say(client, 1, 999)
    say(client, 1101, 1200)
    assert.deepEqual(await arrived(task, 1200), numbers(1, 1200))
    assert.deepEqual(history.ranges, [[1000, 1100]])
    assert.deepEqual(
      (await gapsOf(task)).map(({ state, from, to, missing }) => [state, from, to, missing]),
      [
        ['opened', 1000, 1100, [{ from: 1000, to: 1100 }]],
        ['filled', 1000, 1100, []],
      ],
    )
    const { sequenceGaps, sequenceGapMessages, gapsFilled, gapMessagesFilled, duplicates } = task.stats
    assert.deepEqual(
      [sequenceGaps, sequenceGapMessages, gapsFilled, gapMessagesFilled, duplicates],
      [1, 101, 1, 101, 0],
    )
  })

  test('takes each message once, unchanged, from answers that overlap, in any order', async (t) => {
    const answer: Answer = ({ from, to, response }) => {
      const texts = numbers(from - 5, to + 5).map((n) => `{"n": ${n}, "price": 1.50}`)
      response.end(`{"result": {"items": [${[...texts, ...texts].reverse().join(' , ')}]}}`)
    }
    const { task, client } = await startScene(t, answer, { 'backfill.items.field': 'result.items' })
    say(client, 1, 10)
    say(client, 15, 30)
    assert.deepEqual(await arrived(task, 30), numbers(1, 30))
    assert.deepEqual(
      texts(await task.kept()).slice(10, 14),
      numbers(11, 14).map((n) => `{"n": ${n}, "price": 1.50}`),
    )
    assert.equal(task.stats.duplicates, 0)
  })

  test('leaves and reports the numbers that the server does not have', async (t) => {
    const has = ({ n }: { n: number }): boolean => n !== 13 && n < 17
    const { task, client } = await startScene(t, ({ from, to }) => items(from, to).filter(has))
    say(client, 1, 10)
    say(client, 20, 21)
    assert.deepEqual(await arrived(task, 21), [...numbers(1, 12), 14, 15, 16, 20, 21])
    assert.deepEqual(
      (await gapsOf(task)).map(({ state, missing }) => [state, missing]),
      [
        ['opened', [{ from: 11, to: 19 }]],
        [
          'partly_filled',
          [
            { from: 13, to: 13 },
            { from: 17, to: 19 },
          ],
        ],
      ],
    )
    assert.deepEqual([task.stats.gapsFilled, task.stats.gapMessagesFilled], [0, 5])
    const failed = task.log.find(({ event }) => event === 'backfill_failed')
    assert.equal(failed?.fields['error'], 'the server has not got them')
  })

  test('is read page by page, oldest or newest first', async (t) => {
    const oldest = await startScene(t, ({ from, to }) => items(from, Math.min(to, from + 9)))
    say(oldest.client, 1, 1)
    say(oldest.client, 100, 100)
    assert.deepEqual(await arrived(oldest.task, 100), numbers(1, 100))
    assert.equal(oldest.history.requests.length, 10)

    const newest = await startScene(t, ({ from, to }) => items(Math.max(from, to - 9), to).reverse())
    say(newest.client, 1, 1)
    say(newest.client, 100, 100)
    assert.deepEqual(await arrived(newest.task, 100), numbers(1, 100))
  })

  test('is requested again after a temporary error, with the configured headers', async (t) => {
    const answer: Answer = ({ nth, from, to, headers, response }) => {
      if (headers.authorization !== 'Bearer hush, def') response.statusCode = 401
      else if (nth === 1) response.statusCode = 503
      else if (nth === 2) return void response.socket?.destroy()
      else return items(from, to)
      response.end()
      return undefined
    }
    const props = { 'backfill.headers': 'Authorization:"Bearer hush, def",X-Feed:1' }
    const { task, history, client } = await startScene(t, answer, props)
    say(client, 1, 1)
    say(client, 4, 4)
    assert.deepEqual(await arrived(task, 4), numbers(1, 4))
    assert.deepEqual([history.requests.length, history.requests[0]!.headers['x-feed']], [3, '1'])
    const log = JSON.stringify(task.log)
    for (const secret of ['s3cret', 'hush']) assert.ok(!log.includes(secret), secret)
  })

  test('of one stream is requested by the stream’s name, which the answer need not repeat', async (t) => {
    const answer: Answer = ({ from, to, stream }) => (stream === 'ä&b' ? items(from, to) : [])
    const { task, history, client } = await startScene(t, answer, { 'sequence.key.field': 's' })
    for (const n of [1, 2, 5]) {
      client.say({ s: 'ä&b', n })
      client.say({ s: 'c', n: 7 })
    }
    await until('the last one', async () => (await task.kept()).length >= 6)
    assert.deepEqual(history.ranges, [[3, 4]])
    const all = texts(await task.kept()).map((text) => JSON.parse(text) as { s?: string; n: number })
    assert.deepEqual(
      all.filter(({ s }) => s !== 'c').map(({ n }) => n),
      numbers(1, 5),
    )
    assert.deepEqual(
      (await task.gaps()).map(({ key }) => String(key)),
      ['ä&b', 'ä&b'],
    )
  })
})

const REDIRECT = { Location: 'http://127.0.0.1:1/' }

describe('a backfill that fails', () => {
  const short: Props = { 'backfill.timeout.ms': '300' }
  const cases: [what: string, asked: number, answer: Answer, error: RegExp, props?: Props][] = [
    ['never answers', 1, () => undefined, /stopped/, short],
    ['stops in the middle of its answer', 1, ({ response }) => void response.write('[{"n":'), /stopped/, short],
    [
      'answers more than is held',
      1,
      ({ from, to }) => items(from, to),
      /larger than the 10/,
      { 'backfill.max.bytes': '10' },
    ],
    ['refuses', 1, ({ response }) => void (response.writeHead(404), response.end('no')), /HTTP 404/],
    ['redirects', 1, ({ response }) => void (response.writeHead(302, REDIRECT), response.end()), /HTTP 302/],
    ['is down for long', 2, ({ response }) => void (response.writeHead(502), response.end()), /HTTP 502/],
    ['answers no JSON', 2, ({ response }) => void response.end('<html>'), /not JSON/],
    ['answers no array', 1, () => ({ items: 1 }), /no array/, { 'backfill.items.field': 'items' }],
    ['has lower numbers', 2, ({ from }) => items(from - 20, from - 10), /has not got them/],
    ['has other things', 2, () => [null, 5, 'x', { n: 'y' }, { m: 3 }, [], { n: 99 }], /has not got them/],
  ]
  for (const [what, asked, answer, error, props] of cases) {
    test(`because the server ${what} leaves the gap, and nothing else is lost`, async (t) => {
      const { task, history, client } = await startScene(t, answer, { 'backfill.max.attempts': '2', ...props })
      say(client, 1, 3)
      say(client, 6, 8)
      assert.deepEqual(await arrived(task, 8), [...numbers(1, 3), ...numbers(6, 8)])
      assert.deepEqual(
        (await gapsOf(task)).map(({ state, from, to }) => [state, from, to]),
        [['opened', 4, 5]],
      )
      const failed = task.log.find((line) => line.event === 'backfill_failed')
      assert.match(String(failed?.fields['error']), error)
      assert.equal(history.requests.length, asked)
      assert.equal(task.state, 'running')
    })
  }

  test('because no server listens leaves the gap', async (t) => {
    const { task, history, client } = await startScene(t, () => [])
    history.stop()
    say(client, 1, 3)
    say(client, 6, 8)
    assert.deepEqual(await arrived(task, 8), [...numbers(1, 3), ...numbers(6, 8)])
    const failed = task.log.find(({ event }) => event === 'backfill_failed')
    assert.match(String(failed?.fields['error']), /ECONNREFUSED/)
  })

  test('does not delay a stop more than necessary, and loses nothing', async (t) => {
    const { task, history, client } = await startScene(t, () => undefined, { 'backfill.timeout.ms': '600000' })
    say(client, 1, 3)
    say(client, 6, 8)
    await until('it is asked for', () => history.requests.length === 1)
    say(client, 10, 12)
    await until('all has come', () => task.stats.messagesReceived === 9)
    await task.stop()
    assert.equal(task.state, 'stopped')
    assert.deepEqual(await numbersIn(task), [...numbers(1, 3), ...numbers(6, 8), ...numbers(10, 12)])
  })

  test('waits once for all gaps of a batch', async (t) => {
    const { task, history, client } = await startScene(t, () => undefined, { 'backfill.timeout.ms': '500' })
    client.say(items(1, 1)[0])
    for (let n = 3; n <= 401; n += 2) client.say({ n })
    await arrived(task, 401)
    assert.equal(task.stats.sequenceGaps, 200)
    assert.ok(history.requests.length <= 20, `${history.requests.length} requests`)
  })
})

test('a message that arrives after its gap was found fills the gap without a backfill', async (t) => {
  const { task, history, client } = await startScene(t, () => [], { 'backfill.max.attempts': '1' })
  for (const n of [1, 4, 3, 2, 5]) client.say({ n })
  assert.deepEqual(await arrived(task, 5), [1, 4, 3, 2, 5])
  assert.deepEqual(
    (await gapsOf(task)).map(({ state }) => state),
    ['opened', 'filled'],
  )
  assert.equal(task.stats.gapsFilled, 1)
  assert.ok(history.requests.length <= 1)
})
