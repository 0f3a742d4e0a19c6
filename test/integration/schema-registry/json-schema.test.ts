import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, describe, it } from 'node:test'
import { Decimal, type Field, LOGICAL, type Schema } from '@tributary/connect-api'
import { createConverter } from '@tributary/converters'
import { sharedSchemaRegistry } from '@tributary/harness'
import { read, write } from './convert.ts'
import { apicurioSerdes, confluentKafka, type ForeignSerdes } from './foreign-serdes.ts'

const url = await sharedSchemaRegistry()
const topicName = (): string => `json-schema-${randomUUID()}`

function converter(settings: Readonly<Record<string, string>> = {}) {
  const own = Object.entries({ 'schema.registry.url': url, ...settings }).map(([name, value]): [string, string] => [
    `value.converter.${name}`,
    value,
  ])
  const name = 'io.confluent.connect.json.JsonSchemaConverter'
  return createConverter('value.converter', { 'value.converter': name, ...Object.fromEntries(own) }, false)
}

const struct = (name: string, fields: Readonly<Record<string, Schema>>): Schema => ({
  type: 'struct',
  name,
  fields: Object.entries(fields).map(([field, schema]): Field => ({ name: field, schema })),
})
const optional = (schema: Schema): Schema => ({ ...schema, optional: true })
const text: Schema = { type: 'string' }
const line = struct('shop.Line', { sku: text, count: { type: 'int16' } })
const order = struct('shop.Order', {
  id: { type: 'int64' },
  small: { type: 'int8' },
  count: { type: 'int32' },
  ratio: { type: 'float64' },
  paid: { type: 'boolean' },
  customer: text,
  raw: { type: 'bytes' },
  note: optional(text),
  state: { ...text, default: 'new' },
  price: { type: 'bytes', name: LOGICAL.Decimal, version: 1, parameters: { scale: '2' } },
  day: { type: 'int32', name: LOGICAL.Date, version: 1 },
  at: { type: 'int64', name: LOGICAL.Timestamp, version: 1 },
  lines: { type: 'array', valueSchema: line },
  first: optional(line),
  labels: { type: 'map', keySchema: text, valueSchema: optional(text) },
  by_number: { type: 'map', keySchema: { type: 'int32' }, valueSchema: text },
})
const value = {
  ...{ id: 2n ** 53n - 1n, small: -128, count: -2_147_483_648, ratio: -0.25, paid: true, customer: 'häé✓😀' },
  ...{ raw: Buffer.from([0, 255, 1]), note: null, state: 'paid', price: new Decimal(-12_345n, 2) },
  ...{ day: new Date(86_400_000 * 19_000), at: new Date(1_700_000_000_123) },
  lines: [{ sku: 'a', count: 1 }],
  first: { sku: 'c', count: 32_767 },
  labels: new Map([['key', null]]),
  by_number: new Map([[-7, 'seven']]),
}
// Both clients validate, and a Decimal as Base64 does not fit the schema, which says number.
const numeric = { 'decimal.format': 'NUMERIC', 'json.fail.invalid.schema': 'true' }

function payloadOf(bytes: Buffer): unknown {
  return JSON.parse(bytes.subarray(5).toString('utf8'))
}

/** Every client finds that the record fits its schema, writes the same JSON, and we read that as what it was. */
function agreesWith(what: string, start: () => Promise<ForeignSerdes>): void {
  describe(`JSON Schema and ${what}`, () => {
    const client = start()
    after(async () => (await client).stop())

    it('read and write the same records', async () => {
      const topic = topicName()
      const bytes = await write(converter(numeric), topic, order, value)
      const copied = await (await client).copy({ format: 'JSON', url, topic, isKey: false, bytes })
      assert.deepEqual(payloadOf(copied.bytes), payloadOf(bytes))
      const again = await read(converter(numeric), topic, copied.bytes)
      assert.deepEqual(again.value, value)
    })
  })
}

agreesWith("Python's confluent-kafka", confluentKafka)
agreesWith("Apicurio's serializers", apicurioSerdes)

describe('the evolution of a JSON Schema', () => {
  const customer = struct('shop.Customer', { id: { type: 'int64' }, name: text })

  it('a changed type is a data error with the words of the registry', async () => {
    const topic = topicName()
    await write(converter(), topic, customer, { id: 1n, name: 'Ada' })
    const answer = await fetch(`${url}/config/${topic}-value`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: '{"compatibility":"BACKWARD"}',
    })
    assert.equal(answer.status, 200)
    const changed = struct('shop.Customer', { id: text, name: text })
    await assert.rejects(write(converter(), topic, changed, { id: 'x', name: 'Ada' }), {
      kind: 'data',
      code: 'SCHEMA_REFUSED',
      message: /[Ii]ncompatible/,
    })
  })

  it('a record that the latest version does not allow is refused', async () => {
    const topic = topicName()
    const registered = await write(converter(), topic, customer, { id: 1n, name: 'Ada' })
    const latest = converter({ 'auto.register.schemas': 'false', 'use.latest.version': 'true' })
    const fits = struct('shop.Customer', { id: { type: 'int32' }, name: text })
    const bytes = await write(latest, topic, fits, { id: 2, name: 'Bo' })
    assert.equal(bytes.readUInt32BE(1), registered.readUInt32BE(1))
    assert.deepEqual((await read(converter(), topic, bytes)).value, { id: 2n, name: 'Bo' })
    const changed = struct('shop.Customer', { id: text, name: text })
    await assert.rejects(write(latest, topic, changed, { id: 'x', name: 'Ada' }), {
      code: 'CONVERTER_JSON_SCHEMA',
      message: /#\/id: must be integer/,
    })
  })
})
