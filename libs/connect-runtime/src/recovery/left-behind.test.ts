import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, mock, test, type TestContext } from 'node:test'
import { systemClock } from '@tributary/async'
import { FatalError, MemoryBudget, type SourcePlugin } from '@tributary/connect-api'
import type { State } from '@tributary/connect-storage'
import { createProducerPool } from '@tributary/kafka-producer'
import type { LogFields, Logger } from '@tributary/telemetry'
import { unitOf } from '../assignment/group.ts'
import { taskFolder } from '../model/task-folder.ts'
import type { TaskId } from '../model/task.ts'
import { FakeConfigStore } from '../testing/fake-config-store.ts'
import { LeftBehind } from './left-behind.ts'
import { leftFolders } from './left-behind-folders.ts'
import type { TaskEnvironment } from '../unit/task-factory.ts'

const CHECK_MS = 1000
const ID = { connector: 'feed', task: 0 }

interface Scene {
  readonly config: FakeConfigStore
  readonly leftBehind: LeftBehind
  /** How many recovery tasks were created. Each creation throws, as this test has no Kafka. */
  made: number
  owner: { readonly state: State; readonly workerId: string } | null
  here: boolean
  readonly logged: LogFields[]
  /** Lets the folders be checked so many times. */
  checks(times: number): Promise<void>
}

async function createScene(t: TestContext): Promise<Scene> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tributary-left-'))
  t.after(() => rm(dataDir, { recursive: true }))
  mock.timers.enable({ apis: ['setInterval'] })
  t.after(() => mock.timers.reset())
  await leave(dataDir, ID)
  const config = new FakeConfigStore()
  await config.putConnectorConfig('feed', { 'connector.class': 'test.Feed' })
  await config.putTaskConfigs('feed', [{ 'task.class': 'test.FeedTask' }], 1)
  const logged: LogFields[] = []
  const scene = { made: 0, owner: null as Scene['owner'], here: false }
  const leftBehind = new LeftBehind({
    plugins: [
      pluginOf(() => {
        scene.made++
        throw new FatalError('TASK_NOT_STARTED', 'this test has no Kafka')
      }),
    ],
    config,
    status: { task: () => (scene.owner === null ? null : { ...scene.owner, generation: 1 }) },
    environment: environmentOf(dataDir),
    workerId: 'here:1',
    isHere: () => scene.here,
    log: logOf((event, fields) => {
      if (event === 'spill_left_behind') logged.push(fields)
    }),
    checkMs: CHECK_MS,
  })
  t.after(() => leftBehind.stop())
  leftBehind.assigned([])
  return Object.assign(scene, {
    config,
    leftBehind,
    logged,
    checks: async (times: number) => {
      for (let i = 0; i < times; i++) {
        mock.timers.tick(CHECK_MS)
        await leftBehind.idle()
      }
    },
  })
}

async function leave(dataDir: string, id: TaskId): Promise<void> {
  const dir = taskFolder(dataDir, id)
  await mkdir(dir, { recursive: true })
  await writeFile(join(dir, 'something'), '12345')
}

