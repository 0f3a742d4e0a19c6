import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RetriableError } from '@tributary/connect-api'
import { scriptedRun, until } from '../testing/run-scripted.ts'

test('a task that ends its input without drain fails with END_OF_INPUT_UNEXPECTED', async () => {
  const s = scriptedRun()
  void s.run.run()
  await until(() => s.run.state === 'running', 'it runs')
  s.task.queue.end()
  await until(() => s.run.state === 'failed', 'it fails')
  assert.equal((s.failure as { code?: string }).code, 'END_OF_INPUT_UNEXPECTED')
  assert.equal(s.failureKind, 'fatal')
  assert.equal(s.run.connection.connected, false, 'a task that has ended is not connected')
})

test('a finite task stops at the end of its input', async () => {
  const s = scriptedRun({}, { finite: true })
  s.task.send('a')
  const ended = s.run.run()
  await until(() => s.producer.kept.length === 1, 'its record arrives')
  s.task.queue.end()
  await ended
  assert.equal(s.run.state, 'stopped')
})

test('the run polls again with backoff after an outage in poll, on the same connection and without a loss', async () => {
  const s = scriptedRun()
  const failing = [1, 2, 3]
  const poll = s.task.poll.bind(s.task)
  s.task.poll = async (signal) => {
    if (failing.pop() !== undefined) throw new RetriableError('X', 'the service is throttling')
    return poll(signal)
  }
  void s.run.run()
  s.task.send('a')
  await until(() => s.producer.kept.length === 1, 'the record arrives')
  assert.deepEqual([s.task.connects, s.run.state, s.run.connection.lastError], [1, 'running', null])
  await s.run.stop()
})

test('an outage in poll fails the task at the limit of tries, and never holds up a stop', async () => {
  const limited = scriptedRun({}, { maxAttempts: 3 })
  const outage = new RetriableError('X', 'the service is away')
  limited.task.poll = () => Promise.reject(outage)
  await limited.run.run()
  assert.equal((limited.failure as { code?: string }).code, 'RECONNECT_EXHAUSTED')
  const patient = scriptedRun({}, { intervalMs: 60_000 })
  patient.task.poll = () => Promise.reject(outage)
  void patient.run.run()
  await until(() => patient.run.connection.lastError === outage, 'it waits')
  await patient.run.stop()
  assert.equal(patient.run.state, 'stopped')
})

test('the run does not retry poll after an outage in commit, which fails the task', async () => {
  const s = scriptedRun()
  s.task.commit = () => Promise.reject(new RetriableError('X', 'the store of the source is away'))
  void s.run.run()
  s.task.send('a')
  await until(() => s.run.state === 'failed', 'it fails')
  assert.equal(s.failureKind, 'retriable')
})
