import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { canonicalJson } from '@tributary/config'
import { sharedElasticMq, sharedKafka, sharedMoto, sharedSchemaRegistry, sqsCall } from '@tributary/harness'
import type { Props } from '@tributary/connect-api'
import { type Services, startServices } from '../../support/services.ts'
import { until } from '../../support/until.ts'
import { confluentKafka } from '../schema-registry/foreign-serdes.ts'
import { exampleRuns } from './example-runs.ts'
import { BUCKET, type ExampleMessage, type Kind, KINDS } from './sqs-messages.ts'

const RECORDS = 10

/** What each example reads. */
const KIND_OF: Readonly<Record<string, Kind>> = {
  'sqs-claim-check-pattern-eventbridge-sqs-s3-claimcheck': 'objectInField',
  'sqs-claim-check-pattern-sqs-source-s3-claimcheck': 'object',
  'sqs-config-kafka-connect-worker-high-performance-sqs-high-throughput': 'field',
  'sqs-config-sqs-source-connector': 'plain',
  'sqs-config-sqs-source-connector-azure': 'plain',
  'sqs-config-sqs-source-connector-bare-metal': 'plain',
  'sqs-config-sqs-source-connector-decompression-with-avro': 'compressedField',
  'sqs-config-sqs-source-connector-ecs': 'plain',
  'sqs-config-sqs-source-connector-eventbridge-complete': 'fieldOfObject',
  'sqs-config-sqs-source-connector-eventbridge-decompression': 'compressedField',
  'sqs-config-sqs-source-connector-eventbridge-field-extraction': 'field',
  'sqs-config-sqs-source-connector-full-body-decompression': 'compressed',
  'sqs-config-sqs-source-connector-gcp': 'plain',
  'sqs-docker-register-connector': 'plain',
  'sqs-ecs-deployment-sqs-source-connector-cross-account': 'plain',
  'sqs-ecs-deployment-sqs-source-connector-ecs': 'plain',
  'sqs-examples-claim-check-avro': 'objectInData',
  'sqs-examples-claim-check-compressed': 'compressedObjectInField',
  'sqs-examples-claim-check-eventbridge': 'objectInField',
  'sqs-examples-claim-check-simple': 'object',
  'sqs-examples-decompressing-claim-check': 'compressedFieldOrObject',
  'sqs-readme-sqs-fifo-source-connector': 'plain',
  'sqs-readme-sqs-filtered-connector': 'filtered',
  'sqs-readme-sqs-multi-queue-connector': 'plain',
  'sqs-readme-sqs-source-connector': 'plain',
  'sqs-readme-sqs-source-high-throughput': 'plain',
  'sqs-schema-registry-production-sqs-connector': 'plain',
  'sqs-schema-registry-sqs-avro-connector': 'plain',
  'sqs-schema-registry-sqs-fifo-jsonschema': 'plain',
  'sqs-schema-registry-sqs-jsonschema-connector': 'plain',
  'sqs-schema-registry-sqs-multi-queue-avro': 'plain',
  'sqs-schema-registry-sqs-protobuf-connector': 'plain',
  'sqs-schema-registry-sqs-schema-id-connector': 'plain',
}

const kafka = await sharedKafka({ secure: true })
const { tlsBrokers, username, password } = kafka.sasl!
const sqs = await sharedElasticMq()
const s3 = (await sharedMoto()).url
const registry = await sharedSchemaRegistry()
const runs = await exampleRuns()
const python = confluentKafka()
const ADDRESS = `${sqs.url}/${sqs.accountId}`
const run = process.pid

/** What replaces hosts, logins and names in the values of a configuration. Nothing else is replaced. */
const REPLACEMENTS: readonly (readonly [found: RegExp, replacement: string])[] = [
  // The names of queues stay, with the number of this run.
  [/https:\/\/sqs\.[a-z0-9-]+\.amazonaws\.com\/\d+\/([\w-]+)/g, `${ADDRESS}/$1-${run}`],
  [/http:\/\/localstack:4566\/\d+\/([\w-]+)/g, `${ADDRESS}/$1-${run}`],
  // Kafka's users, where the environment does not name them, and the listener of the tests that has a login.
  [/username="(?!\$\{env:)[^"]*"/g, `username="${username}"`],
  [/password="(?!\$\{env:)[^"]*"/g, `password="${password}"`],
  [/^SASL_PLAINTEXT$/g, 'SASL_SSL'],
  [/https?:\/\/schema-registry[\w.-]*:8081/g, registry],
  [/\$\{file:\/secrets\/[\w-]+\}/g, 'secret'],
  // A store of Java.
  [/^\/etc\/kafka\/secrets\/[\w-]+\.jks$/g, new URL('../../fixtures/grpc/tls/ca.crt', import.meta.url).pathname],
  [/queue-0,queue-1,\.\.\.queue-14/g, `${ADDRESS}/queue-0-${run},${ADDRESS}/queue-1-${run},${ADDRESS}/queue-14-${run}`],
]
/** The documents print this one without a topic. */
const WITHOUT_TOPIC = 'sqs-config-kafka-connect-worker-high-performance-sqs-high-throughput'

