import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Child, type KafkaBroker, startChild, startKafka, temporaryFolder } from '@tributary/harness'
import { send } from '../conformance/rest-call.ts'
import { type ExampleServer, expectedValue, startExampleServer } from '../integration/grpc-example-server.ts'
import { grpcExamples, secretsFile } from '../integration/grpc-examples.ts'
import { readPartition } from '../integration/kafka-topic.ts'
import { until } from '../integration/until.ts'

const WANTED = 10
const folder = temporaryFolder('grpc-examples')
const secretsPath = join(folder, 'secrets.properties')
writeFileSync(secretsPath, secretsFile)
// The names of the tests are needed before any server runs.
const names = grpcExamples({ port: 0, tlsPort: 0, mutualTlsPort: 0 }, secretsPath).map((example) => example.name)

describe("the documents' gRPC configurations, by REST, into Kafka", () => {
  let kafka: KafkaBroker
  let server: ExampleServer
  let url: string
  const children: Child[] = []

  const service = async (app: string, env: Record<string, string>): Promise<string> => {
    const logFile = join(folder, `${app}.log`)
    const main = new URL(`../../apps/${app}/src/main.ts`, import.meta.url).pathname
    const connection = { KAFKA_BROKERS: kafka.brokers.join(','), TRIBUTARY_CLUSTER: 'examples' }
    children.push(
      await startChild({ command: process.execPath, args: [main], logFile, env: { ...connection, ...env } }),
    )
    return logFile
  }

  before(async () => {
    // The topics are those of the examples, so the broker is one of our own.
    ;[kafka, server] = await Promise.all([startKafka(), startExampleServer()])
    const log = await service('control-plane', { TRIBUTARY_REST_PORT: '0' })
    await service('grpc-ingest', {})
    const address = await until(
      'the REST API',
      () => /event=rest_started.* address=(\S+)/.exec(readFileSync(log, 'utf8'))?.[1],
    )
    url = `http://${address}`
    await until('the plugin', async () => {
      const { body } = await send(url, { method: 'GET', path: '/connector-plugins' })
      return Array.isArray(body) && body.length > 0
    })
  })
  after(async () => {
    await Promise.all(children.map((child) => child.stop()))
    server.stop()
    await kafka.stop()
  })

  for (const [i, title] of names.entries()) {
    test(`${title} reaches RUNNING and brings the right records`, async () => {
      const { config } = grpcExamples(server, secretsPath)[i]!
      const name = /\((.*)\)/.exec(title)![1]!
      const topic = config['kafka.topic']!
      // Several examples share a topic.
      const before = (await valuesIn(kafka, topic)).length
      const created = await send(url, { method: 'POST', path: '/connectors', body: { name, config } })
      assert.equal(created.status, 201, JSON.stringify(created.body))
      await until('RUNNING', async () => {
        const { body } = await send(url, { method: 'GET', path: `/connectors/${name}/status` })
        const { connector, tasks } = body as {
          connector?: { state: string }
          tasks?: { state: string; trace?: string }[]
        }
        assert.notEqual(tasks?.[0]?.state, 'FAILED', tasks?.[0]?.trace)
        return connector?.state === 'RUNNING' && tasks?.length === 1 && tasks[0]?.state === 'RUNNING'
      })
      const method = `${config['grpc.service.name']}/${config['grpc.method.name']}`
      const wanted = Array.from({ length: WANTED }, (_, n) => expectedValue(method, n + 1))
      const got = await until('records', async () => {
        const values = (await valuesIn(kafka, topic)).slice(before)
        return values.length >= WANTED && values.slice(0, WANTED)
      })
      assert.deepEqual(got, wanted)
      const deleted = await send(url, { method: 'DELETE', path: `/connectors/${name}` })
      assert.equal(deleted.status, 204)
      await until('the stream is over', () => server.streams === 0)
      await settled(async () => (await valuesIn(kafka, topic)).length)
    })
  }
})

/** The values in a topic's only partition; none while there is no such topic. */
async function valuesIn(kafka: KafkaBroker, topic: string): Promise<unknown[]> {
  try {
    const records = await readPartition(kafka.brokers, topic)
    return records.map((record) => JSON.parse(String(record.value)) as unknown)
  } catch (error) {
    if (error instanceof AggregateError && error.errors.every((e) => /does not host/.test(String(e)))) return []
    throw error
  }
}

/** Waits until a number has not changed for half a second: what a stopped task had queued has arrived. */
async function settled(read: () => Promise<number>): Promise<void> {
  let last = -1
  let since = Date.now()
  await until('no more records', async () => {
    const now = await read()
    if (now !== last) [last, since] = [now, Date.now()]
    return Date.now() - since > 500
  })
}
