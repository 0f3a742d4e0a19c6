import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Gate, systemClock } from '@tributary/async'
import { type Props, RetriableError, type SourcePlugin } from '@tributary/connect-api'
import { ConnectorUnit } from './connector-unit.ts'
import { ZombieFencing, type ZombieFencingAdmin } from './zombie-fencing.ts'
import { FakeConfigStore } from '../testing/fake-config-store.ts'
import { FakeStatusStore } from '../testing/fake-status-store.ts'
import { silentLog } from '@tributary/telemetry/testing'
import { until } from '../testing/run-scripted.ts'
import { ScriptedTask } from '../testing/scripted-task.ts'

/** A connector with `tasks.max` tasks. Each task's config holds its number. */
const plugin: SourcePlugin = {
  class: 'test.Many',
  aliases: [],
  version: '1',
  taskClass: 'test.ManyTask',
  connector: {
    spec: { keys: {} },
    taskConfigs: (config, max) => Array.from({ length: max }, (_, task) => ({ ...config, task: String(task) })),
    exactlyOnce: () => true,
  },
  createTask: () => new ScriptedTask(),
}

const OUTAGE = new RetriableError('KAFKA_UNREACHABLE', 'no broker')

interface Scene {
  readonly config: FakeConfigStore
  readonly status: FakeStatusStore
  /** Units that the group's only member reports as its own. */
  own: string[]
  /** The transactional ids of each call of `fenceProducers`. */
  readonly fenced: string[][]
  readonly lease: Gate
  unit(epoch?: number): ConnectorUnit
  put(props: Props): Promise<void>
}

function scene(waitMs = 5000): Scene {
  const config = new FakeConfigStore()
  const status = new FakeStatusStore()
  const fenced: string[][] = []
  const lease = new Gate(true)
  const admin: ZombieFencingAdmin = {
    fenceProducers: (ids) => {
      fenced.push([...ids])
      return Promise.resolve()
    },
    describeGroup: () => {
      const own = made.own.map((unit) => [unit, 1, 0])
      return Promise.resolve({ members: [{ metadata: { worker: 'w:1', cfg: '1000', own } }] })
    },
  }
  const fencing = new ZombieFencing({
    admin,
    groupId: 'g',
    waitMs,
    rejoin: () => {},
    clock: systemClock,
    log: silentLog,
  })
  const group = {
    generation: 1,
    leaseValid: () => lease.isOpen,
    waitForLease: (signal: AbortSignal) => lease.passed(signal),
    rejoin: () => {},
  }
  const made: Scene = {
    config,
    status,
    own: [],
    fenced,
    lease,
    unit: (epoch = 1) =>
      new ConnectorUnit({
        providers: {},
        connector: 'c',
        plugin,
        epoch,
        config,
        status,
        fencing,
        group,
        workerId: 'w:1',
        log: silentLog,
      }),
    put: (props) => config.putConnectorConfig('c', { name: 'c', 'connector.class': 'test.Many', ...props }),
  }
  return made
}

const ONCE = { 'exactly.once.support': 'required' }

test('a connector has at most 1000 tasks, and fails when their configurations are too large together', async () => {
  const s = scene()
  await s.put({ 'tasks.max': '2147483647' })
  const unit = s.unit(7)
  await unit.reconcile()
  assert.deepEqual(s.config.taskWrites, ['1000@7'])
  await s.put({ 'tasks.max': '1000', large: 'x'.repeat(100_000) })
  await unit.reconcile()
  assert.deepEqual(s.config.taskWrites, ['1000@7'])
  assert.match(
    s.status.connector('c')?.trace ?? '',
    /TASK_CONFIGS_TOO_LARGE\]: The configurations of 1000 tasks are above/,
  )
})

test('exactly once: zombie tasks are removed and fenced before new tasks are written', async () => {
  const s = scene()
  await s.put({ ...ONCE, 'tasks.max': '3' })
  const unit = s.unit(7)
  await unit.reconcile()
  assert.deepEqual([s.config.taskWrites, s.fenced], [['3@7'], []], 'the first set has no tasks before it to fence')
  await s.put({ ...ONCE, 'tasks.max': '2' })
  await unit.reconcile()
  assert.deepEqual(s.config.taskWrites, ['3@7', '0@7', '2@7'])
  assert.deepEqual(s.fenced, [['g-c-0', 'g-c-1', 'g-c-2']])
  await s.put({ ...ONCE, 'tasks.max': '2', other: 'x' })
  await unit.reconcile()
  assert.equal(s.fenced.length, 2, 'a changed configuration may move work between tasks as well')
  await unit.reconcile()
  assert.equal(s.fenced.length, 2, 'an unchanged configuration fences nothing')
})

test('one task before and after, or at least once: the new set is written without fencing', async () => {
  for (const props of [{ ...ONCE, 'tasks.max': '1' }, { 'tasks.max': '3' }]) {
    const s = scene()
    const unit = s.unit()
    for (const other of ['a', 'b']) {
      await s.put({ ...props, other })
      await unit.reconcile()
    }
    assert.deepEqual([s.config.taskWrites.length, s.fenced], [2, []])
  }
})

