import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { SourcePlugin } from '@tributary/connect-api'
import { type HerderScene, herderScene } from '../testing/herder-scene.ts'
import { until } from '../testing/run-scripted.ts'
import { ScriptedTask } from '../testing/scripted-task.ts'

/** A plugin without tasks. `asked` counts the calls of its `taskConfigs`. */
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

interface Scene extends HerderScene {
  readonly plugins: readonly [Counted, Counted]
}

function scene(t: TestContext): Scene {
  const plugins = [countedPlugin('One'), countedPlugin('Two')] as const
  return Object.assign(herderScene(t, plugins), { plugins })
}

const put = (s: Scene, name: string, className: string, more = {}): Promise<void> =>
  s.config.putConnectorConfig(name, { name, 'connector.class': className, ...more })

test('a new or removed connector causes a round of the group, a changed one does not', async (t) => {
  const s = scene(t)
  await put(s, 'a', 'test.One')
  await until(() => s.rejoins === 1, 'the herder asks for a round')
  await put(s, 'a', 'test.One', { other: 'x' })
  await put(s, 'b', 'test.OfAnotherService')
  await new Promise((resolve) => setTimeout(resolve, 60))
  assert.equal(s.rejoins, 1)
  await s.config.removeConnector('a')
  await until(() => s.rejoins === 2, 'the herder asks for a round again')
})

test('a connector whose plugin changes is released, and taken again with the new plugin', async (t) => {
  const s = scene(t)
  await put(s, 'a', 'test.One')
  s.herder.apply({ run: ['c/a'], cfg: '0', followup: false })
  await until(() => s.status.connector('a')?.state === 'RUNNING', 'the connector runs')
  const asked = s.plugins[0].asked
  await put(s, 'a', 'test.Two')
  await until(() => s.herder.metadata().own.length === 0, 'the connector is released')
  assert.equal(s.plugins[0].asked, asked, 'the previous plugin never sees the configuration of the new one')
  s.herder.apply({ run: ['c/a'], cfg: '0', followup: false })
  await until(() => s.plugins[1].asked > 0, 'the new plugin runs the connector')
})

test('a connector that moves to a plugin of another service is released without a status', async (t) => {
  const s = scene(t)
  await put(s, 'a', 'test.One')
  await until(() => s.rejoins === 1, 'the herder asks for a round')
  s.herder.apply({ run: ['c/a'], cfg: '0', followup: false })
  await until(() => s.status.connector('a')?.state === 'RUNNING', 'the connector runs')
  await put(s, 'a', 'test.OfAnotherService')
  await until(() => s.herder.metadata().own.length === 0, 'the connector is released')
  assert.deepEqual(s.status.written, ['RUNNING'])
  await until(() => s.rejoins > 1, 'the herder asks for a round again')
})

test('a fenced worker ends its units without a status, and takes no more', async (t) => {
  const s = scene(t)
  await put(s, 'a', 'test.One')
  s.herder.apply({ run: ['c/a'], cfg: '0', followup: false })
  await until(() => s.status.connector('a')?.state === 'RUNNING', 'the connector runs')
  await s.herder.stop('lose')
  assert.deepEqual(s.herder.metadata().own, [])
  assert.deepEqual(s.status.written, ['RUNNING'], 'the other process writes the status now')
  s.herder.apply({ run: ['c/a'], cfg: '0', followup: false })
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.deepEqual(s.herder.metadata().own, [])
})

test('the herder asks for a round again after it could not read the config topic', async (t) => {
  const s = scene(t)
  await put(s, 'a', 'test.One')
  await until(() => s.rejoins === 1, 'the herder asks for a round')
  s.config.outage = new Error('no broker')
  s.herder.apply({ run: ['c/a'], cfg: '1000', followup: false })
  await until(() => s.rejoins === 2, 'the herder asks for another round')
  s.config.outage = null
  s.herder.apply({ run: ['c/a'], cfg: '1000', followup: false })
  await until(() => s.status.connector('a')?.state === 'RUNNING', 'the connector runs')
})

test('a unit that was not taken before the next round began is not taken any more: the round may give it to another member', async (t) => {
  const s = scene(t)
  await put(s, 'a', 'test.One')
  const read = Promise.withResolvers<void>()
  s.config.refresh = () => read.promise
  s.herder.apply({ run: ['c/a'], cfg: '9', followup: false })
  assert.deepEqual(s.herder.joinRound().own, [])
  read.resolve()
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(s.herder.metadata().own, [])
  s.config.refresh = () => Promise.resolve()
  s.herder.apply({ run: ['c/a'], cfg: '9', followup: false })
  await until(() => s.status.connector('a')?.state === 'RUNNING', 'the connector runs')
})

test('a flood of requests to restart a task is one restart', async (t) => {
  const plugin = countedPlugin('One')
  const created: ScriptedTask[] = []
  const createTask = (): ScriptedTask => {
    const task = new ScriptedTask()
    created.push(task)
    return task
  }
  const s = herderScene(t, [{ ...plugin, connector: { ...plugin.connector, taskConfigs: () => [{}] }, createTask }])
  await s.config.putConnectorConfig('a', { name: 'a', 'connector.class': 'test.One' })
  s.herder.apply({ run: ['c/a'], cfg: '0', followup: false })
  await until(() => s.config.snapshot.tasks('a').length === 1, 'the task is written')
  s.herder.apply({ run: ['c/a', 't/0/a'], cfg: '0', followup: false })
  await until(() => created.length === 1, 'the task is created')
  for (let i = 0; i < 1000; i++) {
    await s.config.putRestart({ connector: 'a', includeTasks: true, onlyFailed: false })
  }
  await Promise.all(s.herder.tasks('a').map((task) => task.restart()))
  assert.ok(created.length < 20, `${created.length} runs were created`)
})
