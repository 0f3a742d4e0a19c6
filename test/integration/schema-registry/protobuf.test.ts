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

/** Every client reads what we wrote as we meant it, writes the same message, and we read that as what it was. */
function agreesWith(what: string, start: () => Promise<ForeignSerdes>): void {
  describe(`Protobuf and ${what}`, () => {
    const client = start()
    after(async () => (await client).stop())

    it('read and write the same records', async () => {
      const topic = topicName()
      const { copy } = await client
      for (const value of orders) {
        const bytes = await write(converter(optionals), topic, order, value)
        const copied = await copy({ format: 'PROTOBUF', url, topic, isKey: false, bytes })
        assert.deepEqual(comparable(copied.value), comparable(plain(value, order)))
        assert.equal(copied.bytes.subarray(5).toString('hex'), bytes.subarray(5).toString('hex'))
        assert.deepEqual((await read(converter(optionals), topic, copied.bytes)).value, value)
      }
    })

    it('read and write a scalar, whose message is not the first of its file', async () => {
      const topic = topicName()
      const bytes = await write(converter(), topic, text, 'text')
      assert.equal(bytes.subarray(5).toString('hex'), '020e0a0474657874')
      const copied = await (await client).copy({ format: 'PROTOBUF', url, topic, isKey: false, bytes })
      assert.equal(copied.bytes.subarray(5).toString('hex'), bytes.subarray(5).toString('hex'))
      assert.deepEqual(await read(converter(), topic, bytes), { schema: { type: 'string' }, value: 'text' })
    })
  })
}

agreesWith("Python's confluent-kafka", confluentKafka)
void apicurioSerdes