describe('the folder that a task left on this host', () => {
  test('is drained once two checks find the task on another worker', async (t) => {
    const scene = await createScene(t)
    scene.owner = { state: 'RUNNING', workerId: 'there:1' }
    await scene.checks(1)
    assert.equal(scene.made, 0)
    await scene.checks(1)
    assert.equal(scene.made, 1)
    assert.deepEqual(
      scene.logged.map(({ action, reason, owner, bytes }) => ({ action, reason, owner, bytes })),
      [{ action: 'drain', reason: 'task_moved', owner: 'there:1', bytes: 5 }],
    )
    assert.deepEqual(
      scene.leftBehind.counts().map(({ bytes, records }) => ({ bytes, records })),
      [{ bytes: 5, records: 0 }],
    )
  })

  test('is left to the task while the task is on this worker', async (t) => {
    const scene = await createScene(t)
    scene.owner = { state: 'RUNNING', workerId: 'there:1' }
    scene.here = true
    await scene.checks(4)
    assert.deepEqual([scene.made, scene.logged.length, scene.leftBehind.counts().length], [0, 0, 0])
  })

  for (const [what, arrange, reason] of [
    ['does not run', () => Promise.resolve(), 'task_not_running'],
    ['ran on this worker before a restart', (s) => setOwner(s, 'RUNNING', 'here:1'), 'task_not_running'],
    ['failed on another worker', (s) => setOwner(s, 'FAILED', 'there:1'), 'task_not_running'],
    [
      'is paused',
      (s) => setOwner(s, 'RUNNING', 'there:1').then(() => s.config.putTargetState('feed', 'PAUSED')),
      'task_not_running',
    ],
    ['belongs to a deleted connector', (s) => s.config.removeConnector('feed'), 'connector_absent'],
    ['no longer exists', (s) => s.config.putTaskConfigs('feed', [], 2), 'task_absent'],
  ] satisfies [string, (scene: Scene) => Promise<unknown>, string][]) {
    test(`is kept, and logged once, when the task ${what}`, async (t) => {
      const scene = await createScene(t)
      await arrange(scene)
      await scene.checks(4)
      assert.equal(scene.made, 0)
      assert.deepEqual(
        scene.logged.map(({ reason, action }) => ({ reason, action })),
        [{ reason, action: 'keep' }],
      )
    })
  }

  test('is drained once the paused connector is resumed', async (t) => {
    const scene = await createScene(t)
    await setOwner(scene, 'RUNNING', 'there:1')
    await scene.config.putTargetState('feed', 'PAUSED')
    await scene.checks(2)
    await scene.config.putTargetState('feed', 'STARTED')
    await scene.checks(2)
    assert.equal(scene.made, 1)
  })

  test("is ignored by a service that does not have the connector's plugin", async (t) => {
    const scene = await createScene(t)
    await scene.config.putConnectorConfig('feed', { 'connector.class': 'other.Source' })
    await scene.checks(4)
    assert.deepEqual([scene.made, scene.logged.length], [0, 0])
  })
})

test('leftFolders finds the folders of tasks whatever characters the name of the connector has', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'tributary-left-'))
  t.after(() => rm(dataDir, { recursive: true }))
  const long = 'é'.repeat(60)
  const ids = ['..', 'a/b', 'ü *%', 'plain', long, `${long}2`].map((connector, task) => ({ connector, task }))
  for (const id of ids) await leave(dataDir, id)
  await mkdir(join(dataDir, 'plain', '9'), { recursive: true })
  await mkdir(join(dataDir, '%zz', '0'), { recursive: true })
  await writeFile(join(dataDir, 'a file'), '')
  const known = ids.map(({ connector }) => connector)
  const found = await leftFolders(dataDir, known)
  const name = ({ connector, task }: TaskId): string => unitOf.task(connector, task)
  assert.deepEqual(found.map(({ id }) => name(id)).sort(), ids.map(name).sort())
  assert.deepEqual(await leftFolders(join(dataDir, 'nowhere'), known), [])
  const unknown = (await leftFolders(dataDir, ['plain'])).map(({ id }) => id.connector)
  assert.equal(unknown.filter((connector) => connector.startsWith('%C3%A9%C3%A9')).length, 2, 'a folder is never lost')
})

function setOwner(scene: Scene, state: State, workerId: string): Promise<void> {
  scene.owner = { state, workerId }
  return Promise.resolve()
}

function pluginOf(createRecoveryTask: () => never): SourcePlugin {
  return {
    class: 'test.Feed',
    aliases: [],
    version: '1',
    taskClass: 'test.FeedTask',
    connector: { spec: { keys: {} }, taskConfigs: () => [] },
    createTask: createRecoveryTask,
    createRecoveryTask,
  }
}

function environmentOf(dataDir: string): TaskEnvironment {
  const CONVERTER = 'io.tributary.connect.converters.PlainConverter'
  return {
    producers: createProducerPool({ brokers: ['127.0.0.1:1'], clientId: 'test' }, 'tributary'),
    groupId: 'test',
    offsets: null as never,
    admin: null as never,
    exactlyOnceSource: false,
    dataDir,
    handOverTimeoutMs: 0,
    defaults: { 'key.converter': CONVERTER, 'value.converter': CONVERTER },
    providers: {},
    memory: new MemoryBudget(Infinity),
    clock: systemClock,
    log: logOf(() => {}),
  }
}

function logOf(write: (event: string, fields: LogFields) => void): Logger {
  const at = (event: string, fields: LogFields = {}): void => write(event, fields)
  const log: Logger = { name: 'test', trace: at, debug: at, info: at, warn: at, error: at, child: () => log }
  return log
}
