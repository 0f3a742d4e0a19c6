import { sharedKafka } from '@tributary/harness'
import { KafkaAdmin } from '@tributary/kafka'
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type ExampleServer, expectedValue, startExampleServer } from './grpc-example-server.ts'
import { exampleFragments, grpcExamples, secretsFile } from './grpc-examples.ts'
import { type Services, startServices } from './grpc-services.ts'
import { readEndOffset, readPartition } from './kafka-topic.ts'
import { until } from './until.ts'

const RECORDS = 10

/** Errors by key. A fragment that is not here has none; the documents' files are not there, which is said of each. */
const FRAGMENT_ERRORS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {}

const { brokers } = await sharedKafka()
const admin = new KafkaAdmin({ brokers, clientId: 'examples' })
const folder = mkdtempSync(join(tmpdir(), 'example-configs-'))
const secretsPath = join(folder, 'secrets.properties')
writeFileSync(secretsPath, secretsFile)
const server: ExampleServer = await startExampleServer()
const examples = grpcExamples(server, secretsPath)
const topics = new Set(examples.map(({ config }) => config['kafka.topic']!))

describe("the documents' gRPC configurations, posted to the REST API", () => {
  let services: Services
  before(async () => {
    services = await startServices()
  })
  after(async () => {
    await services.stop()
    server.stop()
    const described = await admin.describeTopics([...topics])
    await admin.deleteTopics([...topics].filter((topic) => described.get(topic)))
    await admin.close()
    rmSync(folder, { recursive: true })
  })

  for (const { name, connector, config } of examples) {
    test(`${name} runs and brings the right records`, async () => {
      const topic = config['kafka.topic']!
      // Several examples share a name and a topic: one after the other, each reads what came since it was created.
      const from = await endOf(topic)
      await services.create(connector, config)
      const method = `${config['grpc.service.name']}/${config['grpc.method.name']}`
      const records = await until(`${RECORDS} records in ${topic}`, async () => {
        const end = await endOf(topic)
        return end >= from + BigInt(RECORDS) ? await readPartition(brokers, topic, 0, { from }) : null
      })
      for (const [i, record] of records.slice(0, RECORDS).entries()) {
        assert.deepEqual(JSON.parse(String(record.value)), expectedValue(method, i + 1))
        assert.equal(record.key, null)
      }
      const { body } = await services.rest('GET', `/connectors/${connector}/config`)
      assert.deepEqual(body, { ...config, name: connector })
      const { status } = await services.rest('DELETE', `/connectors/${connector}`)
      assert.equal(status, 204)
      await until('its topic is quiet', async () => {
        const end = await endOf(topic)
        await new Promise((resolve) => setTimeout(resolve, 300))
        return end === (await endOf(topic))
      })
    })
  }

  test('send what they say: request, metadata, and their certificate where TLS is mutual', () => {
    const production = 'com.example.production.EventService/StreamEvents'
    assert.deepEqual(server.requests.get(production), { environment: 'production', version: 'v1' })
    const sent = server.metadata(production)
    assert.deepEqual([sent?.['authorization'], sent?.['x-environment']], ['Bearer s3cret', 'production'])
    assert.equal(server.client(production), null)
    const secure = 'com.example.secure.DataService/StreamSecureData'
    const signed = server.metadata(secure)
    assert.deepEqual([signed?.['authorization'], signed?.['x-client-id']], ['Bearer s3cret', 'kafka-connect-prod-01'])
    assert.equal(server.client(secure), 'client')
  })

  for (const [fragment, config] of exampleFragments()) {
    test(`the fragment ${fragment}, added to the five required keys, is judged as the table says`, async () => {
      const base = examples.find(({ name }) => name.startsWith('grpc-faq '))!.config
      const path = `/connector-plugins/${base['connector.class']}/config/validate`
      const { status, body } = await services.rest('PUT', path, { ...base, name: fragment, ...config })
      assert.equal(status, 200)
      const { configs } = body as { configs: { value: { name: string; errors: string[] } }[] }
      const errors = configs
        .filter(({ value }) => value.errors.length > 0)
        .map(({ value }) => [value.name, value.errors])
      assert.deepEqual(Object.fromEntries(errors), FRAGMENT_ERRORS[fragment] ?? {})
    })
  }

  async function endOf(topic: string): Promise<bigint> {
    const described = await admin.describeTopics([topic])
    return described.get(topic) ? await readEndOffset(brokers, topic) : 0n
  }
})
