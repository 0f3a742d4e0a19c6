import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { SourcePlugin } from '@tributary/connect-api'
import { FormerTasks } from './former-tasks.ts'
import { Herder } from './herder.ts'
import { systemClock } from './system-clock.ts'
import type { UnitEnvironment } from './task-unit.ts'
import { FakeConfigStore } from '../testing/fake-config-store.ts'
import { FakeOffsets } from '../testing/fake-offsets.ts'
import { FakeStatusStore } from '../testing/fake-status-store.ts'
import { silentLog, until } from '../testing/run-scripted.ts'
import { ScriptedTask } from '../testing/scripted-task.ts'

/** A plugin without tasks that counts how often it was asked for them. */
interface Counted extends SourcePlugin {
  asked: number
}
function countedPlugin(name: string): Counted {
  const plugin: Counted = {
    asked: 0,
    class: `test.${name}`,
    aliases: [],
    version: '1',
    taskClass: `test.${name}Task`,
    connector: {
      spec: { keys: {} },
      taskConfigs: () => {
        plugin.asked++
        return []
      },
    },
    createTask: () => new ScriptedTask(),
  }
  return plugin
}

interface Scene {
  readonly config: FakeConfigStore
  readonly status: FakeStatusStore
  readonly herder: Herder
  readonly plugins: readonly [Counted, Counted]
  rejoins: number
}

function scene(t: TestContext): Scene {
  const config = new FakeConfigStore()
  const status = new FakeStatusStore()
  const plugins = [countedPlugin('One'), countedPlugin('Two')] as const
  const group = {
    generation: 1,
    leaseValid: () => true,
    waitForLease: () => Promise.resolve(),
    rejoin: () => void made.rejoins++,
  }
  const admin = {
    fenceProducers: () => Promise.resolve(),
    describeGroup: () => Promise.resolve({ members: [] }),
    createTopic: () => Promise.resolve(),
  }
  const shared = { clock: systemClock, log: silentLog }
  const environment: UnitEnvironment = {
    ...shared,
    connection: { brokers: [], clientId: 'test' },
    producerDriver: 'platformatic',
    groupId: 'g',
    offsets: new FakeOffsets(),
    admin,
    exactlyOnceSource: true,
    dataDir: '/nonexistent',
    defaults: {},
    environment: {},
    restart: { max: 0, backoffMs: 1, backoffMaxMs: 1, healthyMs: 1 },
  }
  const former = new FormerTasks({ ...shared, admin, groupId: 'g', waitMs: 1, rejoin: () => {} })
  const herder = new Herder({ plugins, config, status, environment, former, workerId: 'w:1', group: () => group, log: silentLog }) // prettier-ignore
  herder.start()
  t.after(() => herder.stop())
  const made: Scene = { config, status, herder, plugins, rejoins: 0 }
  return made
}

const put = (s: Scene, name: string, className: string, more = {}): Promise<void> =>
  s.config.putConnectorConfig(name, { name, 'connector.class': className, ...more })

test('a connector that comes or goes brings about a round, a changed one does not', async (t) => {
  const s = scene(t)
  await put(s, 'a', 'test.One')
  await until(() => s.rejoins === 1, 'the group meets')
  await put(s, 'a', 'test.One', { other: 'x' })
  await put(s, 'elsewhere', 'test.OfAnotherService')
  await new Promise((resolve) => setTimeout(resolve, 60))
  assert.equal(s.rejoins, 1)
  await s.config.removeConnector('a')
  await until(() => s.rejoins === 2, 'the group meets again')
})

test('a connector that becomes another plugin’s is given up, and taken again as that one’s', async (t) => {
  const s = scene(t)
  await put(s, 'a', 'test.One')
  s.herder.apply({ run: ['c/a'], cfg: '0', followup: false })
  await until(() => s.status.connector('a')?.state === 'RUNNING', 'it runs')
  const asked = s.plugins[0].asked
  await put(s, 'a', 'test.Two')
  await until(() => s.herder.metadata().own.length === 0, 'it is given up')
  assert.equal(s.plugins[0].asked, asked, 'the former plugin never sees the other one’s configuration')
  s.herder.apply({ run: ['c/a'], cfg: '0', followup: false })
  await until(() => s.plugins[1].asked > 0, 'the new plugin has it')
})

test('a connector of another service’s plugin is given up without a word', async (t) => {
  const s = scene(t)
  await put(s, 'a', 'test.One')
  await until(() => s.rejoins === 1, 'the group meets')
  s.herder.apply({ run: ['c/a'], cfg: '0', followup: false })
  await until(() => s.status.connector('a')?.state === 'RUNNING', 'it runs')
  await put(s, 'a', 'test.OfAnotherService')
  await until(() => s.herder.metadata().own.length === 0, 'it is given up')
  assert.deepEqual(s.status.written, ['RUNNING'])
  await until(() => s.rejoins > 1, 'the group meets again')
})

test('what could not be taken because the config topic could not be read is asked for again', async (t) => {
  const s = scene(t)
  await put(s, 'a', 'test.One')
  await until(() => s.rejoins === 1, 'the group meets')
  s.config.outage = new Error('no broker')
  s.herder.apply({ run: ['c/a'], cfg: '1000', followup: false })
  await until(() => s.rejoins === 2, 'another round is asked for')
  s.config.outage = null
  s.herder.apply({ run: ['c/a'], cfg: '1000', followup: false })
  await until(() => s.status.connector('a')?.state === 'RUNNING', 'it runs')
})
