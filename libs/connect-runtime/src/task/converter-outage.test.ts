import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Converter, defineErrors, NotReadyError, RetriableError } from '@tributary/connect-api'
import { scriptedRun, until } from '../testing/run-scripted.ts'

const errors = defineErrors({ AWAY: { type: RetriableError, doc: 'The registry is away.' } })

/** Writes text once `here` is true. `tries`: how often it has asked for the registry in vain. */
function registryConverter(): Converter & { here: boolean; tries: number } {
  return {
    here: false,
    tries: 0,
    configure: () => {},
    fromConnectData(_topic, _schema, value) {
      if (this.here) return Buffer.from(String(value))
      throw new NotReadyError('the schema registry', () => {
        if (this.here) return Promise.resolve()
        this.tries++
        return Promise.reject(errors.AWAY('Schema registry not available'))
      })
    },
    toConnectData: () => assert.fail('not used'),
  }
}

const DEAD_LETTERS = { 'errors.tolerance': 'all', 'errors.deadletterqueue.topic.name': 'dead' }

test('records wait for the registry through a pause, and none becomes a dead letter', async () => {
  const valueConverter = registryConverter()
  const { task, run, producer } = scriptedRun(DEAD_LETTERS, { valueConverter })
  void run.run()
  await until(() => run.state === 'running' && task.polls > 0, 'it runs')
  task.send('a', 'b')
  await until(() => run.progress.held?.error != null, 'it waits')
  run.pause()
  assert.equal(run.state, 'paused')
  run.resume()
  assert.equal(run.state, 'running')
  valueConverter.here = true
  await until(() => run.progress.recordsCommitted === 2, 'they are committed')
  assert.equal(run.progress.recordsWritten, 2)
  assert.deepEqual(
    producer.kept.map(({ value }) => String(value)),
    ['a', 'b'],
  )
  await run.stop()
  assert.equal(run.state, 'stopped')
})

test('no transaction is open while records wait for the registry, and all are sent in the next one', async () => {
  const valueConverter = registryConverter()
  valueConverter.here = true
  const connector = { 'exactly.once.support': 'required', 'transaction.boundary': 'connector' }
  const { task, run, producer } = scriptedRun(connector, { valueConverter, resumable: true })
  void run.run()
  await until(() => run.state === 'running', 'it runs')
  task.send('a')
  await until(() => producer.transactions.length === 1, 'its transaction is open')
  valueConverter.here = false
  task.onHandOut = () => task.context!.transaction!.commitTransaction()
  task.send('b')
  await until(() => valueConverter.tries >= 2, 'it waits')
  assert.deepEqual(producer.transactions, ['begin', 'abort'])
  valueConverter.here = true
  await until(() => producer.values().length === 2, 'both are committed')
  await run.stop()
  assert.deepEqual(producer.values(), ['a', 'b'])
  assert.deepEqual(producer.transactions, ['begin', 'abort', 'begin', 'commit'])
})

test('a stop gives up a wait for the registry after the graceful timeout, and a patient one goes on waiting', async () => {
  const graceful = { 'task.shutdown.graceful.timeout.ms': '20' }
  const given = scriptedRun(graceful, { valueConverter: registryConverter() })
  void given.run.run()
  await until(() => given.task.polls > 0, 'it runs')
  given.task.send('a')
  await until(() => given.run.progress.held?.error != null, 'it waits')
  await given.run.stop()
  assert.deepEqual([given.run.state, given.run.progress.abandoned], ['stopped', 1])

  const valueConverter = registryConverter()
  const patient = scriptedRun(graceful, { valueConverter })
  void patient.run.run()
  await until(() => patient.task.polls > 0, 'it runs')
  patient.task.send('a')
  await until(() => patient.run.progress.held?.error != null, 'it waits')
  const stopped = patient.run.stop(true)
  // Its waits between two tries are longer than the graceful timeout.
  await until(() => valueConverter.tries >= 4, 'it goes on trying')
  valueConverter.here = true
  await stopped
  assert.deepEqual([patient.run.progress.recordsCommitted, patient.run.progress.abandoned], [1, 0])
})

test('Kafka Connect counts no filtered record as written, and its offset is committed', async () => {
  const { task, run } = scriptedRun(
    {},
    { transformations: [{ apply: (record) => (record.value === 'b' ? null : record) }] },
  )
  void run.run()
  await until(() => task.polls > 0, 'it runs')
  task.send('a', 'b')
  await until(() => run.progress.recordsCommitted === 2, 'both are committed')
  const { recordsPolled, recordsProduced, recordsWritten, recordsFiltered } = run.progress
  assert.deepEqual([recordsPolled, recordsProduced, recordsWritten, recordsFiltered], [2, 2, 1, 1])
  await run.stop()
})
