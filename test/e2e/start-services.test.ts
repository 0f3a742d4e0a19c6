import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { kafkaAnswers, sharedKafka } from '@tributary/harness'
import { launch, newPlace, type Launched } from './launcher.ts'
import { until } from '../support/until.ts'

/** Starts the launcher on the Kafka of the tests, with a cluster name of its own. */
async function launchOnShared(
  t: TestContext,
  ...args: string[]
): Promise<{ launched: Launched; url: string; dataDir: string }> {
  const { brokers } = await sharedKafka()
  const place = await newPlace()
  const cluster = `start-${randomUUID().slice(0, 8)}`
  const launched = launch(args, { ...place.env, KAFKA_BROKERS: brokers.join(','), TRIBUTARY_CLUSTER: cluster })
  t.after(async () => {
    if (launched.process.exitCode === null) await launched.end('SIGTERM')
  })
  await launched.printed(/^ready /m)
  return { launched, url: `http://127.0.0.1:${place.restPort}`, dataDir: place.dataDir }
}

async function status(
  url: string,
): Promise<{ connector: { state: string }; tasks: { state: string; worker_id: string }[] }> {
  const response = await fetch(`${url}/connectors/demo-quotes/status`)
  return (await response.json()) as Awaited<ReturnType<typeof status>>
}

test('--no-demo starts only the services, on the Kafka of KAFKA_BROKERS, which keeps running', async (t) => {
  const { launched, url } = await launchOnShared(t, '--no-demo')
  assert.doesNotMatch(launched.output(), /demo/)
  assert.match(launched.output(), /^ {2}kafka +\S+ \(as KAFKA_BROKERS says\)$/m)
  assert.deepEqual(await (await fetch(`${url}/connectors`)).json(), [])
  assert.equal(await launched.end('SIGTERM'), 0)
  const { brokers } = await sharedKafka()
  assert.ok(await kafkaAnswers(brokers[0] ?? ''))
})

test('--scale starts replicas; a killed replica is started again while the other one continues', async (t) => {
  const { launched, url, dataDir } = await launchOnShared(t, '--scale', 'grpc-ingest=2')
  await launched.printed(/^ {2}grpc-ingest-1 +127/m)
  await launched.printed(/^ {2}grpc-ingest-2 +127/m)
  const running = await until('the task runs', async () => {
    const { tasks } = await status(url)
    return tasks?.[0]?.state === 'RUNNING' && tasks[0]
  })
  const worker = running.worker_id
  const [, name = ''] = new RegExp(`^ {2}(grpc-ingest-\\d) +${worker}$`, 'm').exec(launched.output()) ?? []
  assert.notEqual(name, '')
  const log = readFileSync(join(dataDir, 'logs', `${name}.log`), 'utf8')
  const [, pid] = /event=service_started .*\bpid=(\d+)/.exec(log) ?? []
  process.kill(Number(pid), 'SIGKILL')
  await launched.printed(new RegExp(`^${name} ended \\(SIGKILL\\) and is started again at once`, 'm'))
  await until(
    'the task runs in another process',
    async () => {
      const [task] = (await status(url)).tasks
      return task?.state === 'RUNNING' && task.worker_id !== worker
    },
    60_000,
  )
})
