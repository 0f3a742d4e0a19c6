import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { defineConfig } from '@tributary/config'
import {
  ConnectError,
  Decimal,
  NotConnectedError,
  parseConfig,
  type Props,
  type Schema,
  type SourceRecord,
} from '@tributary/connect-api'
import { BODY_KEYS, BODY_RULES, BodyReader, bodyReader } from './index.ts'

const spec = defineConfig(BODY_KEYS, { rules: BODY_RULES })

function readerWith(props: Props = {}): BodyReader {
  const all = { 'value.format': 'json', ...props }
  return bodyReader(parseConfig(spec, all), all)!
}

const read = (text: string, props: Props = {}): unknown => readerWith(props).read(text, 't').value

function errorOf(run: () => unknown): ConnectError {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof ConnectError, `unclassified: ${String(error)}`)
    return error
  }
  throw new assert.AssertionError({ message: 'nothing was thrown' })
}

const connectSchema = (fields: object[]): Props => ({
  'value.schema': JSON.stringify({ type: 'struct', name: 'quote', fields }),
})

describe('a body as JSON', () => {
  it('is not read at all by default', () => {
    assert.equal(bodyReader(parseConfig(spec, {}), {}), null)
  })

  it('is plain data without a schema, integers beyond 2^53 exact', () => {
    const { schema, value } = readerWith().read(Buffer.from('{"a":[1,9007199254740993,1.5,null],"__proto__":"x"}'), 't')
    assert.equal(schema, null)
    assert.deepEqual((value as { a: unknown }).a, [1, 9007199254740993n, 1.5, null])
    assert.deepEqual(Object.keys(value as object), ['a', '__proto__'])
  })

  it('that is no JSON, has a key twice or is too deep is a data error', () => {
    const refused = (text: string | Uint8Array): string => {
      const error = errorOf(() => readerWith().read(text, 't'))
      assert.deepEqual([error.kind, error.code], ['data', 'BODY_JSON'])
      return error.message
    }
    assert.match(refused('{"a":'), /the body is no JSON/)
    assert.match(refused(''), /the body is no JSON/)
    assert.match(refused('{"a":1,"b":[{"c":":","c":"\\"::"}]}'), /a key twice/)
    assert.match(refused(`${'['.repeat(101)}${']'.repeat(101)}`), /deeper than 100/)
    assert.match(refused(Buffer.of(0x22, 0xff, 0x22)), /not UTF-8/)
    assert.deepEqual(read('{"a:\\"":{":":1}}'), { 'a:"': { ':': 1 } })
  })

  it('becomes the value of a record, or its error with the received bytes', () => {
    const record = (value: string): SourceRecord => ({
      ...{ sourcePartition: {}, sourceOffset: {}, topic: 't', key: null, value, timestamp: null, originalIsText: true },
    })
    const reader = readerWith()
    const good = reader.apply(record('{"a":1}'))
    assert.deepEqual([good.value, good.valueSchema, good.originalIsText], [{ a: 1 }, null, false])
    const bad = reader.apply(record('{'))
    assert.deepEqual([bad.value, bad.error?.code, bad.original], [null, 'BODY_JSON', Buffer.from('{')])
    assert.equal(reader.apply({ ...record('{}'), value: null }).value, null)
  })
})

describe('an inferred schema for ProtobufConverter', () => {
  it('has numbers that a new field does not move', () => {
    const reader = readerWith({
      'value.schema.infer': 'true',
      'value.converter': 'io.confluent.connect.protobuf.ProtobufConverter',
    })
    const tags = (text: string): unknown[] => {
      const { schema } = reader.read(text, 't')
      return schema!.fields!.map(({ name, schema: of }) => [name, of.parameters?.['io.confluent.connect.protobuf.Tag']])
    }
    const [b] = tags('{"b":1}')
    assert.match(String(b), /^b,\d+$/)
    assert.deepEqual(tags('{"a":1,"b":1}')[1], b)
    const avro = readerWith({ 'value.schema.infer': 'true', 'value.converter': 'AvroConverter' })
    assert.equal(avro.read('{"b":1}', 't').schema!.fields![0]!.schema.parameters, undefined)
  })
})

