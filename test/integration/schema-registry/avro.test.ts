import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, describe, it } from 'node:test'
import { Decimal, type Field, LOGICAL, type Schema } from '@tributary/connect-api'
import { createConverter } from '@tributary/converters'
import { sharedSchemaRegistry } from '@tributary/harness'
import { read, write } from './convert.ts'
import { apicurioSerdes, confluentKafka, type ForeignSerdes } from './foreign-serdes.ts'
import { comparable, plain } from './plain.ts'

const url = await sharedSchemaRegistry()
const topicName = (): string => `avro-${randomUUID()}`

function converter(settings: Readonly<Record<string, string>> = {}, isKey = false) {
  const key = isKey ? 'key.converter' : 'value.converter'
  const own = Object.entries({ 'schema.registry.url': url, ...settings }).map(([name, value]) => [
    `${key}.${name}`,
    value,
  ])
  return createConverter(
    key,
    { [key]: 'io.confluent.connect.avro.AvroConverter', ...(Object.fromEntries(own) as Record<string, string>) },
    isKey,
  )
}

const struct = (name: string, fields: Readonly<Record<string, Schema>>): Schema => ({
  type: 'struct',
  name,
  fields: Object.entries(fields).map(([field, schema]): Field => ({ name: field, schema })),
})
const optional = (schema: Schema): Schema => ({ ...schema, optional: true })
const decimal: Schema = { type: 'bytes', name: LOGICAL.Decimal, version: 1, parameters: { scale: '2' } }
const text: Schema = { type: 'string' }

const line = struct('shop.Line', { sku: text, count: { type: 'int16' }, price: decimal })
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
  state: { ...text, default: 'new' },
  price: decimal,
  day: { type: 'int32', name: LOGICAL.Date, version: 1 },
  at: { type: 'int64', name: LOGICAL.Timestamp, version: 1 },
  lines: { type: 'array', valueSchema: line },
  first: optional(line),
  labels: { type: 'map', keySchema: text, valueSchema: optional(text) },
  byNumber: { type: 'map', keySchema: { type: 'int32' }, valueSchema: text },
})
const orders = [
  {
    ...{ id: 2n ** 63n - 1n, small: -128, count: -2_147_483_648, ratio: 0.5, total: 1e300, paid: true },
    ...{
      customer: 'häé✓😀',
      raw: Buffer.from([0, 255, 1]),
      note: null,
      state: 'paid',
      price: new Decimal(-12_345n, 2),
    },
    ...{ day: new Date(86_400_000 * 19_000), at: new Date(1_700_000_000_123) },
    ...{ lines: [], first: null, labels: new Map(), byNumber: new Map() },
  },
  {
    ...{ id: -(2n ** 63n), small: 127, count: 64, ratio: -2.25, total: 0, paid: false },
    ...{ customer: 'x'.repeat(200), raw: Buffer.alloc(0), note: '', state: 'new', price: new Decimal(10n ** 40n, 2) },
    ...{ day: new Date(-86_400_000), at: new Date(0) },
    lines: [
      { sku: 'a', count: 1, price: new Decimal(0n, 2) },
      { sku: 'b', count: -32_768, price: new Decimal(255n, 2) },
    ],
    first: { sku: 'c', count: 32_767, price: new Decimal(-1n, 2) },
    ...{ labels: new Map([['key', null]]), byNumber: new Map([[-7, 'seven']]) },
  },
]

/** Every client reads what we wrote as we meant it, writes the same bytes, and we read those as what they were. */
function agreesWith(
  what: string,
  start: () => Promise<ForeignSerdes>,
  more: (serdes: Promise<ForeignSerdes>) => void = () => undefined,
): void {
  describe(`Avro and ${what}`, () => {
    const serdes = start()
    after(async () => (await serdes).stop())

    it('read and write the same records, with the same ids and frames', async () => {
      const own = converter()
      const topic = topicName()
      for (const value of orders) {
        const bytes = await write(own, topic, order, value)
        const copy = await (await serdes).copy({ format: 'AVRO', url, topic, isKey: false, bytes })
        assert.deepEqual(comparable(copy.value), comparable(plain(value, order)))
        assert.equal(copy.bytes.toString('hex'), bytes.toString('hex'))
        assert.deepEqual(await read(own, topic, copy.bytes), { schema: order, value })
      }
    })

    it('read and write the same keys', async () => {
      const own = converter({}, true)
      const topic = topicName()
      const key = struct('shop.Key', { id: { type: 'int64' } })
      const bytes = await write(own, topic, key, { id: 5n })
      const copy = await (await serdes).copy({ format: 'AVRO', url, topic, isKey: true, bytes })
      assert.deepEqual([copy.value, copy.bytes], [plain({ id: 5n }, key), bytes])
    })

    more(serdes)
  })
}

