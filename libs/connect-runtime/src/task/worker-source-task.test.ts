import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, DataError, NotConnectedError, RetriableError, type Transformation } from '@tributary/connect-api'
import { scriptedRun, until } from '../testing/run-scripted.ts'

const numbered = (count: number, from = 0): string[] => Array.from({ length: count }, (_, i) => `m${from + i}`)
const apply = (f: Transformation['apply']): Transformation => ({ apply: f })

test('the run produces records in order and commits their offsets, and a stop delivers the rest', async () => {
  const s = scriptedRun()
  const ended = s.run.run()
  s.task.send(...numbered(250))
  await until(() => s.producer.kept.length === 250, 'all are produced')
  await s.run.stop()
  await ended
  assert.deepEqual(s.producer.values(), numbered(250))
  assert.deepEqual(s.offsets.writes.at(-1), { sequence: 250 })
  assert.equal(s.run.state, 'stopped')
  assert.ok(s.producer.closed && s.task.stopped === 1 && s.task.commits > 0)
})

test('an idle task waits inside poll and does not spin', async () => {
  const s = scriptedRun()
  void s.run.run()
  await until(() => s.run.state === 'running', 'it runs')
  const before = s.task.polls
  await new Promise((resolve) => setTimeout(resolve, 300))
  assert.ok(s.task.polls - before <= 3, `${s.task.polls - before} polls in 300 ms`)
  await s.run.stop()
})

test('offsets are not committed while Kafka has not acknowledged', async () => {
  const s = scriptedRun()
  s.producer.up.close()
  void s.run.run()
  s.task.send(...numbered(10))
  await until(() => s.run.progress.recordsPolled === 10, 'they are polled')
  assert.deepEqual(s.offsets.writes, [])
  s.producer.up.open()
  await until(() => s.offsets.writes.length > 0, 'offsets are written')
  assert.deepEqual(s.offsets.writes.at(-1), { sequence: 10 })
  await s.run.stop()
})

test('while Kafka is away polling stops at the in-flight limit, and all records arrive afterwards', async () => {
  const s = scriptedRun({ 'max.in.flight.records': '100' })
  s.producer.up.close()
  void s.run.run()
  s.task.send(...numbered(1000))
  await until(() => s.run.progress.inFlightRecords >= 100, 'the limit is reached')
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.ok(s.run.progress.recordsPolled <= 200)
  s.producer.up.open()
  await until(() => s.producer.kept.length === 1000, 'all arrive')
  assert.deepEqual(s.producer.values(), numbered(1000))
  await s.run.stop()
})

test('the run reconnects after a lost connection, once the queued records are delivered', async () => {
  const s = scriptedRun()
  void s.run.run()
  await until(() => s.task.connects === 1, 'it is connected')
  s.task.send('a', 'b')
  s.task.cut(new NotConnectedError('X', 'server ended the stream'))
  await until(() => s.task.connects === 2, 'it connects again')
  s.task.send('c')
  await until(() => s.producer.kept.length === 3, 'all arrive')
  assert.deepEqual(s.producer.values(), ['a', 'b', 'c'])
  await s.run.stop()
})

test('the task fails with a config error at the limit of reconnects, so that it does not restart by itself', async () => {
  const s = scriptedRun({}, { maxAttempts: 3 })
  s.task.onConnect = () => {
    throw new NotConnectedError('X', 'connection refused')
  }
  await s.run.run()
  assert.equal(s.run.state, 'failed')
  assert.equal(s.failureKind, 'config')
  assert.match((s.failure as Error).message, /gave up after 3 tries/)
  assert.equal(s.task.connects, 4)
})

test('a config error of connect fails the task at once', async () => {
  const s = scriptedRun()
  s.task.onConnect = () => {
    throw new ConfigError('GRPC_UNIMPLEMENTED', 'no such method')
  }
  await s.run.run()
  assert.deepEqual([s.run.state, s.failureKind, s.task.connects], ['failed', 'config', 1])
})

