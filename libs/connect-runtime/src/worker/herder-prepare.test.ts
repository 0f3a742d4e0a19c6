import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { NotConnectedError, type SourcePlugin } from '@tributary/connect-api'
import { type HerderScene, herderScene } from '../testing/herder-scene.ts'
import { until } from '../testing/run-scripted.ts'
import { ScriptedTask } from '../testing/scripted-task.ts'

const MOVING = 't/0/c'
const OTHER_OWNER = { state: 'RUNNING', workerId: 'w:2', generation: 1 } as const

interface Scene extends HerderScene {
  /** Every run of the task here, in order. */
  readonly tasks: ScriptedTask[]
  /** Whether the source takes connections. */
  up: boolean
  /** A round of the group in which this worker is told to run and to prepare these. */
  assign(run: readonly string[], prepare?: readonly string[]): void
  told(): { preparing: readonly string[]; ready: readonly string[]; own: readonly string[] }
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
    told: () => {
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

test('a task that is to come is connected beside its owner, and the group hears when it is', async (t) => {
  const s = await scene(t)
  s.up = false
  s.assign([], [MOVING])
  await until(() => s.tasks.length === 1 && s.tasks[0]!.context !== null, 'it is started')
  assert.deepEqual(s.told(), { preparing: [MOVING], ready: [], own: [] })
  assert.deepEqual(s.herder.tasks(), [], 'it is not among the tasks of this worker')
  s.up = true
  const rejoins = s.rejoins
  await until(() => s.told().ready.length === 1, 'it is ready')
  await until(() => s.rejoins > rejoins, 'the group meets')
  assert.deepEqual(s.told(), { preparing: [], ready: [MOVING], own: [] })
  assert.deepEqual(s.status.task('c', 0), OTHER_OWNER, 'its owner runs it')
})

test('one that cannot connect in time is handed over all the same', async (t) => {
  const s = await scene(t)
  s.up = false
  s.assign([], [MOVING])
  await until(() => s.told().ready.length === 1, 'it tried for long enough')
})

test('once given it goes on, the same run', async (t) => {
  const s = await scene(t)
  s.assign([], [MOVING])
  await until(() => s.told().ready.length === 1, 'it is ready')
  s.assign([MOVING])
  await until(() => s.told().own.length === 1, 'it is this worker’s')
  assert.deepEqual(s.told(), { preparing: [], ready: [], own: [MOVING] })
  assert.equal(s.herder.tasks().length, 1)
  assert.equal(s.tasks.length, 1)
  assert.equal(s.tasks[0]!.stopped, 0)
})

test('given before it is ready, as its owner has died, it goes on too', async (t) => {
  const s = await scene(t)
  s.up = false
  s.assign([], [MOVING])
  await until(() => s.tasks.length === 1, 'it is started')
  s.assign([MOVING])
  await until(() => s.told().own.length === 1, 'it is this worker’s')
  s.up = true
  await until(() => s.tasks[0]!.connects > 0, 'it connects')
  assert.equal(s.tasks.length, 1)
})

test('one that is not to come after all is stopped without a word, and can be prepared again', async (t) => {
  const s = await scene(t)
  s.assign([], [MOVING])
  await until(() => s.told().ready.length === 1, 'it is ready')
  s.tasks[0]!.send('queued')
  s.assign([])
  assert.deepEqual(s.told(), { preparing: [], ready: [], own: [] })
  s.assign([], [MOVING])
  await until(() => s.told().ready.length === 1, 'another one is ready')
  assert.equal(s.tasks.length, 2)
  assert.equal(s.tasks[0]!.stopped, 1, 'the first was over before')
  assert.equal(s.tasks[0]!.polls, 0, 'what it had queued is its owner’s to deliver')
  assert.deepEqual(s.status.task('c', 0), OTHER_OWNER)
})

test('a changed configuration is prepared anew', async (t) => {
  const s = await scene(t)
  s.assign([], [MOVING])
  await until(() => s.told().ready.length === 1, 'it is ready')
  await s.config.putTaskConfigs('c', [{ ...s.config.snapshot.tasks('c')[0]!, other: 'x' }], 1)
  assert.deepEqual(s.told().ready, [], 'its owner is to wait for the new one')
  await until(() => s.told().ready.length === 1, 'it is ready again')
  assert.equal(s.tasks.length, 2)
  assert.equal(s.tasks[1]!.context?.config['other'], 'x')
})

test('what cannot run twice is never started beside its owner, and need not be waited for', async (t) => {
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
    await until(() => s.told().ready.length === 1, 'it is ready at once')
    assert.equal(s.tasks.length, 0)
  }
  const paused = await scene(t)
  paused.assign([], [MOVING])
  await until(() => paused.told().ready.length === 1, 'it is ready')
  await paused.config.putTargetState('c', 'PAUSED')
  await until(
    () => paused.tasks[0]!.stopped === 1 && paused.told().ready.length === 1,
    'nothing runs of what is paused',
  )
  assert.equal(paused.tasks.length, 1)
})
