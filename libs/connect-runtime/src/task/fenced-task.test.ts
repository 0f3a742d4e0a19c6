import assert from 'node:assert/strict'
import { test } from 'node:test'
import { producerErrors } from '@tributary/kafka-producer'
import { type ScriptedRun, scriptedRun, until } from '../testing/run-scripted.ts'

/** A run with exactly once that loses its lease and is then fenced, as when its process stood still for longer than the session. */
async function fencedWithoutLease(): Promise<ScriptedRun> {
  const s = scriptedRun({ 'exactly.once.support': 'required' }, { resumable: true })
  void s.run.run()
  await until(() => s.run.state === 'running', 'it runs')
  const fenced = Promise.withResolvers<void>()
  s.producer.send = async (_records, signal) => {
    s.lease.close()
    await s.producer.up.passed(signal)
    fenced.resolve()
    throw producerErrors.PRODUCER_FENCED('fenced')
  }
  s.task.send('a')
  await fenced.promise
  await new Promise((resolve) => setTimeout(resolve, 20))
  return s
}

test('fenced by the new owner: the task stops without a failure once the group has named the owner', async () => {
  const s = await fencedWithoutLease()
  assert.deepEqual(s.states, ['running'])
  await s.run.lose()
  assert.deepEqual(s.states, ['running', 'stopped'])
})

test('fenced although this worker has the task: the task fails once the group has confirmed the owner', async () => {
  const s = await fencedWithoutLease()
  s.lease.open()
  await until(() => s.run.state === 'failed', 'it failed')
  assert.equal((s.failure as { code?: string }).code, 'PRODUCER_FENCED')
})

test('fenced and stopped before the group has named the owner: the task stops', async () => {
  const s = await fencedWithoutLease()
  await s.run.stop()
  assert.deepEqual(s.states, ['running', 'stopped'])
})
