import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, describe, it } from 'node:test'
import { Decimal, type Field, LOGICAL, type Schema } from '@tributary/connect-api'
import { createConverter } from '@tributary/converters'
import { sharedSchemaRegistry } from '@tributary/harness'
import { read, write } from './convert.ts'
import { apicurioSerdes, confluentKafka, type ForeignSerdes } from './foreign-serdes.ts'
import { plain, comparable } from './plain.ts'

const url = await sharedSchemaRegistry()
const topicName = (): string => `protobuf-${randomUUID()}`

function converter(settings: Readonly<Record<string, string>> = {}) {
  const own = Object.entries({ 'schema.registry.url': url, ...settings }).map(([name, value]): [string, string] => [
    `value.converter.${name}`,
    value,
  ])
  const name = 'io.confluent.connect.protobuf.ProtobufConverter'
  return createConverter('value.converter', { 'value.converter': name, ...Object.fromEntries(own) }, false)
}

const struct = (name: string, fields: Readonly<Record<string, Schema>>): Schema => ({
  type: 'struct',
  name,
  fields: Object.entries(fields).map(([field, schema]): Field => ({ name: field, schema })),
})
const optional = (schema: Schema): Schema => ({ ...schema, optional: true })
const decimal: Schema = { type: 'bytes', name: LOGICAL.Decimal, version: 1, parameters: { scale: '2' } }
const text: Schema = { type: 'string' }

const line = struct('Line', { sku: text, count: { type: 'int16' }, price: decimal })
const state: Schema = {
  ...text,
  name: 'State',
  parameters: {
    'io.confluent.connect.protobuf.Enum': 'State',
    'io.confluent.connect.protobuf.Enum.NEW': '0',
    'io.confluent.connect.protobuf.Enum.PAID': '7',
  },
}
const order = struct('shop.Order', {
  id: { type: 'int64' },
  small: { type: 'int8' },
  count: { type: 'int32' },
  ratio: { type: 'float32' },
  total: { type: 'float64' },
  paid: { type: 'boolean' },
  customer: text,
  raw: { type: 'bytes' },
  note: optional(text),
  number: { type: 'int64', parameters: { 'protobuf.type': 'sint64' } },
  fixed: { type: 'int64', parameters: { 'protobuf.type': 'fixed32' } },
  state,
  states: { type: 'array', valueSchema: state },
  price: decimal,
  day: { type: 'int32', name: LOGICAL.Date, version: 1 },
  clock: { type: 'int32', name: LOGICAL.Time, version: 1 },
  at: { type: 'int64', name: LOGICAL.Timestamp, version: 1 },
  numbers: { type: 'array', valueSchema: { type: 'int32' } },
  lines: { type: 'array', valueSchema: line },
  first: optional(line),
  labels: { type: 'map', keySchema: text, valueSchema: text },
  by_number: { type: 'map', keySchema: { type: 'int32' }, valueSchema: line },
})
const orders = [
  {
    ...{ id: 2n ** 63n - 1n, small: -128, count: -2_147_483_648, ratio: 0.5, total: 1e300, paid: true },
    ...{ customer: 'häé✓😀', raw: Buffer.from([0, 255, 1]), note: null, number: -1n, fixed: 4_294_967_295n },
    ...{ state: 'PAID', states: ['NEW', 'PAID'], price: new Decimal(-12_345n, 2) },
    ...{ day: new Date(86_400_000 * 19_000), clock: new Date(86_399_999), at: new Date(1_700_000_000_123) },
    ...{ numbers: [0, -1, 2_147_483_647], lines: [], first: null, labels: new Map(), by_number: new Map() },
  },
  {
    ...{ id: -(2n ** 63n), small: 127, count: 0, ratio: -2.25, total: 0, paid: false },
    ...{ customer: 'x'.repeat(20_000), raw: Buffer.alloc(0), note: '', number: 2n ** 62n, fixed: 0n },
    ...{ state: 'NEW', states: [], price: new Decimal(10n ** 40n, 2) },
    ...{ day: new Date(-86_400_000), clock: new Date(0), at: new Date(-1) },
    numbers: [],
    lines: [
      { sku: '', count: 0, price: new Decimal(0n, 2) },
      { sku: 'b', count: -32_768, price: new Decimal(255n, 2) },
    ],
    first: { sku: 'c', count: 32_767, price: new Decimal(-1n, 2) },
    labels: new Map([
      ['', 'empty'],
      ['key', ''],
    ]),
    by_number: new Map([[-7, { sku: 'seven', count: 7, price: new Decimal(7n, 2) }]]),
  },
]
const optionals = { 'optional.for.nullables': 'true' }

interface Case {
  readonly schema: Schema
  readonly values: readonly unknown[]
  /** The Java class of the message, for Apicurio's serializers, which make none from a schema. */
  readonly javaClass?: string
}