/** Kinds whose record has the text of the message or the object. The JSON of the others is made anew. */
const UNCHANGED: ReadonlySet<Kind> = new Set(['plain', 'object', 'compressed', 'filtered'])

interface Example {
  readonly file: string
  readonly connector: string
  readonly config: Props
}

const read = (folder: string): Example[] =>
  readdirSync(new URL(`../../fixtures/sqs/${folder}`, import.meta.url)).map((file) => {
    const text = readFileSync(new URL(`../../fixtures/sqs/${folder}/${file}`, import.meta.url), 'utf8')
    const { name, config } = JSON.parse(text) as { name: string; config: Props }
    return { file: file.replace('.json', ''), connector: name, config }
  })

function replaced(config: Props): Props {
  const replace = (value: string): string => REPLACEMENTS.reduce((text, [found, by]) => text.replace(found, by), value)
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key, replace(value)]))
}

const examples = read('examples').map((example) => ({ ...example, config: replaced(example.config) }))

async function put(path: string, body?: string | Uint8Array): Promise<void> {
  const answer = await fetch(`${s3}/${path}`, { method: 'PUT', ...(body === undefined ? {} : { body }) })
  assert.ok(answer.ok, `${path}: ${answer.status}`)
}

const queuesOf = (config: Props): string[] => (config['sqs.queue.urls'] ?? config['sqs.queue.url'] ?? '').split(',')

/** Makes the queues of a configuration, and sends its messages, to each queue in turn. */
async function provide(config: Props, messages: readonly ExampleMessage[]): Promise<void> {
  const queues = queuesOf(config)
  for (const url of queues) {
    const QueueName = url.split('/').at(-1)!
    const Attributes = QueueName.endsWith('.fifo') ? { FifoQueue: 'true' } : {}
    await sqsCall(sqs.url, 'CreateQueue', { QueueName, Attributes })
  }
  for (const [i, { body, objects = {}, attributes = {} }] of messages.entries()) {
    for (const [key, object] of Object.entries(objects)) await put(`${BUCKET}/${key}`, object)
    const QueueUrl = queues[i % queues.length]!
    const texts = Object.entries(attributes).map(([key, StringValue]) => [key, { DataType: 'String', StringValue }])
    const MessageAttributes = Object.fromEntries(texts) as object
    const fifo = QueueUrl.endsWith('.fifo')
      ? { MessageGroupId: `g${i % 3}`, MessageDeduplicationId: `${run}-${i}` }
      : {}
    await sqsCall(sqs.url, 'SendMessage', { QueueUrl, MessageBody: body, MessageAttributes, ...fifo })
  }
}

async function deleted(config: Props): Promise<void> {
  const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible']
  for (const QueueUrl of queuesOf(config)) {
    await until(`${QueueUrl} is empty`, async () => {
      const input = { QueueUrl, AttributeNames: names }
      const { Attributes } = await sqsCall<{ Attributes: Record<string, string> }>(sqs.url, 'GetQueueAttributes', input)
      return names.every((name) => Attributes[name] === '0')
    })
    await sqsCall(sqs.url, 'DeleteQueue', { QueueUrl })
  }
}

type Format = 'AVRO' | 'JSON' | 'PROTOBUF'

/** The format of an example whose converter, or whose converter's delegate, has a schema registry; null: text. */
function formatOf(config: Props): Format | null {
  const classes = Object.entries(config).filter(([key]) => key.endsWith('converter.class'))
  const [, name] = classes.flatMap(([, value]) => /(Avro|Protobuf|JsonSchema)MessageConverter$/.exec(value) ?? [])
  return name === 'Avro' ? 'AVRO' : name === 'Protobuf' ? 'PROTOBUF' : name === undefined ? null : 'JSON'
}

/** The value of a record as confluent-kafka reads it. */
async function valueOf(format: Format, topic: string, bytes: Buffer): Promise<unknown> {
  const { value } = await (await python).copy({ format, url: registry, topic, isKey: false, bytes })
  return jsonOf(value)
}

function jsonOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(jsonOf)
  if (typeof value !== 'object' || value === null) return value
  const { int, float, members } = value as { int?: string; float?: string; members?: [string, unknown][] }
  if (members !== undefined) return Object.fromEntries(members.map(([name, member]) => [name, jsonOf(member)]))
  return Number(int ?? float)
}

/** Schemas that examples name. */
const ORDER: Readonly<Record<string, object>> = {
  'typed-messages': {
    schema: JSON.stringify({
      ...{ type: 'record', name: 'Order', namespace: 'shop' },
      fields: [{ name: 'order', type: 'int' }, { name: 'price', type: 'double' }], // prettier-ignore
    }),
  },
  'ordered-events': {
    schemaType: 'JSON',
    schema: JSON.stringify({ type: 'object', properties: { order: { type: 'integer' }, price: { type: 'number' } }, required: ['order'] }), // prettier-ignore
  },
}

/** Registers the schema that a configuration names. Returns what replaces its id. */
async function withSchema(config: Props): Promise<Props> {
  const schema = ORDER[config['kafka.topic']!]
  if (schema === undefined) return config
  const answer = await fetch(`${registry}/subjects/${config['kafka.topic']}-value/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify(schema),
  })
  const { id } = (await answer.json()) as { id: number }
  return 'value.schema.id' in config ? { ...config, 'value.schema.id': String(id) } : config
}

describe("the documents' SQS configurations, posted to the REST API", () => {
  let services: Services | undefined
  before(async () => {
    await put(BUCKET)
    // Where a configuration says nothing of credentials and endpoints, those of the SDK's own environment serve.
    services = await startServices('sqs-ingest', {
      KAFKA_BROKERS: tlsBrokers.join(','),
      TRIBUTARY_KAFKA_TLS_ENABLED: 'true',
      TRIBUTARY_KAFKA_TLS_CA: kafka.tls!.ca,
      TRIBUTARY_KAFKA_SASL_MECHANISM: 'SCRAM-SHA-256',
      TRIBUTARY_KAFKA_SASL_USERNAME: username,
      TRIBUTARY_KAFKA_SASL_PASSWORD: password,
      TRIBUTARY_CONFIG_PROVIDERS: 'env',
      TRIBUTARY_CONFIG_PROVIDERS_ENV_PARAM_ALLOWLIST_PATTERN: 'KAFKA_(USERNAME|PASSWORD)',
      KAFKA_USERNAME: username,
      KAFKA_PASSWORD: password,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL_S3: s3,
      AWS_ENDPOINT_URL_STS: s3,
    })
  })
  after(async () => {
    await services?.stop()
    await runs.stop()
    await (await python).stop()
  })

  const runsRight = async (file: string, connector: string, config: Props, kind: Kind): Promise<void> => {
    const messages: ExampleMessage[] = Array.from({ length: RECORDS }, (_, i) => KINDS[kind](i + 1, file))
    await provide(config, messages)
    const records = await runs.run(services!, { connector, config }, RECORDS, () => true)
    const format = formatOf(config)
    const shown = (value: string): string => (format === 'AVRO' ? value.replace('detail-type', 'detail_type') : value)
    const expected = new Map(messages.map(({ value }) => [canonicalJson(JSON.parse(shown(value))), value]))
    for (const { value } of records) {
      const text =
        format === null ? String(value) : canonicalJson(await valueOf(format, config['kafka.topic']!, value!))
      const key = canonicalJson(JSON.parse(text))
      assert.ok(expected.has(key), `${text} is no value of ${[...expected.values()].join(' or ')}`)
      if (format === null && UNCHANGED.has(kind)) assert.equal(text, expected.get(key))
      expected.delete(key)
    }
    await deleted(config)
  }

  for (const { file, connector, config } of examples) {
    test(`${file} (${connector}) runs and gives the right records`, async () => {
      const topic = file === WITHOUT_TOPIC ? { 'kafka.topic': `sqs-high-throughput-${run}` } : {}
      await runsRight(file, connector, await withSchema({ ...config, ...topic }), KIND_OF[file]!)
    })
  }

  for (const { file, config } of read('fragments')) {
    test(`the fragment ${file}, added to the required keys, runs and gives the right records`, async () => {
      const base = examples.find((example) => example.file === 'sqs-readme-sqs-source-connector')!.config
      await runsRight(
        file,
        file,
        { ...base, ...('message.converter.class' in config && { 'schema.registry.url': registry }), ...config },
        'claim.check.enabled' in config ? 'objectInNamedField' : 'plain',
      )
    })
  }
})
