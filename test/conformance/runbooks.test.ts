import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { until } from '../support/until.ts'
import { send } from '../support/rest-call.ts'
import { ACCESS_MODES } from './access-modes.ts'
import { connectorFailure } from './runbooks/connector-failure.ts'
import { highLag } from './runbooks/high-lag.ts'
import { Pipeline } from './runbooks/pipeline.ts'
import { type Procedure, SINK, SOURCE } from './runbooks/step.ts'
import { streamConnectors } from './runbooks/stream-connectors.ts'

/** Runs each command in a shell, in order, and checks its effect. */
async function perform(t: TestContext, pipeline: Pipeline, procedures: readonly Procedure[]): Promise<void> {
  for (const { name, steps } of procedures) {
    await t.test(name, async (t) => {
      for (const { given, command, promises, holds } of steps) {
        const [line] = command.split('\n')
        await t.test(`${line} – ${promises}`, async () => {
          await given?.(pipeline)
          await holds(pipeline, await pipeline.shell(command))
        })
      }
    })
  }
}

/** The addresses of the workers that have tasks. */
async function workersWithTasks({ url }: Pipeline): Promise<number> {
  const { body } = await send(url, { method: 'GET', path: '/connectors?expand=status' })
  const statuses = Object.values(body as Record<string, { status: { tasks: { worker_id: string; state: string }[] } }>)
  const tasks = statuses.flatMap(({ status }) => status.tasks)
  return new Set(tasks.filter(({ state }) => state === 'RUNNING').map((task) => task.worker_id)).size
}

for (const access of ACCESS_MODES) {
  test(`the runbook of a failed connector, ${access}`, { timeout: 300_000 }, async (t) => {
    const pipeline = await Pipeline.start(t, access)
    for (const name of [SOURCE, SINK]) await pipeline.addFlow(name)
    await perform(t, pipeline, connectorFailure)
  })

  test(`the runbooks of lag and of stream connectors, ${access}`, { timeout: 300_000 }, async (t) => {
    const pipeline = await Pipeline.start(t, access)
    for (const name of [SOURCE, SINK]) await pipeline.addFlow(name)
    await pipeline.addSecureFlow('grpc-connector')
    await perform(t, pipeline, highLag)
    await perform(t, pipeline, streamConnectors)

    await t.test('docker compose up --scale kafka-connect=3, then 5 – the tasks spread over the workers', async () => {
      for (const name of ['orders', 'sessions']) await pipeline.addFlow(name)
      for (const workers of [3, 5]) {
        await pipeline.scale(workers)
        await until(`tasks run on ${workers} workers`, async () => (await workersWithTasks(pipeline)) === workers)
        for (const flow of pipeline.flows.values()) {
          await pipeline.goesOn(flow)
          await pipeline.nothingLost(flow)
        }
      }
    })
  })
}

test('with connect.strict=true the commands fail as on Kafka Connect', { timeout: 300_000 }, async (t) => {
  const pipeline = await Pipeline.start(t, 'without authentication', { TRIBUTARY_CONNECT_STRICT: 'true' })
  const sink = await pipeline.addFlow(SINK)
  const put = `curl -X PUT http://localhost:8083/connectors/${SINK}/config -H "Content-Type: application/json"`

  await t.test('a file with a name around the config is refused', async () => {
    await pipeline.file('docker/connectors/postgres-sink.json', { name: SINK, config: sink.config })
    const { error_code: code } = JSON.parse(
      await pipeline.shell(`${put} -d @docker/connectors/postgres-sink.json`),
    ) as {
      error_code: number
    }
    assert.equal(code, 400)
  })

  await t.test('a part of a config is refused', async () => {
    const answer = JSON.parse(await pipeline.shell(`${put} -d '{"auto.evolve": "true"}'`)) as Record<string, unknown>
    assert.equal(answer['error_code'], 400)
    assert.match(String(answer['message']), /contains no connector type/)
  })

  await t.test('a restart without parameters does not restart failed tasks', async () => {
    sink.source.stop()
    await pipeline.states(SINK, ['RUNNING', 'FAILED'])
    await sink.source.start()
    const restart = `curl -s -X POST "http://localhost:8083/connectors/${SINK}/restart`
    await pipeline.shell(`${restart}"`)
    // The other connector comes after the restart in the config topic. When it runs, the restart was carried out.
    const other = await pipeline.addFlow(SOURCE)
    await pipeline.goesOn(other)
    await pipeline.states(SINK, ['RUNNING', 'FAILED'])
    await pipeline.shell(`${restart}?includeTasks=true&onlyFailed=true"`)
    await pipeline.goesOn(sink)
  })
})
