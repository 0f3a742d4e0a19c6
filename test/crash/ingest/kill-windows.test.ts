import { apiKeys, startProxiedKafka, type Held, type ProxiedKafka } from '@tributary/harness'
import assert from 'node:assert/strict'
import test, { after, before, type TestContext } from 'node:test'
import { readPartition } from '../../support/kafka-topic.ts'
import { until } from '../../support/until.ts'
import type { Ingest } from '../../support/ingest.ts'
import { loggedProgress, type LoggedProgress, type Window } from './logged-progress.ts'
import { SHORT_SESSIONS } from '../../support/own-broker.ts'
import { type Delivery, type Flow, Rig } from './rig.ts'

/**
 * kill -9 under load, once in each window of a record's way. A proxy stops the process's connection at the request that
 * opens the window, so the window stays open until the kill. The log of the dead process proves that the window was
 * hit.
 */
let broker: ProxiedKafka
before(async () => {
  broker = await startProxiedKafka(SHORT_SESSIONS)
})
after(() => broker.stop())

const LOAD = { rate: 3000 }

interface Scene {
  readonly t: TestContext
  readonly rig: Rig
  readonly flow: Flow
}

async function setUp(t: TestContext, delivery: Delivery, extra: Record<string, string> = {}): Promise<Scene> {
  const rig = await Rig.create(t, { brokers: broker.brokers, shortSessions: true })
  return { t, rig, flow: await rig.flow(delivery, LOAD, extra) }
}

/** Kills the process in `window`. Returns the progress that its log shows. */
async function killIn(window: Window, ingest: Ingest, { t, flow }: Scene): Promise<LoggedProgress> {
  await ingest.child.kill()
  assert.deepEqual(ingest.child.exit, { code: null, signal: 'SIGKILL' })
  const progress = loggedProgress(ingest.log, flow.name)
  t.diagnostic(`killed ${progress.window}: ${JSON.stringify(progress)}`)
  assert.equal(progress.window, window, ingest.log.tail())
  return progress
}

interface Moment {
  readonly window: Window
  /** Numbers that are committed before the connection is stopped; 0: the connection is stopped from the start. */
  readonly after: number
  readonly held: Held
  /** Records that must have been sent before the kill. */
  readonly sent?: number
}

/** Starts a process whose connection the proxy stops as `window` says, and kills the process there. */
async function killHeld(scene: Scene, { window, after, held, sent = 0 }: Moment): Promise<LoggedProgress> {
  const holding = after === 0 ? broker.proxy.hold(held) : null
  const ingest = await scene.rig.start()
  if (after > 0) await scene.rig.committedTo(scene.flow, after)
  await (holding ?? broker.proxy.hold(held))
  await until(`${sent} records are sent`, () => loggedProgress(ingest.log, scene.flow.name).sent >= sent)
  return await killIn(window, ingest, scene)
}

/**
 * Starts a new process, which takes over. No record may be missing, and at most `mayComeTwice` records may be there
 * twice. Returns how many records the dead process had left unfinished at the broker: those delivered twice, or,
 * exactly once, those aborted.
 */
async function assertNothingLost({ t, rig, flow }: Scene, mayComeTwice: number): Promise<number> {
  await rig.start()
  const delivered = await rig.finish(flow)
  const all = await readPartition(broker.brokers, flow.topic)
  t.diagnostic(`${JSON.stringify(delivered)}, aborted=${all.length - delivered.kept}, allowed twice=${mayComeTwice}`)
  assert.equal(delivered.lost, 0)
  assert.ok(delivered.inOrder)
  assert.ok(delivered.twice <= mayComeTwice, `${delivered.twice} records came twice`)
  return flow.delivery === 'exactly-once' ? all.length - delivered.kept : delivered.twice
}

const transactionalId = ({ rig, flow }: Scene): string => `${rig.cluster}-grpc-ingest-${flow.name}-0`

test('at least once, killed before the first ack: the batch that the broker has written is delivered again', async (t) => {
  const scene = await setUp(t, 'at-least-once')
  const held = { apiKey: apiKeys.produce, naming: scene.flow.topic, what: 'answer' } as const
  // The broker has the first batch and not the following ones. An offset that is committed too early would lose these.
  const progress = await killHeld(scene, { window: 'before the first ack', after: 0, held, sent: 5000 })
  assert.ok((await assertNothingLost(scene, progress.sent)) > 0, 'the broker had the batch')
})

