import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { sleep, systemClock } from '@tributary/async'
import type { ReplayOutcome } from '@tributary/connect-api'
import type { Replay } from '@tributary/connect-storage'
import { silentLog } from '@tributary/telemetry/testing'
import { MemoryDeadLetterIndex, MemoryDeadLetterStore } from '../testing/memory-dead-letters.ts'
import { EventIds } from './ids.ts'
import { IndexFeed } from './index-feed.ts'
import type { Batch, Sent } from './replay-workers.ts'
import { Replays } from './replays.ts'
import { testReplay as replay } from '../testing/test-replay.ts'

const WRITTEN: ReplayOutcome = { outcome: 'written', topic: 'orders', partition: 0, offset: '0' }
const FAILED: ReplayOutcome = { outcome: 'failed', type: 'POISON_PILL', message: 'still poison' }

interface Scene {
  readonly store: MemoryDeadLetterStore
  readonly index: MemoryDeadLetterIndex
  readonly replays: Replays
  readonly requests: (Batch & { readonly connector: string })[]
  /** How a worker answers; by default everything is written. */
  answer: (connector: string, request: Batch) => Sent | Promise<Sent>
  readonly feed: IndexFeed
  readonly term: AbortController
  /** Another replica that leads after this one. */
  successor(): Scene
}

function scene(t: TestContext, store = new MemoryDeadLetterStore(), index = new MemoryDeadLetterIndex()): Scene {
  const feed = new IndexFeed(store, index, silentLog)
  const ids = new EventIds()
  const requests: Scene['requests'] = []
  const term = new AbortController()
  const replays = new Replays({
    ...{ store, index, feed, maxReplays: 3, eventId: () => ids.next(), onOutcomes: () => {}, log: silentLog },
    clock: { ...systemClock, sleep: (ms, signal) => sleep(Math.min(ms, 5), signal) },
    workers: {
      send: async (connector, request) => {
        requests.push({ ...request, connector })
        return made.answer(connector, request)
      },
    },
  })
  replays.lead(term.signal)
  t.after(() => term.abort())
  const made: Scene = {
    ...{ store, index, replays, requests, feed, term },
    answer: (_connector, { letters }) => ({ answer: { outcomes: letters.map(() => WRITTEN) } }),
    successor: () => scene(t, store, index),
  }
  return made
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(1)
}

async function done({ store, replays }: Scene, asked: Replay): Promise<Replay> {
  await replays.create(asked)
  await replays.settled()
  return store.snapshot.replay(asked.id)!
}

test('letters are sent in batches of a connector and a task, oldest first, and are resolved when the worker says so', async (t) => {
  const made = scene(t)
  const { index, requests, feed, store } = made
  for (let i = 0; i < 2500; i++) index.add()
  const others = [index.add({ connector: 'b', task: 1 }), index.add({ connector: 'b', task: 2 })]
  const ended = await done(made, replay())
  assert.deepEqual(
    [ended.state, ended.count, ended.results],
    ['completed', 2502, { success: 2502, failed: 0, skipped: 0 }],
  )
  const of = (connector: string) => requests.filter((request) => request.connector === connector)
  assert.deepEqual(of('a').map(({ letters }) => [letters.length, letters[0]!.offset]), [[1000, '0'], [1000, '1000'], [500, '2000']]) // prettier-ignore
  assert.deepEqual(of('b').map(({ task, letters }) => [task, letters[0]!.offset]).sort(), [[1, others[0]!.offset], [2, others[1]!.offset]]) // prettier-ignore
  assert.equal(new Set(requests.map(({ batch }) => batch)).size, requests.length, 'each batch has its own number')
  await feed.settled()
  assert.equal(await index.count({ statuses: ['RESOLVED'] }), 2502)
  assert.deepEqual(store.snapshot.chunks(ended.id), [], 'nothing is left behind')
})

