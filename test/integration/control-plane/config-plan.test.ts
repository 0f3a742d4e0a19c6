import assert from 'node:assert/strict'
import test from 'node:test'
import type { SourcePlugin, TaskContext } from '@tributary/connect-api'
import { sharedElasticMq, sharedKafka } from '@tributary/harness'
import { grpcSource } from '../../../apps/grpc-ingest/src/index.ts'
import { sqsSource } from '../../../apps/sqs-ingest/src/index.ts'
import { websocketSource } from '../../../apps/ws-ingest/src/index.ts'
import { clusterProps, type Props, startPlane, startWorker } from '../../support/control-plane.ts'
import { sendTicks, startTicker } from '../../support/grpc-ticker.ts'
import { tickerProps } from '../../support/grpc-task.ts'
import { createTopic } from '../../support/kafka-topic.ts'
import { send } from '../../support/rest-call.ts'
import { SqsFlow } from '../../support/sqs-flow.ts'
import { until } from '../../support/until.ts'
import { WsTicker } from '../../support/ws-ticker.ts'

interface Plan {
  readonly action: string
  readonly version: number | null
  readonly tasks: readonly { readonly task: number; readonly action: string; readonly why: string }[]
}

interface Change {
  readonly change: Props
  /** What the plan is to say of task 0, for sources with and without overlap. */
  readonly says: readonly [overlapping: string, other: string]
  /** And of task 1, for a source that makes as many tasks as `tasks.max`. */
  readonly second?: string
}

const CHANGES: readonly Change[] = [
  { change: { 'consumer.group': 'a' }, says: ['hand-over', 'restart'] },
  { change: {}, says: ['nothing', 'nothing'] },
  { change: { 'consumer.group': 'b' }, says: ['hand-over', 'restart'] },
  { change: { 'task.handover.overlap': 'never' }, says: ['restart', 'restart'] },
  { change: { 'tasks.max': '2' }, says: ['restart', 'restart'], second: 'start' },
  { change: { 'tasks.max': '1' }, says: ['restart', 'restart'], second: 'stop' },
]

/** What became of the tasks, as the plan would call it: `ws-0: start`, `ws-0: hand-over`. */
class Deeds {
  readonly #live = new Map<string, number>()
  readonly #list: string[] = []

  /** The plugin, whose tasks tell when they start and stop. */
  watch(plugin: SourcePlugin): SourcePlugin {
    const createTask = (): ReturnType<SourcePlugin['createTask']> => {
      const task = plugin.createTask()
      const [start, stop] = [task.start.bind(task), task.stop.bind(task)]
      let name: string | null = null
      task.start = (context: TaskContext) => {
        name = `${context.connector}-${context.task}`
        const live = this.#live.get(name)
        this.#list.push(`${name}: ${live === undefined ? 'start' : live > 0 ? 'hand-over' : 'restart'}`)
        this.#live.set(name, (live ?? 0) + 1)
        return start(context)
      }
      task.stop = async (...args) => {
        await stop(...args)
        if (name === null) return
        this.#live.set(name, this.#live.get(name)! - 1)
        name = null
      }
      return task
    }
    return { ...plugin, createTask }
  }

  of(task: string): string[] {
    return this.#list.filter((deed) => deed.startsWith(`${task}: `)).map((deed) => deed.slice(task.length + 2))
  }

  running(task: string): number {
    return this.#live.get(task) ?? 0
  }
}

test('what a plan says of tasks of WebSocket, gRPC and SQS is what then happens', async (t) => {
  const { brokers } = await sharedKafka()
  const topic = await createTopic(brokers)
  const [ws, grpc, queue] = await Promise.all([
    WsTicker.start(),
    startTicker({ watch: (call) => sendTicks(call, 1, 3) }),
    SqsFlow.create(await sharedElasticMq(), brokers, topic),
  ])
  t.after(() => ws.stop())
  t.after(() => grpc.stop())
  const deeds = new Deeds()
  const props = clusterProps(brokers)
  const plugins = [websocketSource, grpcSource, sqsSource].map((plugin) => deeds.watch(plugin))
  const [{ url }] = await Promise.all([startPlane(t, props), startWorker(t, props, null, plugins)])
  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const answer = await send(url, { method, path: `/connectors/${path}`, ...(body !== undefined && { body }) })
    assert.ok(answer.status < 300, JSON.stringify(answer))
    return answer.body
  }
  const connected = (name: string): Promise<unknown> =>
    until(`${name} is connected`, async () => {
      const { tasks } = (await call('GET', `${name}/health`)) as { tasks: { state: string; connected: boolean }[] }
      return tasks.length > 0 && tasks.every((task) => task.state === 'running' && task.connected)
    })
  await until('the plugins are listed', async () => {
    const { body } = await send(url, { method: 'GET', path: '/connector-plugins' })
    return (body as unknown[]).length >= 3
  })

  async function compare(name: string, config: Props, overlaps: boolean, tasks: number): Promise<void> {
    const created = (await call('PUT', `${name}/config?plan=true`, config)) as Plan
    assert.deepEqual([created.action, created.version, created.tasks.length], ['create', 1, 1])
    await call('PUT', `${name}/config`, config)
    const expected: Record<string, string[]> = { [`${name}-0`]: ['start'] }
    await connected(name)
    for (const { change, says, second } of CHANGES) {
      const plan = (await call('PATCH', `${name}/config?plan=true`, change)) as Plan
      const wanted = [says[overlaps ? 0 : 1], ...(second !== undefined && tasks > 1 ? [second] : [])]
      assert.deepEqual(plan.tasks.map(({ action }) => action), wanted, `${name}: ${JSON.stringify(plan)}`) // prettier-ignore
      await call('PATCH', `${name}/config`, change)
      for (const { task, action } of plan.tasks) {
        if (action === 'nothing') continue
        const unit = `${name}-${task}`
        if (action !== 'stop') (expected[unit] ??= []).push(action)
        const runs = action === 'stop' ? 0 : 1
        await until(`${unit} is what the plan says`, () => {
          return deeds.of(unit).length >= expected[unit]!.length && deeds.running(unit) === runs
        })
        assert.deepEqual(deeds.of(unit), expected[unit], `${unit} after ${JSON.stringify(change)}`)
      }
      await connected(name)
    }
  }

  await Promise.all([
    compare('ws', { 'connector.class': websocketSource.class, ...ws.props({ 'kafka.topic': topic }) }, true, 1),
    compare(
      'grpc',
      { 'connector.class': grpcSource.class, ...tickerProps(grpc.port, { 'kafka.topic': topic }) },
      true,
      1,
    ),
    compare('sqs', queue.config(), false, 2),
  ])
})