test('a paused task does not poll, and a resumed task has lost no record', async () => {
  const s = scriptedRun()
  void s.run.run()
  s.task.send('a')
  await until(() => s.producer.kept.length === 1, 'the first arrives')
  s.run.pause()
  await until(() => s.run.state === 'paused', 'it is paused')
  await new Promise((resolve) => setTimeout(resolve, 250))
  const polls = s.task.polls
  s.task.send('b', 'c')
  await new Promise((resolve) => setTimeout(resolve, 250))
  assert.ok(s.task.polls <= polls)
  s.run.resume()
  await until(() => s.producer.kept.length >= 3, 'the rest arrives')
  assert.deepEqual(s.producer.values(), ['a', 'b', 'c'])
  await s.run.stop()
})

test('a task is told of a pause, of its end, and of a run that starts paused', async () => {
  const s = scriptedRun()
  s.run.pause()
  void s.run.run()
  await until(() => s.run.state === 'paused', 'it starts paused')
  assert.deepEqual(s.task.told, ['paused'])
  s.run.resume()
  await until(() => s.task.connects === 1, 'it is connected')
  s.run.pause()
  s.run.pause()
  assert.deepEqual(s.task.told, ['paused', 'resumed', 'paused'], 'at once, although a poll is under way')
  await s.run.stop()
  assert.deepEqual(s.task.told, ['paused', 'resumed', 'paused'])
})

test('a stop delivers the queued records, also while the task is paused', async () => {
  const s = scriptedRun()
  void s.run.run()
  await until(() => s.task.connects === 1, 'it is connected')
  s.run.pause()
  s.task.send(...numbered(500))
  await s.run.stop()
  assert.deepEqual(s.producer.values(), numbered(500))
  assert.deepEqual(s.offsets.writes.at(-1), { sequence: 500 })
})

test('records that cannot be delivered within the graceful timeout are given up and counted', async () => {
  const s = scriptedRun({ 'task.shutdown.graceful.timeout.ms': '50' })
  s.producer.up.close()
  void s.run.run()
  s.task.send(...numbered(10))
  await until(() => s.run.progress.recordsPolled === 10, 'they are polled')
  await s.run.stop()
  assert.equal(s.run.state, 'stopped')
  assert.equal(s.run.progress.abandoned, 10)
  assert.deepEqual(s.offsets.writes, [])
})

test('errors.tolerance=none: the records before the bad one arrive, then the task fails with its cause', async () => {
  const bad = apply((r) => {
    if (r.value === 'm5') throw new DataError('BAD', 'no good')
    return r
  })
  const s = scriptedRun({}, { transformations: [bad] })
  s.task.send(...numbered(10))
  await s.run.run()
  assert.equal(s.run.state, 'failed')
  assert.match((s.failure as Error).message, /^Tolerance exceeded in error handler/)
  assert.deepEqual(s.producer.values(), numbered(5))
  assert.deepEqual(s.offsets.writes.at(-1), { sequence: 5 })
})

test('errors.tolerance=all: bad records go to the dead-letter queue with Connect’s headers, the others arrive', async () => {
  const bad = apply((r) => {
    if (r.value === 'm3') throw new DataError('BAD', 'no good')
    return r
  })
  const s = scriptedRun(
    { 'errors.tolerance': 'all', 'errors.deadletterqueue.topic.name': 'dlq' },
    { transformations: [bad] },
  )
  void s.run.run()
  s.task.send(...numbered(6))
  await until(() => s.offsets.writes.at(-1)?.['sequence'] === 6, 'all are committed')
  await s.run.stop()
  assert.deepEqual(s.producer.values(), ['m0', 'm1', 'm2', 'm4', 'm5'])
  assert.deepEqual(s.producer.values('dlq'), ['m3'])
  const headers = new Map(s.producer.kept.find((r) => r.topic === 'dlq')!.headers!.map(([k, v]) => [k, String(v)]))
  assert.equal(headers.get('__connect.errors.connector.name'), 'c')
  assert.equal(headers.get('__connect.errors.stage'), 'TRANSFORMATION')
  assert.equal(headers.get('__connect.errors.exception.message'), 'no good')
  assert.equal(s.task.committed.find(([value]) => value === 'm3')?.[1], null)
})