describe('a body with a given schema', () => {
  const given = connectSchema([
    { field: 'i', type: 'int32' },
    { field: 'l', type: 'int64', optional: true },
    { field: 'd', type: 'double', default: 2 },
    { field: 'b', type: 'bytes', optional: true },
    {
      field: 'p',
      type: 'bytes',
      name: 'org.apache.kafka.connect.data.Decimal',
      parameters: { scale: '2' },
      optional: true,
    },
    { field: 'at', type: 'int64', name: 'org.apache.kafka.connect.data.Timestamp', optional: true },
    { field: 'on', type: 'int32', name: 'org.apache.kafka.connect.data.Date', optional: true },
    { field: 'm', type: 'map', keys: { type: 'string' }, values: { type: 'float' }, optional: true },
    { field: 'list', type: 'array', items: { type: 'struct', fields: [{ field: 'x', type: 'int8' }] }, optional: true },
  ])

  it('has the types of the schema, its defaults, and null where a field may have none', () => {
    const text = `{"i":5,"l":9223372036854775807,"b":"AQI=","p":1234567890123456789.10,"at":"2024-01-02T03:04:05.678+01:00",
      "on":1,"m":{"k":1.5},"list":[{"x":-128}]}`
    assert.deepEqual(read(text, given), {
      ...{ i: 5, l: 2n ** 63n - 1n, d: 2, b: Buffer.of(1, 2), p: new Decimal(123456789012345678910n, 2) },
      ...{
        at: new Date('2024-01-02T02:04:05.678Z'),
        on: new Date(86_400_000),
        m: new Map([['k', 1.5]]),
        list: [{ x: -128 }],
      },
    })
    assert.deepEqual(Object.values(read('{"i":0}', given) as object), [0, null, 2, ...Array<null>(6).fill(null)])
  })

  it('that does not fit is a data error that names the field', () => {
    const refused = (text: string, props: Props = {}): string => {
      const error = errorOf(() => read(text, { ...given, ...props }))
      assert.deepEqual([error.kind, error.code], ['data', 'BODY_MISFIT'])
      return error.message
    }
    assert.match(refused('{}'), /schema, i: there is no value/)
    assert.match(refused('{"i":2147483648}'), /schema, i: 2147483648 is beyond the range/)
    assert.match(refused('{"i":1.5}'), /schema, i: 1\.5 is not a whole number/)
    assert.match(refused('{"i":1,"l":9223372036854775808}'), /schema, l: .* beyond int64/)
    assert.match(refused('{"i":1,"d":9007199254740993}'), /schema, d: a double cannot hold/)
    assert.match(refused('{"i":1,"p":1.005}'), /schema, p: 1\.005 has more than 2 decimal places/)
    assert.match(refused('{"i":1,"b":"no base64"}'), /schema, b: .* is not Base64/)
    assert.match(refused('{"i":1,"list":[{"x":1},{"x":"1"}]}'), /schema, list\.1\.x: 1 is not a whole number/)
    assert.match(refused('{"i":1,"at":"yesterday"}'), /schema, at: .* is not a timestamp/)
    // Date.parse takes these for days that follow.
    for (const at of ['2024-02-30T00:00:00Z', '2023-02-29T00:00:00+01:00', '2024-01-01T24:00:00Z'])
      assert.match(refused(`{"i":1,"at":"${at}"}`), /schema, at: .* is not a timestamp/)
    for (const on of ['2024-02-30', '2024-04-31']) assert.match(refused(`{"i":1,"on":"${on}"}`), /on: .* is not a date/)
    assert.match(refused('{"i":1,"m":{"k":1e300}}'), /m\.k: 1e\+300 is beyond float32/)
    assert.match(refused('{"i":1,"new":2}'), /schema: the schema has no field "new"/)
    assert.match(refused('[]'), /an array is not an object/)
    assert.deepEqual(
      (read('{"i":1,"new":2}', { ...given, 'value.schema.unknown.fields': 'drop' }) as { i: number }).i,
      1,
    )
  })

  it('may be written as a schema of Avro or JSON Schema', () => {
    const avro = {
      type: 'record',
      name: 'q',
      fields: [
        { name: 's', type: 'string' },
        { name: 'n', type: ['null', 'long'] },
      ],
    }
    const json = { type: 'object', properties: { s: { type: 'string' }, n: { type: 'integer' } }, required: ['s'] }
    for (const schema of [avro, json]) {
      const props = { 'value.schema': JSON.stringify(schema) }
      assert.deepEqual({ ...(read('{"n":5,"s":"x"}', props) as object) }, { s: 'x', n: 5n })
      assert.deepEqual({ ...(read('{"s":"x"}', props) as object) }, { s: 'x', n: null })
      assert.equal(errorOf(() => read('{"n":5}', props)).code, 'BODY_MISFIT')
    }
  })

  it('may have the latest schema of a subject, which a connect asks for', async (t) => {
    const version = {
      id: 7,
      version: 2,
      schema: '{"type":"record","name":"q","fields":[{"name":"s","type":"string"}]}',
    }
    const registry = createServer((request, response) => {
      const found = request.url!.startsWith('/subjects/quotes-value/versions/latest')
      response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' })
      response.end(JSON.stringify(found ? version : { error_code: 40_401, message: 'Subject not found' }))
    })
    await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve))
    t.after(() => {
      registry.close()
      registry.closeAllConnections()
    })
    const url = `http://127.0.0.1:${(registry.address() as AddressInfo).port}`
    const subject = (name: string, at: string): BodyReader =>
      readerWith({ 'value.schema.subject': name, 'schema.registry.url': at })
    const never = new AbortController().signal
    const reader = subject('quotes-value', url)
    await reader.connect(never)
    assert.equal(reader.read('{"s":"x"}', 't').schema!.name, 'q')
    assert.equal(errorOf(() => reader.read('{}', 't')).code, 'BODY_MISFIT')
    const none = { code: 'BODY_SCHEMA', kind: 'config', field: 'value.schema.subject', message: /Subject not found/ }
    await assert.rejects(subject('none', url).connect(never), none)
    await assert.rejects(subject('quotes-value', 'http://127.0.0.1:1').connect(never), NotConnectedError)
    registry.close()
    registry.closeAllConnections()
    await reader.connect(never)
    assert.equal(reader.read('{"s":"x"}', 't').schema!.name, 'q')
    await assert.rejects(subject('quotes-value', url).connect(never), NotConnectedError)
  })

  it('must be a schema, and the only one', () => {
    const refused = (schema: string): ConnectError => errorOf(() => readerWith({ 'value.schema': schema }))
    for (const text of ['{', '5', '{"type":"struct","fields":[{"field":"a","type":"in"}]}', '{}']) {
      const error = refused(text)
      assert.deepEqual([error.kind, error.code, error.field], ['config', 'BODY_SCHEMA', 'value.schema'], text)
    }
    assert.throws(() => readerWith({ ...given, 'value.schema.subject': 's' }), /value\.schema/)
  })
})

