import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, type Props, type SourceConnector, type SourcePlugin } from '@tributary/connect-api'
import { FakeConfigStore } from '../testing/fake-config-store.ts'
import { ScriptedTask } from '../testing/scripted-task.ts'
import type { PlannedRun } from '../unit/overlap.ts'
import { planConnector, type PlannedTask } from './plan-connector.ts'

const CONFIG: Props = { name: 'c', 'connector.class': 'test.Scripted', 'tasks.max': '3' }

/** Makes `count` tasks, whose runs may overlap. */
function plugin(more: Partial<SourcePlugin> & Partial<Pick<SourceConnector, 'taskConfigs'>> = {}): SourcePlugin {
  const { taskConfigs = ({ count = '1', of = '' }) => Array.from({ length: Number(count) }, (_, n) => ({ n: `${n}`, of })), ...rest } = more // prettier-ignore
  return {
    ...{ class: 'test.Scripted', aliases: [], version: '1', taskClass: 'test.ScriptedTask' },
    connector: { spec: { keys: {} }, taskConfigs },
    createTask: () => new ScriptedTask(),
    handOver: () => ({ maxConnectionAgeMs: 0 }),
    ...rest,
  }
}

/** A connector of `count` tasks, of which `here` run on this worker and would do what it says. */
async function scene(count: number, here: readonly (readonly [number, PlannedRun])[] = []) {
  const config = new FakeConfigStore()
  await config.putConnectorConfig('c', CONFIG)
  const tasks = plugin().connector.taskConfigs({ count: String(count) }, count)
  const stored = tasks.map((task) => ({ ...task, 'task.class': 'test.ScriptedTask' }))
  if (count > 0) await config.putTaskConfigs('c', stored, 1)
  const writes = config.taskWrites.length
  const plan = async (props: Props, of = plugin()): Promise<readonly PlannedTask[]> => {
    const planning = {
      herder: { planned: () => Promise.resolve(new Map(here)) },
      snapshot: config.snapshot,
      environment: { defaults: {}, providers: {} },
    }
    const answer = await planConnector(of, { connector: 'c', config: { ...CONFIG, ...props } }, planning, AbortSignal.timeout(5000)) // prettier-ignore
    assert.deepEqual(answer.errors, [])
    assert.equal(config.taskWrites.length, writes)
    return answer.tasks
  }
  return { config, plan }
}

const actions = (tasks: readonly PlannedTask[]): string[] => tasks.map(({ action }) => action)

test('tasks are added, removed, changed and left as they are', async () => {
  const { plan } = await scene(2)
  assert.deepEqual(actions(await plan({ count: '2' })), ['nothing', 'nothing'])
  assert.deepEqual(actions(await plan({ count: '3' })), ['nothing', 'nothing', 'start'])
  assert.deepEqual(actions(await plan({ count: '1' })), ['nothing', 'stop'])
  assert.deepEqual(actions(await plan({ count: '3', 'tasks.max': '1' })), ['nothing', 'stop'])
  assert.deepEqual(actions(await plan({ count: '2', of: 'x' })), ['hand-over', 'hand-over'])
  const alone = plugin({ handOver: () => null })
  assert.deepEqual(actions(await plan({ count: '2', of: 'x' }, alone)), ['restart', 'restart'])
  const other = plugin({ taskClass: 'test.OtherTask' })
  assert.match((await plan({ count: '2' }, other))[0]!.why, /Another class/)
  assert.deepEqual(actions(await (await scene(0)).plan({ count: '2' })), ['start', 'start'])
})

test('a task that runs here tells itself what it would do', async () => {
  const why = 'The present run ends before a new one connects: the task has failed.'
  const { plan } = await scene(2, [[1, { action: 'restart', why }]])
  assert.deepEqual(
    (await plan({ count: '2', of: 'x' })).map(({ action, here }) => [action, here]),
    [['hand-over', false], ['restart', true]], // prettier-ignore
  )
})

test('with exactly once and several tasks all of them end, unless nothing changes', async () => {
  const { plan } = await scene(2, [[0, { action: 'hand-over', why: 'x' }]])
  const once = { 'exactly.once.support': 'required' }
  assert.deepEqual(actions(await plan({ ...once, count: '3' })), ['restart', 'restart', 'start'])
  assert.deepEqual(actions(await plan({ ...once, count: '2' })), ['hand-over', 'nothing'])
  const single = await scene(1)
  assert.deepEqual(actions(await single.plan({ ...once, count: '1', of: 'x' })), ['hand-over'])
})

test('a configuration of which the plugin makes no tasks is an error, and no task has a plan', async () => {
  const { config } = await scene(1)
  const refuses = plugin({
    taskConfigs: () => {
      throw new ConfigError('NO_TASKS', 'there is no stream', { field: 'streams' })
    },
  })
  const answer = await planConnector(
    refuses,
    { connector: 'c', config: CONFIG },
    {
      herder: { planned: () => Promise.resolve(new Map()) },
      snapshot: config.snapshot,
      environment: { defaults: {}, providers: {} },
    },
    AbortSignal.timeout(5000),
  )
  assert.deepEqual(answer, { errors: [{ field: 'streams', message: 'there is no stream' }], tasks: [] })
})