test('what waits for a worker is sent again with the same number, and says why it waits', async (t) => {
  const made = scene(t)
  const { index, requests, store } = made
  index.add()
  index.add()
  const asked = replay()
  const away = ['The connector a is PAUSED. Resume it.', 'The worker does not answer.']
  made.answer = (_connector, { letters }) => {
    const waitingFor = away.shift()
    if (waitingFor !== undefined) return { waitingFor }
    if (letters.length === 1) return { answer: { outcomes: [WRITTEN] } }
    return { answer: { outcomes: [{ outcome: 'later', type: 'NETWORK_TIMEOUT', message: 'Kafka is away' }, WRITTEN] } }
  }
  const seen = new Set<string | null>()
  store.listen({ changed: () => void seen.add(store.snapshot.replay(asked.id)?.waitingFor ?? null) })
  const ended = await done(made, asked)
  assert.deepEqual(
    [...seen],
    [null, 'The connector a is PAUSED. Resume it.', 'The worker does not answer.', 'Kafka is away'],
  )
  assert.deepEqual(requests.map(({ letters }) => letters.length), [2, 2, 2, 1]) // prettier-ignore
  assert.deepEqual([ended.state, ended.waitingFor, ended.results?.success], ['completed', null, 2])
})

test('a letter that fails in three replays is quarantined by the fourth, which does not send it, unless it is forced', async (t) => {
  const made = scene(t)
  const { index, requests } = made
  const { id } = index.add()
  made.answer = (_connector, { letters }) => ({ answer: { outcomes: letters.map(() => FAILED) } })
  for (const failed of [1, 2, 3]) {
    const ended = await done(made, replay())
    assert.deepEqual([ended.state, ended.results], ['failed', { success: 0, failed: 1, skipped: 0 }])
    assert.deepEqual(ended.failures, [{ id, topic: 'dlq', partition: 0, offset: '0', type: 'POISON_PILL', message: 'still poison' }]) // prettier-ignore
    await made.feed.settled()
    assert.deepEqual([index.row(id).status, index.row(id).failedReplays], ['UNRESOLVED', failed])
  }
  const fourth = await done(made, replay())
  assert.deepEqual([fourth.state, fourth.results], ['completed', { success: 0, failed: 0, skipped: 1 }])
  assert.deepEqual([index.row(id).status, requests.length], ['QUARANTINED', 3])
  made.answer = () => ({ answer: { outcomes: [WRITTEN] } })
  await done(made, replay({ choice: { ids: [id], limit: 1 } }))
  assert.equal(requests.length, 3)
  const forced = await done(made, replay({ choice: { ids: [id], limit: 1 }, force: true }))
  assert.deepEqual([forced.results, requests.length], [{ success: 1, failed: 0, skipped: 0 }, 4])
})

test('a letter is in one replay at a time', async (t) => {
  const made = scene(t)
  for (let i = 0; i < 50; i++) made.index.add()
  const hold = Promise.withResolvers<void>()
  made.answer = async (_connector, { letters }) => {
    await hold.promise
    return { answer: { outcomes: letters.map(() => WRITTEN) } }
  }
  const [first, second] = [replay(), replay()]
  await Promise.all([made.replays.create(first), made.replays.create(second)])
  await until(() => made.store.snapshot.replay(second.id)?.state === 'completed')
  hold.resolve()
  await made.replays.settled()
  const counts = [first, second].map(({ id }) => made.store.snapshot.replay(id)!.count)
  assert.deepEqual(counts, [50, 0])
  assert.equal(made.requests.length, 1)
})

