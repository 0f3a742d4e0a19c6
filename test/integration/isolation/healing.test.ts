import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { sharedKafka, startKafka, temporaryFolder } from '@tributary/harness'
import { type Connector, IsolationRig, type Worker } from './rig.ts'
import { until } from '../../support/until.ts'

interface Health {
  readonly state: string
  readonly restarts: number
  readonly reason: string
}

async function health(worker: Worker, { name }: Connector): Promise<Health> {
  const response = await fetch(`http://${worker.address()}/internal/connectors/${name}/health`)
  return ((await response.json()) as { tasks: Health[] }).tasks[0]!
}

test('a task that an outage failed restarts by itself until task.restart.max, and a manual restart resets the count', async (t) => {
  const { brokers } = await sharedKafka()
  const rig = await IsolationRig.create(t, brokers, {
    TRIBUTARY_TASK_RESTART_MAX: '3',
    TRIBUTARY_TASK_RESTART_BACKOFF_MS: '100',
  })
  const worker = await rig.start()
  const outage = join(temporaryFolder('isolation'), 'outage')
  writeFileSync(outage, '')
  const bad = await rig.connector('bad', { misbehaves: 'outage', 'when.file': outage })
  const exhausted =
    /^RetriableError \[SOURCE_AWAY\]: the bug of this plugin.*\nNot restarted again: all 3 restarts of its budget/
  await rig.reaches(bad, (status) => exhausted.test(status.trace ?? ''))
  assert.equal((await health(worker, bad)).restarts, 3)
  const metrics = await (await fetch(`http://${worker.address()}/metrics`)).text()
  assert.match(metrics, /^tributary_task_restarts\{connector="bad",task="0",kind="misbehaving"\} 3$/m)

  await rig.restart(bad)
  await until('it has used up another budget', async () => (await health(worker, bad)).restarts === 6)
  await rig.reaches(bad, (status) => exhausted.test(status.trace ?? ''))
  rmSync(outage)
  await rig.configure(bad, { misbehaves: 'outage', 'when.file': outage, 'poll.timeout.ms': '1' })
  await rig.reaches(bad, (status) => status.state === 'RUNNING')
  await rig.goesOn(bad)
})

test('a task continues by itself when an outage ends', async (t) => {
  const { brokers } = await sharedKafka()
  const rig = await IsolationRig.create(t, brokers, {
    TRIBUTARY_TASK_RESTART_BACKOFF_MS: '100',
    TRIBUTARY_TASK_RESTART_BACKOFF_MAX_MS: '200',
  })
  await rig.start()
  const outage = join(temporaryFolder('isolation'), 'outage')
  writeFileSync(outage, '')
  const bad = await rig.connector('bad', { misbehaves: 'outage', 'when.file': outage })
  await rig.reaches(bad, (status) => /\nRestarts by itself in \d\.\d s \(restart 2 of 100\)/.test(status.trace ?? ''))
  rmSync(outage)
  await rig.reaches(bad, (status) => status.state === 'RUNNING')
  await rig.goesOn(bad)
})

test('a config error stays FAILED, with the reason first', async (t) => {
  const { brokers } = await sharedKafka()
  const rig = await IsolationRig.create(t, brokers, { TRIBUTARY_TASK_RESTART_BACKOFF_MS: '1' })
  const worker = await rig.start()
  const bad = await rig.connector('bad', { misbehaves: 'configuration' })
  const { trace = '' } = await rig.reaches(bad, (status) => status.state === 'FAILED')
  assert.match(trace, /^ConfigError \[SETTING_WRONG\]: the bug of this plugin/)
  const { state, restarts } = await health(worker, bad)
  assert.deepEqual({ state, restarts }, { state: 'failed', restarts: 0 })
})

test('while Kafka is away the health says so, for a running task and for a task that fails meanwhile', async (t) => {
  const broker = await startKafka()
  t.after(() => broker.stop())
  const rig = await IsolationRig.create(t, broker.brokers)
  const worker = await rig.start()
  const bugFile = join(temporaryFolder('isolation'), 'bug')
  const healthy = await rig.connector('healthy')
  const bad = await rig.connector('bad', { misbehaves: 'timer', 'when.file': bugFile })
  for (const connector of [healthy, bad]) await rig.goesOn(connector)

  await broker.kill()
  await until('the running task reports the outage', async () =>
    /^Kafka does not answer, records wait: /.test((await health(worker, healthy)).reason),
  )
  writeFileSync(bugFile, '')
  await until('the failed task reports the outage', async () => {
    const { state, reason } = await health(worker, bad)
    return state === 'failed' && /^The task failed: .*; Kafka does not answer, so its status still/.test(reason)
  })
  assert.equal(rig.status(bad)?.state, 'RUNNING')
  await broker.start()
  await rig.reaches(bad, (status) => status.state === 'FAILED', 60_000)
  await rig.goesOn(healthy)
})
