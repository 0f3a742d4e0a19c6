import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { SourcePlugin } from '@tributary/connect-api'
import { type HerderScene, herderScene } from '../testing/herder-scene.ts'
import { until } from '../testing/run-scripted.ts'
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

interface Scene extends HerderScene {
  readonly plugins: readonly [Counted, Counted]
}

function scene(t: TestContext): Scene {
  const plugins = [countedPlugin('One'), countedPlugin('Two')] as const
  return Object.assign(herderScene(t, plugins), { plugins })
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