test('a record over the size limit fails alone: the dead-letter queue gets its size, hash and start', async () => {
  const s = scriptedRun({ 'errors.tolerance': 'all', 'errors.deadletterqueue.topic.name': 'dlq' })
  s.producer.limitBytes = 100_000
  void s.run.run()
  s.task.send('a', 'x'.repeat(200_000), 'b')
  await until(() => s.producer.kept.length === 3, 'all are settled')
  await s.run.stop()
  assert.deepEqual(s.producer.values(), ['a', 'b'])
  const dead = s.producer.kept.find((r) => r.topic === 'dlq')!
  assert.equal(dead.value!.length, 65_536)
  const headers = new Map(dead.headers!.map(([k, v]) => [k, String(v)]))
  assert.equal(headers.get('__tributary.errors.value.size'), '200000')
  assert.deepEqual(s.offsets.writes.at(-1), { sequence: 3 })
})

test('errors.tolerance=none: a record that the broker refuses fails the task once the records in flight have arrived', async () => {
  const s = scriptedRun()
  s.producer.limitBytes = 1000
  const ended = s.run.run()
  s.task.send(...numbered(150), 'x'.repeat(2000))
  await ended
  assert.equal(s.run.state, 'failed')
  assert.match((s.failure as Error).message, /^Tolerance exceeded/)
  assert.deepEqual(s.producer.values(), numbered(150))
})

test('a dead letter over the size limit is cut', async () => {
  const bad = apply((r) => {
    if ((r.value as string).length > 100) throw new DataError('BAD', 'no good')
    return r
  })
  const s = scriptedRun(
    { 'errors.tolerance': 'all', 'errors.deadletterqueue.topic.name': 'dlq' },
    { transformations: [bad] },
  )
  s.producer.limitBytes = 100_000
  void s.run.run()
  s.task.send('a', 'x'.repeat(200_000), 'b')
  await until(() => s.offsets.writes.at(-1)?.['sequence'] === 3, 'all are committed')
  await s.run.stop()
  assert.deepEqual(s.producer.values(), ['a', 'b'])
  assert.equal(s.producer.values('dlq')[0]?.length, 65_536)
})

test('an unclassified error fails the task as fatal, also with errors.tolerance=all', async () => {
  const bug = apply(() => {
    throw new TypeError('undefined is not a function')
  })
  const s = scriptedRun({ 'errors.tolerance': 'all' }, { transformations: [bug] })
  s.task.send('a')
  await s.run.run()
  assert.deepEqual([s.run.state, s.failureKind], ['failed', 'fatal'])
})

test('a retriable error of a transformation is tried again within errors.retry.timeout', async () => {
  let tries = 0
  const flaky = apply((r) => {
    if (++tries === 1) throw new RetriableError('BUSY', 'try again')
    return r
  })
  const s = scriptedRun({ 'errors.retry.timeout': '5000' }, { transformations: [flaky] })
  void s.run.run()
  s.task.send('a')
  await until(() => s.producer.kept.length === 1, 'it arrives')
  await s.run.stop()
  assert.equal(tries, 2)
})

test('a filtered record is committed without metadata', async () => {
  const s = scriptedRun({}, { transformations: [apply((r) => (r.value === 'm1' ? null : r))] })
  void s.run.run()
  s.task.send(...numbered(3))
  await until(() => s.task.committed.length === 3, 'all are committed')
  await s.run.stop()
  assert.deepEqual(
    s.task.committed.map(([, m]) => m === null),
    [false, true, false],
  )
})

test('without a lease the task sends and commits nothing, and goes on once the lease is valid', async () => {
  const s = scriptedRun()
  void s.run.run()
  await until(() => s.run.state === 'running', 'it runs')
  s.lease.close()
  s.task.send(...numbered(20))
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.deepEqual(s.producer.kept, [])
  s.lease.open()
  await until(() => s.producer.kept.length === 20, 'all arrive')
  await s.run.stop()
})

test('another worker gets the task: a source that can resume drops its unsent records', async () => {
  const s = scriptedRun({}, { resumable: true })
  void s.run.run()
  await until(() => s.run.state === 'running', 'it runs')
  s.lease.close()
  s.task.send(...numbered(20))
  await s.run.lose()
  assert.deepEqual([s.producer.kept.length, s.offsets.writes.length, s.run.state], [0, 0, 'stopped'])
})