/** Every client reads what we wrote as we meant it, writes the same indexes and message, and we read that as what it was. */
function agreesWith(what: string, start: () => Promise<ForeignSerdes>, { schema, values, javaClass }: Case): void {
  describe(`Protobuf and ${what}`, () => {
    const client = start()
    after(async () => (await client).stop())
    const copy = async (topic: string, bytes: Buffer, message: string | undefined) =>
      await (
        await client
      ).copy({ format: 'PROTOBUF', url, topic, isKey: false, bytes, ...(message === undefined ? {} : { message }) })

    it('read and write the same records', async () => {
      const topic = topicName()
      for (const value of values) {
        const bytes = await write(converter(optionals), topic, schema, value)
        const copied = await copy(topic, bytes, javaClass)
        assert.deepEqual(comparable(copied.value), comparable(plain(value, schema)))
        // Apicurio writes the index of the first message as a list of one, Confluent as one byte 0. Both read either.
        assert.equal(copied.bytes.subarray(5).toString('hex').replace(/^0200/, '00'), bytes.subarray(5).toString('hex'))
        assert.deepEqual((await read(converter(optionals), topic, copied.bytes)).value, value)
      }
    })

    it('read and write a scalar, whose message is not the first of its file', async () => {
      const topic = topicName()
      const bytes = await write(converter(), topic, text, 'text')
      assert.equal(bytes.subarray(5).toString('hex'), '020e0a0474657874')
      const copied = await copy(topic, bytes, javaClass === undefined ? undefined : 'com.google.protobuf.StringValue')
      assert.equal(copied.bytes.subarray(5).toString('hex'), bytes.subarray(5).toString('hex'))
      assert.deepEqual(await read(converter(), topic, bytes), { schema: { type: 'string' }, value: 'text' })
    })
  })
}

const address = struct('google.type.PostalAddress', {
  revision: { type: 'int32' },
  ...Object.fromEntries(
    ['region', 'language', 'postal', 'sorting'].map((name): [string, Schema] => [`${name}_code`, text]),
  ),
  ...{ administrative_area: text, locality: text, sublocality: text },
  address_lines: { type: 'array', valueSchema: text },
  recipients: { type: 'array', valueSchema: text },
  organization: text,
})
const addressValue = {
  ...{ revision: -1, region_code: 'DE', language_code: '', postal_code: '10115', sorting_code: '' },
  ...{ administrative_area: '', locality: 'Berlin', sublocality: '', address_lines: ['Straße 1', ''], recipients: [] },
  organization: '😀',
}

agreesWith("Python's confluent-kafka", confluentKafka, { schema: order, values: orders })
agreesWith("Apicurio's serializers", apicurioSerdes, {
  schema: address,
  values: [addressValue],
  javaClass: 'com.google.type.PostalAddress',
})

describe('the evolution of a Protobuf schema', () => {
  const before = struct('shop.Customer', { id: { type: 'int64' }, name: text })
  const value = { id: 1n, name: 'Ada', city: 'London' }
  const refusal = { kind: 'data', code: 'SCHEMA_REFUSED', message: /[Ii]ncompatible/ }

  it('a field that is added is registered and read; a changed type is a data error with the words of the registry', async () => {
    const topic = topicName()
    const first = await write(converter(), topic, before, value)
    const answer = await fetch(`${url}/config/${topic}-value`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: '{"compatibility":"BACKWARD"}',
    })
    assert.equal(answer.status, 200)
    const added = struct('shop.Customer', { id: { type: 'int64' }, name: text, city: text })
    const second = await write(converter(), topic, added, value)
    assert.notEqual(second.readUInt32BE(1), first.readUInt32BE(1))
    assert.deepEqual((await read(converter(), topic, second)).value, value)
    const changed = struct('shop.Customer', { id: text, name: text })
    await assert.rejects(write(converter(), topic, changed, { id: '1', name: 'Ada' }), refusal)
  })

  it('the latest version is named in the frame where the settings say so', async () => {
    const topic = topicName()
    const latest = { 'auto.register.schemas': 'false', 'use.latest.version': 'true' }
    const registered = await write(
      converter(),
      topic,
      struct('shop.Customer', { id: { type: 'int64' }, name: text, city: text }),
      value,
    )
    const bytes = await write(converter(latest), topic, before, value)
    assert.equal(bytes.readUInt32BE(1), registered.readUInt32BE(1))
    assert.deepEqual((await read(converter(), topic, bytes)).value, { id: 1n, name: 'Ada', city: '' })
    const changed = struct('shop.Customer', { id: text, name: text })
    await assert.rejects(write(converter(latest), topic, changed, { id: '1', name: 'Ada' }), {
      code: 'CONVERTER_BAD_SCHEMA',
    })
    await assert.rejects(write(converter(latest), topic, struct('shop.Other', { id: text }), { id: '1' }), {
      code: 'CONVERTER_BAD_SCHEMA',
    })
  })
})