describe('an inferred schema', () => {
  const INFER = { 'value.schema.infer': 'true' }
  const shown = ({ type, fields, valueSchema }: Schema): unknown => {
    if (type === 'struct') return Object.fromEntries(fields!.map(({ name, schema }) => [name, shown(schema)]))
    return type === 'array' ? [shown(valueSchema!)] : type
  }
  const inferred = (...texts: string[]): unknown[] => {
    const reader = readerWith(INFER)
    return texts.map((text) => {
      const { schema, value } = reader.read(text, 't')
      return [schema && shown(schema), value]
    })
  }

  it('has optional fields in the order of their names, whichever body came first', () => {
    const [a, b] = [readerWith(INFER), readerWith(INFER)]
    const texts = ['{"b":{"y":1,"x":"s"},"a":true}', '{"c":[{"k":1.5}],"a":false}']
    for (const text of texts) a.read(text, 'my-topic')
    for (const text of texts.toReversed()) b.read(text, 'my-topic')
    const [one, two] = [a, b].map((reader) => reader.read('{}', 'my-topic').schema!)
    assert.deepEqual(one, two)
    assert.deepEqual(shown(one!), { a: 'boolean', b: { x: 'string', y: 'int64' }, c: [{ k: 'float64' }] })
    assert.deepEqual([one!.name, one!.fields![1]!.schema.name], ['my_topic_value', 'my_topic_value.b'])
    assert.ok(one!.fields!.every(({ schema }) => schema.optional))
    assert.equal(one!.optional, undefined)
  })

  it('stays the same object while it need not widen', () => {
    const reader = readerWith(INFER)
    const first = reader.read('{"a":1,"b":null}', 't')
    const second = reader.read('{"a":null}', 't')
    assert.equal(first.schema, second.schema)
    assert.deepEqual([first.value, second.value], [{ a: 1n }, { a: null }])
  })

  it('widens int64 to float64, and what differs otherwise to text', () => {
    assert.deepEqual(inferred('{"a":1}', '{"a":1.5}', '{"a":2}', '{"a":"s"}', '{"a":{"b":[1]}}'), [
      [{ a: 'int64' }, { a: 1n }],
      [{ a: 'float64' }, { a: 1.5 }],
      [{ a: 'float64' }, { a: 2 }],
      [{ a: 'string' }, { a: 's' }],
      [{ a: 'string' }, { a: '{"b":[1]}' }],
    ])
    assert.deepEqual(inferred('[1,1.5]', '[9007199254740993]', '"s"', '5', 'null'), [
      [['float64'], [1, 1.5]],
      [['string'], ['9007199254740993']],
      ['string', 's'],
      ['int64', 5n],
      [null, null],
    ])
    assert.deepEqual(inferred('{"a":18446744073709551615}'), [[{ a: 'string' }, { a: '18446744073709551615' }]])
  })

  it('has no field of which nothing is known', () => {
    const [first, second] = inferred('{"a":null,"b":[],"c":{}}', '{"b":[null,1]}') as [unknown[], unknown[]]
    assert.deepEqual([first[0], second[0]], [{ c: {} }, { b: ['int64'], c: {} }])
    assert.deepEqual(second[1], { b: [null, 1n], c: null })
  })

  it('gives a field the same Protobuf number whatever other fields there are, on request', () => {
    const numbersOf = (text: string): Readonly<Record<string, string>> => {
      const settings = parseConfig(spec, { 'value.format': 'json', ...INFER })
      const { fields } = new BodyReader(settings, {}, { numbered: true }).read(text, 't').schema!
      const numbers = fields!.map(({ name, schema }) => [name, schema.parameters!['io.confluent.connect.protobuf.Tag']])
      return Object.fromEntries(numbers) as Record<string, string>
    }
    const all = numbersOf('{"price":1,"at":2,"symbol":{"id":3}}')
    assert.equal(new Set(Object.values(all)).size, 3)
    assert.deepEqual(numbersOf('{"symbol":{},"price":null}'), { symbol: all['symbol'] })
  })

  it('is bounded: in schemas, fields and levels', () => {
    const reader = readerWith({ ...INFER, 'value.schema.infer.max.schemas': '2' })
    reader.read('{"a":1}', 't')
    reader.read('{"b":1}', 't')
    const error = errorOf(() => reader.read('{"c":1}', 't'))
    assert.deepEqual([error.code, error.kind], ['BODY_MISFIT', 'data'])
    assert.deepEqual(reader.read('{"a":2}', 't').value, { a: 2n, b: null })
    assert.deepEqual(reader.read('{"c":2}', 'other').value, { c: 2n })
    const wide = JSON.stringify(Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`f${i}`, i])))
    assert.match(errorOf(() => readerWith(INFER).read(wide, 't')).message, /would have 1001 fields/)
    const deep = readerWith(INFER).read(`${'{"a":'.repeat(40)}1${'}'.repeat(40)}`, 't')
    let schema: Schema | undefined = deep.schema!
    let levels = 0
    for (; schema?.type === 'struct'; schema = schema.fields![0]?.schema) levels++
    assert.deepEqual([levels, schema?.type], [32, 'string'])
  })
})