test('the next leader goes on at the batch whose end its predecessor did not write, with the same number', async (t) => {
  const made = scene(t)
  const { index, requests, store, term } = made
  for (let i = 0; i < 3000; i++) index.add()
  const asked = replay()
  made.answer = (_connector, { letters, batch }) => {
    if (batch < 1000) return { answer: { outcomes: letters.map(() => WRITTEN) } }
    // The worker has done it, and the leader dies before it knows.
    term.abort()
    return Promise.reject(new Error('killed'))
  }
  await done(made, asked)
  assert.equal(store.snapshot.replay(asked.id)!.state, 'in_progress')
  const next = made.successor()
  await next.replays.settled()
  const ended = store.snapshot.replay(asked.id)!
  assert.deepEqual([ended.state, ended.results], ['completed', { success: 3000, failed: 0, skipped: 0 }])
  assert.deepEqual(requests.map(({ batch }) => batch), [0, 1000]) // prettier-ignore
  assert.deepEqual(next.requests.map(({ batch, letters }) => [batch, letters.length]), [[1000, 1000], [2000, 1000]]) // prettier-ignore
})

test('a cancelled replay gives back the letters that it has not dealt with, also when the leader changes meanwhile', async (t) => {
  for (const dies of [false, true]) {
    const made = scene(t)
    const { index, store, replays, term } = made
    for (let i = 0; i < 1500; i++) index.add()
    const asked = replay()
    made.answer = (_connector, { letters, batch }) =>
      batch === 0 ? { answer: { outcomes: letters.map(() => WRITTEN) } } : { waitingFor: 'it is away' }
    await replays.create(asked)
    await until(
      () => store.snapshot.replay(asked.id)?.waitingFor !== null && store.snapshot.results(asked.id).success > 0,
    )
    if (dies) {
      term.abort()
      await replays.settled()
      await store.write({ replays: [{ ...store.snapshot.replay(asked.id)!, cancelledBy: 'user:bob' }] })
      await made.successor().replays.settled()
    } else await replays.cancel(asked, 'user:bob', 10_000)
    const ended = store.snapshot.replay(asked.id)!
    assert.deepEqual([ended.state, ended.cancelledBy, ended.results?.success], ['cancelled', 'user:bob', 1000])
    await made.feed.settled()
    const counts = (await index.stats({})).byStatus
    assert.deepEqual(counts, { RESOLVED: 1000, UNRESOLVED: 500 })
  }
})

test('letters of a connector that is gone, and those that name none, fail with a sentence', async (t) => {
  const made = scene(t)
  made.answer = (connector) => ({ never: `The connector ${connector} does not exist any more.` })
  made.index.add()
  made.index.add({ connector: null, task: null })
  const ended = await done(made, replay())
  assert.equal(ended.state, 'failed')
  assert.deepEqual(ended.failures.map(({ message }) => message.slice(0, 40)).sort(), ['The connector a does not exist any more.', 'The letter does not say which connector ']) // prettier-ignore
  made.answer = () => ({ answer: { outcomes: [WRITTEN] } })
  await done(made, replay({ connector: 'b', choice: { connectors: [null] } }))
  assert.equal(made.requests.at(-1)!.connector, 'b')
})

test('a limited replay sends no more than its rate, over all connectors and from the first letter on', async (t) => {
  const made = scene(t)
  const { index, store, requests, feed } = made
  for (let i = 0; i < 10; i++) index.add({ connector: i % 2 === 0 ? 'a' : 'b' })
  let now = 0
  const ids = new EventIds()
  const slept: number[] = []
  const replays = new Replays({
    ...{ store, index, feed, maxReplays: 3, eventId: () => ids.next(), onOutcomes: () => {}, log: silentLog },
    clock: {
      now: () => now,
      monotonic: () => now,
      sleep: (ms) => {
        slept.push(ms)
        now += ms
        return Promise.resolve()
      },
    },
    workers: {
      send: (_connector, { letters }) => Promise.resolve({ answer: { outcomes: letters.map(() => WRITTEN) } }),
    },
  })
  replays.lead(made.term.signal)
  await replays.create(replay({ strategy: 'rate_limited', rate: 2 }))
  await replays.settled()
  assert.equal(requests.length, 0)
  assert.ok(now >= 4999, `${now} ms for 10 letters at 2 a second, ${slept.join()}`)
})