test('fencing waits until no worker has a zombie task, for at most waitMs', async () => {
  const s = scene(300)
  await s.put({ ...ONCE, 'tasks.max': '2' })
  const unit = s.unit()
  await unit.reconcile()
  s.own = ['c/c', 't/1/c', 't/0/another']
  await s.put({ ...ONCE, 'tasks.max': '1' })
  const reconciled = unit.reconcile()
  await until(() => s.config.taskWrites.length === 2, 'the tasks are removed')
  assert.deepEqual(s.fenced, [])
  s.own = ['c/c', 't/0/another']
  await reconciled
  assert.equal(s.config.taskWrites.at(-1), '1@1')
  s.own = ['t/0/c']
  await s.put({ ...ONCE, 'tasks.max': '2' })
  await unit.reconcile()
  assert.deepEqual([s.config.taskWrites.at(-1), s.fenced.length], ['2@1', 2], 'a task that has not stopped is fenced')
})

test('an owner that dies after it removed the tasks: the next owner fences them and writes the new set', async () => {
  const s = scene()
  await s.put({ ...ONCE, 'tasks.max': '3' })
  const unit = s.unit()
  await unit.reconcile()
  s.own = ['t/2/c']
  await s.put({ ...ONCE, 'tasks.max': '2' })
  const dying = unit.reconcile()
  await until(() => s.config.taskWrites.length === 2, 'the tasks are removed')
  await unit.release('SILENT')
  await dying
  assert.deepEqual([s.config.taskWrites, s.fenced], [['3@1', '0@1'], []])
  s.own = []
  await s.unit(2).reconcile()
  assert.deepEqual(s.config.taskWrites.at(-1), '2@2')
  assert.deepEqual(s.fenced, [['g-c-0', 'g-c-1', 'g-c-2']])
})

test('a stop, a deletion or a new configuration ends the wait for zombie tasks', async () => {
  for (const change of ['stop', 'delete', 'reconfigure'] as const) {
    const s = scene(60_000)
    await s.put({ ...ONCE, 'tasks.max': '3' })
    const unit = s.unit()
    await unit.reconcile()
    s.own = ['t/2/c']
    await s.put({ ...ONCE, 'tasks.max': '2' })
    const waiting = unit.reconcile()
    await until(() => s.config.taskWrites.length === 2, 'the tasks are removed')
    if (change === 'stop') await s.config.putTargetState('c', 'STOPPED')
    if (change === 'delete') await s.config.removeConnector('c')
    if (change === 'reconfigure') await s.put({ ...ONCE, 'tasks.max': '4' })
    await waiting
    assert.equal(s.config.taskWrites.length, 2, `${change}: nothing outdated is written`)
    s.own = []
    await unit.reconcile()
    assert.equal(s.config.snapshot.tasks('c').length, change === 'reconfigure' ? 4 : 0)
    assert.equal(s.status.connector('c')?.state, change === 'stop' ? 'STOPPED' : 'RUNNING')
  }
})

test('without a lease an owner writes nothing: another worker may own the connector by then', async () => {
  const s = scene()
  await s.put({ 'tasks.max': '1' })
  s.lease.close()
  const unit = s.unit()
  const waiting = unit.reconcile()
  await new Promise((resolve) => setTimeout(resolve, 30))
  assert.deepEqual([s.config.taskWrites, s.status.written], [[], []])
  s.lease.open()
  await waiting
  assert.deepEqual([s.config.taskWrites, s.status.written], [['1@1'], ['RUNNING']])
  s.lease.close()
  await s.put({ 'tasks.max': '2' })
  const lost = unit.reconcile()
  await unit.release('SILENT')
  await lost
  assert.deepEqual(s.config.taskWrites, ['1@1'])
})

test('an outage fails the connector, which runs again by itself once the outage is over', async () => {
  const s = scene()
  await s.put({ 'tasks.max': '1' })
  s.config.outage = OUTAGE
  const unit = s.unit()
  await unit.reconcile()
  assert.equal(s.status.connector('c')?.state, 'FAILED')
  s.config.outage = null
  await until(() => s.status.connector('c')?.state === 'RUNNING', 'the connector runs')
  assert.deepEqual([s.config.taskWrites, unit.failure], [['1@1'], null])
  await unit.release('SILENT')
})

test('a flood of requests to restart is a restart or two', async () => {
  const s = scene()
  await s.put({ 'tasks.max': '1' })
  const unit = s.unit()
  s.lease.close()
  const reconciled = [unit.reconcile()]
  await Promise.resolve()
  for (let i = 0; i < 10_000; i++) reconciled.push(unit.changed())
  assert.equal(new Set(reconciled).size, 2)
  s.lease.open()
  await Promise.all(reconciled)
  assert.deepEqual(s.config.taskWrites, ['1@1'])
})
