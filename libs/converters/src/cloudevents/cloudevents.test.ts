import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConnectRecord, Converter, Schema } from '@tributary/connect-api'
import { createConverter } from '../registry.ts'

function converter(
  settings: Record<string, string> = {},
  name = 'io.tributary.connect.converters.CloudEventsConverter',
): Converter {
  const own = Object.entries(settings).map(([key, value]): [string, string] => [`value.converter.${key}`, value])
  return createConverter('value.converter', { 'value.converter': name, ...Object.fromEntries(own) }, false)
}

const record = (value: unknown, more: Partial<ConnectRecord> = {}): ConnectRecord => ({
  topic: 'orders',
  key: null,
  value,
  timestamp: 1_767_225_600_123,
  ...more,
})

function write(from: Converter, given: ConnectRecord) {
  const bytes = from.fromConnectData(given.topic, given.valueSchema ?? null, given.value, given)
  const headers = [...from.headersOf!(given)].map(([name, text]) => [name, Buffer.from(text)] as const)
  return { bytes, headers, read: from.toConnectData(given.topic, bytes, headers).value as Record<string, unknown> }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

test('a structured event is JSON with its content type, and is read back', () => {
  const { bytes, headers, read } = write(converter({ 'attributes.type': 'shop.{topic}' }), record({ a: 1 }))
  const event = JSON.parse(String(bytes)) as Record<string, unknown>
  assert.match(String(event['id']), UUID)
  assert.deepEqual(event, {
    specversion: '1.0',
    id: event['id'],
    source: '/tributary/orders',
    type: 'shop.orders',
    datacontenttype: 'application/json',
    time: '2026-01-01T00:00:00.123Z',
    data: { a: 1 },
  })
  assert.deepEqual(headers, [['content-type', Buffer.from('application/cloudevents+json; charset=UTF-8')]])
  assert.deepEqual(read, event)
})

test('a binary event has its attributes in headers', () => {
  const settings = { 'content.mode': 'binary', 'metadata.headers': 'id:message_id,subject:about,partitionkey:absent' }
  const headers = [
    { name: 'message_id', value: 'm-1' },
    { name: 'about', value: 7 },
  ]
  const written = write(converter(settings), record({ a: 1 }, { headers }))
  assert.equal(String(written.bytes), '{"a":1}')
  const attributes = {
    specversion: '1.0',
    id: 'm-1',
    source: '/tributary/orders',
    type: 'io.tributary.record',
    datacontenttype: 'application/json',
    time: '2026-01-01T00:00:00.123Z',
    subject: '7',
  }
  const names = Object.keys(attributes).map((name) => (name === 'datacontenttype' ? 'content-type' : `ce_${name}`))
  assert.deepEqual(
    written.headers.map(([name]) => name),
    names,
  )
  assert.deepEqual(written.read, { ...attributes, data: { a: 1 } })
})

test('data with a schema is written by it; bytes are Base64 or stay as they are', () => {
  const valueSchema: Schema = { type: 'struct', fields: [{ name: 'at', schema: { type: 'int64' } }] }
  assert.deepEqual(write(converter(), record({ at: 2n ** 60n }, { valueSchema })).read['data'], { at: 2n ** 60n })
  const enveloped = write(converter({ 'json.schemas.enable': 'true' }), record({ at: 5n }, { valueSchema })).read
  assert.deepEqual(Object.keys(enveloped['data'] as object), ['schema', 'payload'])
  const bytes = Buffer.from([0, 255])
  const structured = write(converter(), record(bytes))
  assert.match(String(structured.bytes), /"datacontenttype":"application\/octet-stream".*"data_base64":"AP8="/)
  assert.deepEqual(structured.read['data'], bytes)
  const binary = write(converter({ 'content.mode': 'binary' }), record(bytes))
  assert.deepEqual(
    [binary.bytes, binary.read['data'], binary.read['datacontenttype']],
    [bytes, bytes, 'application/octet-stream'],
  )
})

test('a value that is an event stays that event, in either mode; null is a tombstone', () => {
  const event = { specversion: '1.0', id: '1', source: '/s', type: 't', myext: 5, data: { b: [1] } }
  assert.deepEqual(write(converter(), record(event)).read, event)
  const binary = write(converter({ 'content.mode': 'binary' }), record(event))
  assert.equal(String(binary.bytes), '{"b":[1]}')
  assert.deepEqual(binary.read, { ...event, myext: '5', datacontenttype: 'application/json' })
  const tombstone = write(converter(), record(null))
  assert.deepEqual([tombstone.bytes, tombstone.headers], [null, []])
})

test('an event that came with its data in Base64 keeps the data in either mode', () => {
  const event = { specversion: '1.0', id: '1', source: '/s', type: 't', data_base64: 'AAH/' }
  const data = Buffer.from([0, 1, 255])
  for (const mode of ['structured', 'binary']) {
    const { bytes, read } = write(converter({ 'content.mode': mode }), record(event))
    assert.deepEqual(read['data'], data)
    if (mode === 'binary') assert.deepEqual(bytes, data)
  }
  const bad = record({ ...event, data_base64: 'AAH/*' })
  assert.throws(() => write(converter({ 'content.mode': 'binary' }), bad), { kind: 'data', message: /no Base64/ })
})

test('it has the name of Debezium too, and refuses keys and settings that do not fit', () => {
  converter({}, 'io.debezium.converters.CloudEventsConverter')
  converter({}, 'CloudEvents')
  const refused = { name: 'ConfigError' }
  assert.throws(() => createConverter('key.converter', { 'key.converter': 'CloudEvents' }, true), refused)
  assert.throws(() => converter({ 'metadata.headers': 'id' }), {
    ...refused,
    field: 'value.converter.metadata.headers',
  })
  assert.throws(() => converter({ 'metadata.headers': 'Bad:x' }), refused)
  assert.throws(() => converter({ 'serializer.type': 'avro' }), refused)
})

test('what is no event is a data error', () => {
  const reader = converter()
  const bad = [
    '',
    'null',
    '[]',
    '{"specversion":"1.0"}',
    '{"specversion":"0.3","id":"1","source":"s","type":"t"}',
    '{"specversion":"1.0","id":"1","source":"s","type":"t","data_base64":5}',
    '\u0000',
  ]
  for (const text of bad) {
    assert.throws(
      () => reader.toConnectData('t', Buffer.from(text)),
      { name: 'DataError', code: 'CONVERTER_CLOUD_EVENT' },
      text,
    )
  }
  const headers = [['ce_specversion', Buffer.from('1.0')]] as const
  assert.throws(() => reader.toConnectData('t', Buffer.from('{}'), headers), {
    code: 'CONVERTER_CLOUD_EVENT',
    message: /ce_id/,
  })
})
