import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { NotConnectedError, type SourcePlugin } from '@tributary/connect-api'
import { type HerderScene, herderScene } from '../testing/herder-scene.ts'
import { until } from '../testing/run-scripted.ts'
import { ScriptedTask } from '../testing/scripted-task.ts'

const MOVING = 't/0/c'
const OTHER_OWNER = { state: 'RUNNING', workerId: 'w:2', generation: 1 } as const

interface Scene extends HerderScene {
  /** All runs of the task on this worker, in order. */
  readonly tasks: ScriptedTask[]
  /** Whether the source accepts connections. */
  up: boolean
  /** Applies an assignment of the group with these units. */
  assign(run: readonly string[], prepare?: readonly string[]): void
  /** The units in the metadata that this worker sends to the group. */
  reported(): { preparing: readonly string[]; ready: readonly string[]; own: readonly string[] }
}

/** A connector whose task 0 runs on another worker. */
async function scene(t: TestContext, plugin: Partial<SourcePlugin> = {}): Promise<Scene> {
  const tasks: ScriptedTask[] = []
  const refused = new NotConnectedError('DOWN', 'the source is down')
  const moved: SourcePlugin = {
    class: 'test.Moved',
    aliases: [],
    version: '1',
    taskClass: 'test.MovedTask',
    reconnectPolicy: () => ({ enabled: true, intervalMs: 1, backoffMaxMs: 5, maxAttempts: -1, connectTimeoutMs: 0 }),
    handOver: () => ({ maxConnectionAgeMs: 0 }),
    connector: { spec: { keys: {} }, taskConfigs: (config) => [config] },
    createTask: () => {
      const task = new ScriptedTask()
      task.onConnect = () => {
        if (!made.up) throw refused
      }
      tasks.push(task)
      return task
    },
    ...plugin,
  }
  const made: Scene = Object.assign(herderScene(t, [moved]), {
    tasks,
    up: true,
    assign: (run: readonly string[], prepare: readonly string[] = []) => {
      made.herder.apply({ run, prepare, cfg: '0', followup: false })
    },
    reported: () => {
      const { preparing = [], ready = [], own } = made.herder.metadata()
      return { preparing, ready, own: own.map(([unit]) => unit) }
    },
  })
  const config = { name: 'c', 'connector.class': moved.class }
  await made.config.putConnectorConfig('c', config)
  await made.config.putTaskConfigs('c', [{ ...config, 'task.class': moved.taskClass }], 1)
  await made.status.putTask('c', 0, OTHER_OWNER)
  return made
}

test('the next owner connects a task beside its owner, and reports to the group when the task is ready', async (t) => {
  const s = await scene(t)
  s.up = false
  s.assign([], [MOVING])
  await until(() => s.tasks.length === 1 && s.tasks[0]!.context !== null, 'the task is started')
  assert.deepEqual(s.reported(), { preparing: [MOVING], ready: [], own: [] })
  assert.deepEqual(s.herder.tasks(), [], 'a prepared task is not among the tasks of this worker')
  s.up = true
  const rejoins = s.rejoins
  await until(() => s.reported().ready.length === 1, 'the task is ready')
  await until(() => s.rejoins > rejoins, 'the worker asks for a round')
  assert.deepEqual(s.reported(), { preparing: [], ready: [MOVING], own: [] })
  assert.deepEqual(s.status.task('c', 0), OTHER_OWNER, 'the status is still the owner’s')
})

test('a prepared task that cannot connect in time is reported as ready', async (t) => {
  const s = await scene(t)
  s.up = false
  s.assign([], [MOVING])
  await until(() => s.reported().ready.length === 1, 'the time to connect is over')
})

test('a prepared task that the group assigns continues with the same run', async (t) => {
  const s = await scene(t)
  s.assign([], [MOVING])
  await until(() => s.reported().ready.length === 1, 'the task is ready')
  s.assign([MOVING])
  await until(() => s.reported().own.length === 1, 'this worker owns the task')
  assert.deepEqual(s.reported(), { preparing: [], ready: [], own: [MOVING] })
  assert.equal(s.herder.tasks().length, 1)
  assert.equal(s.tasks.length, 1)
  assert.equal(s.tasks[0]!.stopped, 0)
})

test('a prepared task that the group assigns before it is ready, as when its owner dies, continues too', async (t) => {
  const s = await scene(t)
  s.up = false
  s.assign([], [MOVING])
  await until(() => s.tasks.length === 1, 'the task is started')
  s.assign([MOVING])
  await until(() => s.reported().own.length === 1, 'this worker owns the task')
  s.up = true
  await until(() => s.tasks[0]!.connects > 0, 'the task connects')
  assert.equal(s.tasks.length, 1)
})

test('a preparation that is cancelled stops the task without a status, and the task can be prepared again', async (t) => {
  const s = await scene(t)
  s.assign([], [MOVING])
  await until(() => s.reported().ready.length === 1, 'the task is ready')
  s.tasks[0]!.send('queued')
  s.assign([])
  assert.deepEqual(s.reported(), { preparing: [], ready: [], own: [] })
  s.assign([], [MOVING])
  await until(() => s.reported().ready.length === 1, 'the second run is ready')
  assert.equal(s.tasks.length, 2)
  assert.equal(s.tasks[0]!.stopped, 1, 'the first run has stopped')
  assert.equal(s.tasks[0]!.polls, 0, 'the owner delivers the records that the first run had queued')
  assert.deepEqual(s.status.task('c', 0), OTHER_OWNER)
})

test('a prepared task whose configuration changes is prepared again', async (t) => {
  const s = await scene(t)
  s.assign([], [MOVING])
  await until(() => s.reported().ready.length === 1, 'the task is ready')
  await s.config.putTaskConfigs('c', [{ ...s.config.snapshot.tasks('c')[0]!, other: 'x' }], 1)
  assert.deepEqual(s.reported().ready, [], 'the owner must wait for the new run')
  await until(() => s.reported().ready.length === 1, 'the new run is ready')
  assert.equal(s.tasks.length, 2)
  assert.equal(s.tasks[1]!.context?.config['other'], 'x')
})

test('a task that cannot run with overlap is ready at once, and is not started beside its owner', async (t) => {
  const reasons: Partial<SourcePlugin>[] = [
    { handOver: () => null },
    {
      handOver: () => {
        throw new Error('no configuration')
      },
    },
  ]
  for (const plugin of reasons) {
    const s = await scene(t, plugin)
    s.assign([], [MOVING])
    await until(() => s.reported().ready.length === 1, 'the task is ready at once')
    assert.equal(s.tasks.length, 0)
  }
  const paused = await scene(t)
  paused.assign([], [MOVING])
  await until(() => paused.reported().ready.length === 1, 'the task is ready')
  await paused.config.putTargetState('c', 'PAUSED')
  await until(
    () => paused.tasks[0]!.stopped === 1 && paused.reported().ready.length === 1,
    'the pause stops the prepared run',
  )
  assert.equal(paused.tasks.length, 1)
})
