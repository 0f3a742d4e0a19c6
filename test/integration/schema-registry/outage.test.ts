import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createConverter } from '@tributary/converters'
import { sharedKafka, sharedSchemaRegistry } from '@tributary/harness'
import { createTopic, type KeptRecord, readEndOffset, readPartition } from '../../support/kafka-topic.ts'
import { type NumbersServices, startNumbersServices } from '../../support/numbers-services.ts'
import { send } from '../../support/rest-call.ts'
import { until } from '../../support/until.ts'
import { breakableRegistry } from './breakable-registry.ts'
import { read } from './convert.ts'

const { brokers } = await sharedKafka()
const registryUrl = await sharedSchemaRegistry()
const AWAY_MS = process.env['TRIBUTARY_TEST_LONG'] === '1' ? 60_000 : 5000
/** Numbers a second: the load while the registry is away. */
const RATE = 2000

test('a registry that is away stops only what needs it, loses nothing, makes no dead letter, and health says so', async (t) => {
  const registry = await breakableRegistry(t, registryUrl)
  const services = await startNumbersServices(t, brokers, RATE)
  const [running, waiting, deadLetters] = await Promise.all([
    createTopic(brokers),
    createTopic(brokers),
    createTopic(brokers),
  ])
  await create(services, 'running', running, registry.url, deadLetters)
  await until('the first records are there', async () => (await readEndOffset(brokers, running)) > 0n)

  registry.break()
  const back = sleep(AWAY_MS)
  const before = await readEndOffset(brokers, running)
  await create(services, 'waiting', waiting, registry.url, deadLetters)
  await until('health names the registry', async () => {
    const { body } = await send(services.url, { method: 'GET', path: '/connectors/waiting/health' })
    return JSON.stringify(body).includes('Schema registry not available')
  })
  await back
  assert.equal(await readEndOffset(brokers, waiting), 0n)
  // Its schema is known.
  assert.ok((await readEndOffset(brokers, running)) > before)
  const { body } = await send(services.url, { method: 'GET', path: '/connectors/waiting/status' })
  assert.match(JSON.stringify(body), /RUNNING.*RUNNING/)

  await registry.mend()
  const last = services.source.end()
  for (const topic of [running, waiting]) {
    const records = await allUpTo(topic, last)
    assert.deepEqual(
      await numbersIn(topic, records),
      Array.from({ length: last }, (_, i) => i + 1),
    )
  }
  assert.equal(await readEndOffset(brokers, deadLetters), 0n)
})

test("a schema that the registry refuses makes dead letters with the registry's words, and no others", async (t) => {
  const services = await startNumbersServices(t, brokers, 100)
  const [topic, deadLetters] = await Promise.all([createTopic(brokers), createTopic(brokers)])
  await register(`${topic}-value`, { type: 'record', name: 'Other', fields: [{ name: 'sequence', type: 'string' }] })
  await create(services, 'refused', topic, registryUrl, deadLetters)
  await until('there are dead letters', async () => (await readEndOffset(brokers, deadLetters)) > 10n)
  assert.equal(await readEndOffset(brokers, topic), 0n)
  const [first] = await readPartition(brokers, deadLetters)
  const headers = new Map(first!.headers)
  assert.match(String(headers.get('__connect.errors.exception.message')), /Incompatible artifact/)
})

async function create(
  services: NumbersServices,
  name: string,
  topic: string,
  url: string,
  deadLetters: string,
): Promise<void> {
  const config = {
    ...services.configOf(topic),
    'grpc.value.format': 'struct',
    'value.converter': 'io.confluent.connect.avro.AvroConverter',
    'value.converter.schema.registry.url': url,
    'errors.tolerance': 'all',
    'errors.deadletterqueue.topic.name': deadLetters,
    'errors.deadletterqueue.context.headers.enable': 'true',
  }
  const { status, body } = await send(services.url, { method: 'POST', path: '/connectors', body: { name, config } })
  assert.equal(status, 201, JSON.stringify(body))
}

async function allUpTo(topic: string, count: number): Promise<KeptRecord[]> {
  return await until(`${topic} has ${count} records`, async () => {
    const end = await readEndOffset(brokers, topic)
    return end >= BigInt(count) ? await readPartition(brokers, topic) : null
  })
}

async function numbersIn(topic: string, records: readonly KeptRecord[]): Promise<number[]> {
  const key = 'value.converter'
  const converter = createConverter(key, { [key]: 'Avro', [`${key}.schema.registry.url`]: registryUrl }, false)
  const numbers: number[] = []
  for (const { value } of records) {
    numbers.push(Number(((await read(converter, topic, value!)).value as { sequence: bigint }).sequence))
  }
  return numbers
}

async function register(subject: string, schema: unknown): Promise<void> {
  const headers = { 'content-type': 'application/vnd.schemaregistry.v1+json' }
  const requests = [
    ['POST', `subjects/${subject}/versions`, { schema: JSON.stringify(schema) }],
    ['PUT', `config/${subject}`, { compatibility: 'BACKWARD' }],
  ] as const
  for (const [method, path, body] of requests) {
    const answer = await fetch(`${registryUrl}/${path}`, { method, headers, body: JSON.stringify(body) })
    assert.equal(answer.status, 200, await answer.text())
  }
}