test('at least once, killed between ack and offset commit: records without a committed offset are delivered again', async (t) => {
  const scene = await setUp(t, 'at-least-once')
  const held = { apiKey: apiKeys.produce, naming: scene.rig.offsetsTopic, what: 'request' } as const
  const progress = await killHeld(scene, { window: 'between ack and offset commit', after: 3000, held })
  assert.ok((await assertNothingLost(scene, progress.sent - progress.committed)) > 0, 'acknowledged, not committed')
})

test('at least once, the successor is killed in its start: the next process continues from the commit of the first one', async (t) => {
  const scene = await setUp(t, 'at-least-once')
  const first = await scene.rig.start()
  await scene.rig.committedTo(scene.flow, 3000)
  await first.child.kill()
  const progress = loggedProgress(first.log, scene.flow.name)
  scene.flow.source.answers = false
  const second = await scene.rig.start()
  await second.logged('grpc_client_starting', scene.flow.name)
  await killIn('in the start of the task', second, scene)
  assert.ok(!second.log.has('streaming_started'))
  scene.flow.source.answers = true
  await assertNothingLost(scene, progress.sent - progress.committed)
})

test('exactly once, killed before the first ack: nothing is lost or delivered twice', async (t) => {
  const scene = await setUp(t, 'exactly-once')
  const held = { apiKey: apiKeys.produce, naming: scene.flow.topic, what: 'answer' } as const
  await killHeld(scene, { window: 'before the first ack', after: 0, held })
  assert.ok((await assertNothingLost(scene, 0)) > 0, 'the broker had the batch, in a transaction that was aborted')
})

test('exactly once, killed before the ack of records and offsets: nothing is lost or delivered twice', async (t) => {
  const scene = await setUp(t, 'exactly-once')
  const held = { apiKey: apiKeys.produce, naming: scene.rig.offsetsTopic, what: 'answer' } as const
  await killHeld(scene, { window: 'inside an open transaction', after: 3000, held })
  assert.ok((await assertNothingLost(scene, 0)) > 0, 'the broker had them, in a transaction that was aborted')
})

test('exactly once, killed inside an open transaction of many batches: nothing is lost or delivered twice', async (t) => {
  const interval = { 'transaction.boundary': 'interval', 'transaction.boundary.interval.ms': '1500' }
  const scene = await setUp(t, 'exactly-once', interval)
  const ingest = await scene.rig.start()
  await scene.rig.committedTo(scene.flow, 1)
  await until('a transaction is open and holds 500 records', () => {
    const { window, acknowledged, committed } = loggedProgress(ingest.log, scene.flow.name)
    return window === 'inside an open transaction' && acknowledged - committed > 500
  })
  await killIn('inside an open transaction', ingest, scene)
  assert.ok((await assertNothingLost(scene, 0)) > 0, 'acknowledged records were aborted')
})

test('exactly once, killed before the broker has the commit: nothing is lost or delivered twice', async (t) => {
  const scene = await setUp(t, 'exactly-once')
  const held = { apiKey: apiKeys.endTxn, naming: transactionalId(scene), what: 'request' } as const
  await killHeld(scene, { window: 'in the end of a transaction', after: 3000, held })
  assert.ok((await assertNothingLost(scene, 0)) > 0, 'acknowledged records were aborted')
})

test('exactly once, killed before the answer to the commit: nothing is lost or delivered twice', async (t) => {
  const scene = await setUp(t, 'exactly-once')
  const held = { apiKey: apiKeys.endTxn, naming: transactionalId(scene), what: 'answer' } as const
  await killHeld(scene, { window: 'in the end of a transaction', after: 3000, held })
  assert.equal(await assertNothingLost(scene, 0), 0, 'the broker had committed')
})

test('exactly once, the successor is killed while it ends the open transaction: nothing is lost or delivered twice', async (t) => {
  const scene = await setUp(t, 'exactly-once')
  const open = { apiKey: apiKeys.endTxn, naming: transactionalId(scene), what: 'request' } as const
  await killHeld(scene, { window: 'in the end of a transaction', after: 3000, held: open })
  const start = { apiKey: apiKeys.initProducerId, naming: transactionalId(scene), what: 'answer' } as const
  await killHeld(scene, { window: 'in the start of the task', after: 0, held: start })
  assert.ok((await assertNothingLost(scene, 0)) > 0, 'acknowledged records were aborted')
})