agreesWith('confluent-kafka', confluentKafka)
agreesWith("Apicurio's serializers", apicurioSerdes, (serdes) => {
  it('a schema that refers to others is read', async () => {
    const own = converter()
    const topic = topicName()
    const [value] = orders.slice(1)
    const bytes = await write(own, topic, order, value)
    const copy = await (await serdes).copy({ format: 'AVRO', url, topic, isKey: false, bytes, references: true })
    assert.notEqual(copy.bytes.readUInt32BE(1), bytes.readUInt32BE(1))
    assert.deepEqual(await read(own, topic, copy.bytes), { schema: order, value })
  })
})

describe('the evolution of an Avro schema', () => {
  const versions = {
    v1: struct('shop.Customer', { id: { type: 'int64' }, name: text }),
    added: struct('shop.Customer', { id: { type: 'int64' }, name: text, city: optional(text) }),
    required: struct('shop.Customer', { id: { type: 'int64' }, name: text, city: text }),
    removed: struct('shop.Customer', { id: { type: 'int64' } }),
    changed: struct('shop.Customer', { id: text, name: text }),
  }
  const value = { id: 1n, name: 'Ada', city: 'London' }
  const cases: readonly [level: string, good: (keyof typeof versions)[], bad: (keyof typeof versions)[]][] = [
    ['BACKWARD', ['added', 'removed'], ['required', 'changed']],
    ['FORWARD', ['added', 'required'], ['removed', 'changed']],
    ['FULL', ['added'], ['required', 'removed', 'changed']],
  ]
  for (const [level, good, bad] of cases) {
    for (const version of [...good, ...bad]) {
      const allowed = good.includes(version)
      it(`${level}: "${version}" is ${allowed ? 'written and read' : "a data error with the registry's words"}`, async () => {
        const topic = topicName()
        const before = await write(converter(), topic, versions.v1, value)
        await setLevel(`${topic}-value`, level)
        const next = { ...value, ...(version === 'changed' ? { id: '1' } : {}) }
        const written = write(converter(), topic, versions[version], next)
        if (allowed) {
          assert.notEqual((await written).readUInt32BE(1), before.readUInt32BE(1))
          const own = converter()
          assert.deepEqual((await read(own, topic, before)).value, { id: 1n, name: 'Ada' })
          const { schema, value: again } = await read(own, topic, await written)
          assert.deepEqual(
            Object.keys(again as object),
            schema!.fields!.map(({ name }) => name),
          )
          return
        }
        await assert.rejects(written, { kind: 'data', code: 'SCHEMA_REFUSED', message: /Incompatible artifact/ })
      })
    }
  }

  it('the latest version is written where the settings say so, by the names of fields', async () => {
    const topic = topicName()
    await write(
      converter(),
      topic,
      struct('shop.Customer', { ...fieldsOf(versions.added), id: { type: 'int64' } }),
      value,
    )
    const latest = converter({ 'auto.register.schemas': 'false', 'use.latest.version': 'true' })
    const bytes = await write(latest, topic, struct('shop.Customer', { name: text, id: { type: 'int32' } }), {
      id: 9,
      name: 'Bo',
    })
    assert.deepEqual((await read(converter(), topic, bytes)).value, { id: 9n, name: 'Bo', city: null })
    await assert.rejects(write(latest, topic, versions.changed, { id: 'x', name: 'y' }), {
      code: 'SCHEMA_INCOMPATIBLE',
    })
  })
})

function fieldsOf({ fields = [] }: Schema): Record<string, Schema> {
  return Object.fromEntries(fields.map(({ name, schema }) => [name, schema]))
}

async function setLevel(subject: string, compatibility: string): Promise<void> {
  const answer = await fetch(`${url}/config/${subject}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ compatibility }),
  })
  assert.equal(answer.status, 200, await answer.text())
}
