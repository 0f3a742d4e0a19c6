import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { Props } from '@tributary/connect-api'
import { messageOf } from '../../test/messages.ts'
import { readSettings } from '../settings/read.ts'
import type { Converted } from './content.ts'
import { createConverter } from './converter.ts'
import { dataMaker } from './data.ts'
import { registryConverter } from './registry-converter.ts'
import { RegistryData } from './registry-data.ts'

const NEVER = new AbortController().signal
const ORDER = '{"order":1,"detail-type":"x"}'

async function convert(
  url: string,
  body: string,
  more: Props = {},
  changed: ((what: string) => void) | null = null,
): Promise<Converted> {
  const props = {
    ...{ 'connector.class': 'io.connect.sqs.SqsSourceConnector', 'sqs.queue.url': 'orders', 'kafka.topic': 'orders' },
    ...{ 'message.converter.class': 'io.connect.sqs.converter.AvroMessageConverter', 'schema.registry.url': url },
    ...more,
  }
  const settings = readSettings(props)
  const s3 = (): never => assert.fail('S3 must not be asked')
  return createConverter(settings, { s3, data: dataMaker(settings, props, changed) }).convert(messageOf(body), NEVER)
}

describe('a message converter with a schema registry', () => {
  /** Answers each path with what it was told, or 404 as a registry does. */
  const answers = new Map<string, object>()
  const registry = createServer((request, response) => {
    const answer = answers.get(request.url!.replace(/\?.*/, ''))
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answer ?? { error_code: 40_403, message: 'Schema not found' }))
  })
  let url: string
  before(async () => {
    await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(registry.address() as AddressInfo).port}`
    answers.set('/subjects/orders-value/versions', { id: 7 })
    answers.set('/schemas/ids/9', {
      schema:
        '{"type":"record","name":"O","fields":[{"name":"order","type":"int"},{"name":"detail_type","type":"string"}]}',
    })
  })
  after(() => {
    registry.close()
    registry.closeAllConnections()
  })

  test('writes the bytes of the converter that its name means, and says the type', async () => {
    const { value, headers } = await convert(url, ORDER)
    assert.equal((value as Buffer).subarray(0, 5).toString('hex'), '0000000007')
    assert.deepEqual(
      headers?.map(({ name, value: type }) => [name, type]),
      [['sqs.schema.type', 'Avro']],
    )
  })

  test('leaves a struct to a value converter of the connector', async () => {
    const { value, valueSchema } = await convert('http://127.0.0.1:1', ORDER, {
      'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    })
    assert.deepEqual({ ...(value as object) }, { detail_type: 'x', order: 1n })
    assert.equal(valueSchema?.name, 'io.connect.sqs.avro.orders_value')
  })

  test('writes with the schema of an id, which the body must fit', async () => {
    const byId = { 'value.schema.id': '9' }
    const { value } = await convert(url, ORDER, byId)
    assert.equal((value as Buffer).toString('hex'), '0000000009020278')
    await assert.rejects(convert(url, '{"order":1}', byId), {
      kind: 'data',
      code: 'BODY_MISFIT',
      message: /detail_type/,
    })
    await assert.rejects(convert(url, ORDER, { 'value.schema.id': '8' }), {
      ...{ kind: 'config', code: 'SQS_SCHEMA', message: /^Failed to fetch schema with ID 8: .*Schema not found/ },
    })
  })

  test('waits while the registry is away', async () => {
    const away = { kind: 'retriable', code: 'SQS_SCHEMA_REGISTRY_AWAY' }
    const none = 'http://127.0.0.1:1'
    await assert.rejects(convert(none, ORDER), {
      ...away,
      message: /^Failed to register schema for subject orders-value: /,
    })
    await assert.rejects(convert(none, ORDER, { 'schema.use.latest.version': 'true' }), {
      ...{
        ...away,
        message: /^Failed to fetch latest schema for subject orders-value: .*Schema registry not available/,
      },
    })
  })

  test('fails the task when the subject is deleted while it runs, for the messages are good', async () => {
    const path = '/subjects/orders-value/versions/latest'
    const props = {
      ...{ 'connector.class': 'io.connect.sqs.SqsSourceConnector', 'sqs.queue.url': 'orders', 'kafka.topic': 'orders' },
      ...{ 'message.converter.class': 'io.connect.sqs.converter.AvroMessageConverter', 'schema.registry.url': url },
      'schema.use.latest.version': 'true',
    }
    const settings = readSettings(props)
    let now = 0
    const maker = new RegistryData(registryConverter(settings)!, settings, props, null, () => now)
    answers.set(path, { ...answers.get('/schemas/ids/9'), id: 9, version: 1 })
    await maker.make(Buffer.from(ORDER), NEVER)
    answers.delete(path)
    now = 60_000
    await assert.rejects(async () => await maker.make(Buffer.from(ORDER), NEVER), {
      ...{ kind: 'config', code: 'SQS_SCHEMA', message: /^Failed to fetch latest schema for subject orders-value: / },
    })
  })

  test('takes nothing but objects', async () => {
    for (const body of ['[]', '1', 'null', 'text', '']) {
      await assert.rejects(convert(url, body), { kind: 'data', code: /^BODY_/ }, body)
    }
  })

  test('registers nothing in a preview, and says what it would', async () => {
    const said: string[] = []
    const { value } = await convert(url, ORDER, { 'kafka.topic': 'unseen' }, (what) => said.push(what))
    assert.equal((value as Buffer)[0], 0)
    assert.equal(said.length, 1)
  })

  test('needs the address of the registry', async () => {
    const field = 'schema.registry.url'
    await assert.rejects(convert('', ORDER), { field, message: 'Schema Registry URL is required for Avro converter' })
  })
})

describe('value.format=json', () => {
  test('makes data of the body', async () => {
    const plain = {
      'message.converter.class': 'io.connect.sqs.converter.DefaultMessageConverter',
      'value.format': 'json',
    }
    assert.deepEqual(await convert('', ORDER, plain), { value: { order: 1, 'detail-type': 'x' }, valueSchema: null })
    const { valueSchema } = await convert('', ORDER, { ...plain, 'value.schema.infer': 'true' })
    assert.deepEqual(
      valueSchema!.fields!.map(({ name }) => name),
      ['detail-type', 'order'],
    )
    await assert.rejects(convert('', 'text', plain), { kind: 'data', code: 'BODY_JSON' })
  })
})