test('another worker gets the task: a source that cannot resume still sends its records, without offsets', async () => {
  const s = scriptedRun()
  void s.run.run()
  await until(() => s.run.state === 'running', 'it runs')
  s.lease.close()
  s.task.send(...numbered(20))
  await s.run.lose()
  assert.deepEqual(s.producer.values(), numbered(20))
  assert.deepEqual(s.offsets.writes, [])
})

test('a missing topic is created; with topic.creation.enable=false the error names the command', async () => {
  const made = scriptedRun()
  made.producer.topics.clear()
  void made.run.run()
  made.task.send('a')
  await until(() => made.producer.kept.length === 1, 'it arrives')
  await made.run.stop()
  const refused = scriptedRun({ 'topic.creation.enable': 'false' })
  refused.producer.topics.clear()
  refused.task.send('a')
  await refused.run.run()
  assert.match((refused.failure as Error).message, /kafka-topics\.sh .* --create --topic events/)
})

test('a stop waits for an offset write in progress', async () => {
  const s = scriptedRun()
  s.offsets.up.close()
  void s.run.run()
  s.task.send(...numbered(10))
  await until(() => s.producer.kept.length === 10, 'all are produced')
  await until(() => s.task.committed.length === 10, 'all are acknowledged')
  const stopped = s.run.stop()
  await new Promise((resolve) => setTimeout(resolve, 20))
  s.offsets.up.open()
  await stopped
  assert.deepEqual(s.offsets.writes.at(-1), { sequence: 10 })
})

test('without a lease the producer does not start, since its start would fence the new owner', async () => {
  const s = scriptedRun()
  s.lease.close()
  void s.run.run()
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(s.producer.started, false)
  s.lease.open()
  await until(() => s.run.state === 'running', 'it runs')
  await s.run.stop()
})

test('an outage in a transformation fails the task as retriable and makes no dead letter', async () => {
  const away = apply((r) => {
    if (r.value === 'm3') throw new RetriableError('REGISTRY_AWAY', 'try again')
    return r
  })
  const s = scriptedRun(
    { 'errors.tolerance': 'all', 'errors.deadletterqueue.topic.name': 'dlq' },
    { transformations: [away] },
  )
  s.task.send(...numbered(6))
  await s.run.run()
  assert.deepEqual([s.run.state, s.failureKind], ['failed', 'retriable'])
  assert.deepEqual(s.producer.values(), numbered(3))
  assert.deepEqual(s.producer.values('dlq'), [])
  assert.deepEqual(s.offsets.writes.at(-1), { sequence: 3 })
})

const INTERVAL = {
  'exactly.once.support': 'required',
  'transaction.boundary': 'interval',
  'transaction.boundary.interval.ms': '60000',
}

test('exactly once: a failed task leaves no transaction open, and commits batches that were sent completely', async () => {
  const bad = apply((r) => {
    if (r.value === 'm5') throw new DataError('BAD', 'no good')
    return r
  })
  const s = scriptedRun(INTERVAL, { resumable: true, transformations: [bad] })
  s.task.send(...numbered(10))
  await s.run.run()
  assert.equal(s.run.state, 'failed')
  assert.deepEqual(s.producer.values(), numbered(5))
  assert.deepEqual(s.producer.transactions, ['begin', 'commit'])
})

test('exactly once: an abandoned task aborts its transaction', async () => {
  const s = scriptedRun({ ...INTERVAL, 'task.shutdown.graceful.timeout.ms': '50' }, { resumable: true })
  void s.run.run()
  s.task.send(...numbered(10))
  await until(() => s.producer.transactions.length === 1, 'a transaction is open')
  s.producer.up.close()
  s.task.send('more')
  await until(() => s.run.progress.recordsPolled === 11, 'it is polled')
  await s.run.stop()
  assert.deepEqual(s.producer.kept, [])
  assert.deepEqual(s.producer.transactions, ['begin', 'abort'])
})

test('exactly once: no transaction is open while the source is away', async () => {
  const s = scriptedRun(INTERVAL, { resumable: true })
  void s.run.run()
  s.task.send(...numbered(10))
  await until(() => s.run.progress.recordsPolled === 10, 'all are polled')
  s.task.onConnect = () => {
    throw new NotConnectedError('X', 'connection refused')
  }
  s.task.cut(new NotConnectedError('X', 'server ended the stream'))
  await until(() => s.producer.values().length === 10, 'all are committed')
  await s.run.stop()
})
