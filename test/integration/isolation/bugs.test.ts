import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { sharedKafka } from '@tributary/harness'
import { misbehavingSource, type Misbehaviour } from '../../fixtures/isolation/misbehaving-source.ts'
import { type Connector, IsolationRig, type Worker } from './rig.ts'
import { until } from '../../support/until.ts'

const SECRET = 'hunter2-of-the-environment'
/** Here the caller catches the plugin's error. */
const CAUGHT = ['create', 'start', 'connect', 'poll', 'commit-record', 'commit'] as const satisfies Misbehaviour[]
/** Here no caller exists. Only the async context says which task the error belongs to. */
const UNCAUGHT = ['rejection', 'rejection-after-sleep', 'timer', 'microtask', 'stream-data', 'error-event'] as const satisfies Misbehaviour[] // prettier-ignore

interface Started {
  readonly rig: IsolationRig
  readonly worker: Worker
  /** A connector in the same process as the connectors of a test. */
  readonly healthy: Connector
}

async function start(t: TestContext): Promise<Started> {
  const { brokers } = await sharedKafka()
  const rig = await IsolationRig.create(t, brokers, {
    ISOLATION_SECRET: SECRET,
    TRIBUTARY_CONFIG_PROVIDERS: 'env',
    TRIBUTARY_CONFIG_PROVIDERS_ENV_PARAM_ALLOWLIST_PATTERN: 'ISOLATION_.*',
    TRIBUTARY_TASK_SHUTDOWN_GRACEFUL_TIMEOUT_MS: '500',
  })
  const worker = await rig.start()
  const healthy = await rig.connector('healthy')
  await rig.goesOn(healthy)
  return { rig, worker, healthy }
}

test('an error anywhere in one task fails that task with its trace; the process and other tasks continue', async (t) => {
  const { rig, worker, healthy } = await start(t)
  const bad = (how: Misbehaviour) =>
    rig.connector(`bad-${how}`, { misbehaves: how, password: '${env:ISOLATION_SECRET}' })
  const connectors = await Promise.all([...CAUGHT, ...UNCAUGHT].map(bad))
  for (const connector of connectors) {
    const { trace = '' } = await rig.reaches(connector, (status) => status.state === 'FAILED')
    assert.match(trace, /the bug of this plugin, \[hidden\]/, connector.name)
    assert.match(trace, /^ {4}at .*misbehaving-source\.ts/m, connector.name)
    const uncaught = UNCAUGHT.some((how) => connector.name === `bad-${how}`)
    const named = `FatalError [UNHANDLED_ERROR]: code of task 0 of connector ${connector.name} threw where nobody catches`
    assert.equal(trace.startsWith(named), uncaught, trace)
  }
  await rig.goesOn(healthy)
  assert.equal(worker.child.exit, undefined)

  // The text of the task's error contains no value of the environment.
  for (const { name } of connectors) {
    const health = await (await fetch(`http://${worker.address()}/internal/connectors/${name}/health`)).text()
    assert.match(health, /The task failed: .*\[hidden\]/)
    assert.ok(!health.includes(SECRET), health)
  }
  assert.ok(!worker.log().includes(SECRET))
})

test('an error of taskConfigs fails the connector, with its secrets hidden; the process and other tasks continue', async (t) => {
  const { rig, worker, healthy } = await start(t)
  const bad = await rig.connector('bad', { misbehaves: 'task-configs', password: SECRET })
  const { trace = '' } = await until('the connector is FAILED', () => {
    const status = rig.connectorStatus(bad)
    return status?.state === 'FAILED' && status
  })
  assert.match(trace, /^Error: the bug of this plugin, \[hidden\]\n {4}at .*misbehaving-source\.ts/)
  await rig.goesOn(healthy)
  assert.equal(worker.child.exit, undefined)
  assert.ok(!worker.log().includes(SECRET))
})

test('a validation that leaves an unhandled rejection is answered, and the process continues', async (t) => {
  const { rig, worker, healthy } = await start(t)
  const response = await fetch(`http://${worker.address()}/internal/plugins/${misbehavingSource.class}/validate`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      name: 'x',
      'connector.class': misbehavingSource.class,
      topic: 't',
      misbehaves: 'validate',
    }),
  })
  assert.deepEqual(await response.json(), { errors: [] })
  await until('the rejection is logged', () => worker.log().includes('event=unhandled_rejection'))
  await rig.goesOn(healthy)
  assert.equal(worker.child.exit, undefined)
})

test('a task whose drain or stop throws, or whose poll never ends, can be stopped and started again', async (t) => {
  const { rig, worker, healthy } = await start(t)
  const bad = await Promise.all(
    (['drain', 'stop', 'deaf'] as const).map((how) => rig.connector(`bad-${how}`, { misbehaves: how })),
  )
  for (const connector of bad) await rig.reaches(connector, (status) => status.state === 'RUNNING')
  for (const connector of bad) await rig.setState(connector, 'STOPPED')
  for (const connector of bad) await until(`${connector.name} is gone`, () => rig.status(connector) === null)
  for (const connector of bad) await rig.setState(connector, 'STARTED')
  for (const connector of bad) await rig.reaches(connector, (status) => status.state === 'RUNNING')
  await rig.goesOn(healthy)
  assert.equal(worker.child.exit, undefined)
})
