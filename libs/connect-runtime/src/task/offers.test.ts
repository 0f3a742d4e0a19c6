import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { systemClock } from '@tributary/async'
import type { Polled, Props, SourceRecord } from '@tributary/connect-api'
import { TaskProgress } from '../model/task-progress.ts'
import { type ScriptedRun, type ScriptOptions, scriptedRun, until } from '../testing/run-scripted.ts'
import { Offers } from './offers.ts'

/** A running task whose topic is known, and whose poll waits for the next message. */
async function waiting(t: TestContext, props: Props = {}, options: ScriptOptions = {}): Promise<ScriptedRun> {
  const scripted = scriptedRun(props, options)
  const { run, task, producer } = scripted
  task.pollMs = 60_000
  void run.run()
  t.after(() => run.stop())
  task.onConnect = () => task.send('first')
  await until(() => producer.values().length === 1 && task.queue.waiting, 'the first record is produced')
  return scripted
}

test('records that are offered while poll waits are delivered and committed without another poll', async (t) => {
  const { task, producer, offsets, run } = await waiting(t)
  const { polls } = task
  for (const value of ['a', 'b', 'c']) task.send(value)
  await until(() => offsets.writes.at(-1)?.['sequence'] === 4 && task.committed.length === 4, 'all are acknowledged')
  assert.deepEqual(producer.values(), ['first', 'a', 'b', 'c'])
  assert.equal(task.polls, polls)
  assert.equal(run.progress.recordsPolled, 4)
  assert.equal(run.progress.unacknowledged, 0)
})

test('what cannot be passed on at once keeps its place: no lease, no room, a pause', async (t) => {
  const { task, producer, lease, run } = await waiting(t, { 'max.in.flight.records': '2' })
  const { polls } = task
  lease.close()
  task.send('without lease')
  task.send('behind it')
  lease.open()
  await until(() => producer.values().length === 3 && task.queue.waiting, 'the lease is back')
  assert.ok(task.polls > polls)
  producer.up.close()
  for (const value of ['1', '2', '3', '4']) task.send(value)
  assert.ok(run.progress.inFlightRecords <= 2)
  producer.up.open()
  await until(() => producer.values().length === 7 && task.queue.waiting, 'there is room')
  run.pause()
  task.send('paused')
  run.resume()
  await until(() => producer.values().length === 8, 'the task is resumed')
  assert.deepEqual(producer.values().slice(1), ['without lease', 'behind it', '1', '2', '3', '4', 'paused'])
})

test('what a step would have to wait for is kept: nothing overtakes it, and the poll that waits goes on', async (t) => {
  const { task, producer } = await waiting(t)
  const { polls } = task
  const sent = (): string[] => producer.kept.map(({ value }) => Buffer.from(value!).toString())
  task.onHandOut = (records) => {
    for (const record of records) if (record.value === 'other') Object.assign(record, { topic: 'other' })
  }
  task.send('other')
  task.send('behind it')
  await until(() => sent().length === 3, 'both are produced')
  await until(() => task.queue.waiting, 'the poll waits')
  task.send('last')
  await until(() => sent().length === 4, 'the last is produced')
  assert.deepEqual(sent(), ['first', 'other', 'behind it', 'last'])
  assert.ok(task.polls <= polls + 1)
})

test('a bad record fails the task after those before it, and takes none with it', async (t) => {
  const scripted = await waiting(t)
  const { task, producer, run } = scripted
  task.onHandOut = (records) => {
    for (const record of records) if (record.value === 'bad') Object.assign(record, { sourceOffset: null })
  }
  task.send('good')
  task.send('before', 'bad')
  await run.run()
  assert.equal((scripted.failure as { code?: string }).code, 'RECORD_CONTRACT')
  assert.deepEqual(producer.values(), ['first', 'good', 'before'])
})

test('an error of a source that makes records for an offer fails the task, and does not reach its caller', async (t) => {
  const scripted = await waiting(t)
  const { task, run } = scripted
  const broken = new Error('a bug of the plugin')
  task.onHandOut = (records) => {
    if (records.some(({ value }) => value === 'x')) throw broken
  }
  task.send('x')
  await run.run()
  assert.equal(scripted.failure, broken)
})

test('a stop delivers what was offered before it, and then what poll returns', async (t) => {
  const { task, producer, run } = await waiting(t)
  producer.up.close()
  task.send('a')
  const stopped = run.stop()
  task.send('b')
  producer.up.open()
  await stopped
  assert.deepEqual(producer.values(), ['first', 'a', 'b'])
  assert.equal(run.state, 'stopped')
})

test('a poll that goes on waiting keeps none of the records that were returned meanwhile', async () => {
  let listeners = 0
  const polling = new Promise<Polled[]>(() => {})
  const { then } = polling
  polling.then = ((...args: Parameters<typeof then>) => {
    listeners++
    return then.apply(polling, args)
  }) as typeof then
  const open = { isOpen: true, connected: true, hasQueuedMessages: false, hasRoom: true }
  const offers = new Offers({
    task: { poll: () => polling },
    // As for a connector with a transformation.
    converter: { convertNow: () => null },
    resumed: open,
    connection: open,
    background: open,
    inFlight: open,
    progress: new TaskProgress(0),
    clock: systemClock,
    lease: { valid: () => true },
    ends: () => false,
    lost: () => false,
    send: () => assert.fail('nothing can be sent'),
    fail: (error) => assert.fail(String(error)),
  })
  for (let i = 0; i < 3; i++) {
    const records = [{ topic: String(i) } as SourceRecord]
    const returned = offers.poll(new AbortController().signal)
    assert.equal(offers.offer(() => records), true) // prettier-ignore
    assert.equal(await returned, records)
  }
  assert.equal(listeners, 1)
})
