import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Decimal, LOGICAL, type Schema } from '@tributary/connect-api'
import { unreadable } from './compatible.ts'
import { Cursor } from './cursor.ts'
import { avroText } from './from-connect-schema.ts'
import { DEFAULT_OPTIONS } from './options.ts'
import { parseSchema } from './parse-schema.ts'
import { compileReader } from './read.ts'
import { Sink } from './sink.ts'
import { toConnectSchema } from './to-connect-schema.ts'
import { compileWriter } from './write.ts'
import { writeAnything } from './write-anything.ts'

const text: Schema = { type: 'string' }

function struct(name: string | undefined, fields: Readonly<Record<string, Schema>>): Schema {
  const named = name === undefined ? {} : { name }
  return {
    type: 'struct',
    ...named,
    fields: Object.entries(fields).map(([field, schema]) => ({ name: field, schema })),
  }
}

function write(schema: Schema, value: unknown, avro = avroText(schema, DEFAULT_OPTIONS)): Buffer {
  const sink = new Sink()
  compileWriter(schema, parseSchema(avro), DEFAULT_OPTIONS)(sink, value)
  return sink.take()
}

function read(avro: string, bytes: Uint8Array): unknown {
  const type = parseSchema(avro)
  return compileReader(type, toConnectSchema(type, DEFAULT_OPTIONS))(new Cursor(bytes))
}

test('the text of a schema is that of Confluent’s converter', () => {
  const schema = struct('a.b.Order', {
    small: { type: 'int8' },
    price: { type: 'bytes', name: LOGICAL.Decimal, version: 1, parameters: { scale: '2' } },
    state: { type: 'string', optional: true, default: 'new', doc: 'The state' },
    at: { type: 'int64', name: LOGICAL.Timestamp, version: 1, optional: true },
    byNumber: { type: 'map', keySchema: { type: 'int32' }, valueSchema: text },
    lines: { type: 'array', valueSchema: struct(undefined, { x: text }) },
    first: { ...struct(undefined, { x: text }), optional: true },
  })
  const field = (name: string, type: string, more = ''): string => `{"name":"${name}","type":${type}${more}}`
  const fields = [
    field('small', '{"type":"int","connect.type":"int8"}'),
    field(
      'price',
      `{"type":"bytes","scale":2,"precision":64,"connect.version":1,"connect.parameters":{"scale":"2"},"connect.name":"${LOGICAL.Decimal}","logicalType":"decimal"}`,
    ),
    field('state', '[{"type":"string","connect.doc":"The state","connect.default":"new"},"null"]', ',"default":"new"'),
    field(
      'at',
      `["null",{"type":"long","connect.version":1,"connect.name":"${LOGICAL.Timestamp}","logicalType":"timestamp-millis"}]`,
      ',"default":null',
    ),
    field(
      'byNumber',
      '{"type":"array","items":{"type":"record","name":"MapEntry","namespace":"io.confluent.connect.avro","fields":[{"name":"key","type":"int"},{"name":"value","type":"string"}]}}',
    ),
    field(
      'lines',
      '{"type":"array","items":{"type":"record","name":"ConnectDefault","namespace":"io.confluent.connect.avro","fields":[{"name":"x","type":"string"}]}}',
    ),
    field('first', '["null","io.confluent.connect.avro.ConnectDefault"]', ',"default":null'),
  ]
  assert.equal(
    avroText(schema, DEFAULT_OPTIONS),
    `{"type":"record","name":"Order","namespace":"a.b","fields":[${fields.join(',')}],"connect.name":"a.b.Order"}`,
  )
})

test('names that Avro does not allow are a data error, or mended', () => {
  const schema = struct('a.b-c', { 'detail-type': text })
  assert.throws(() => avroText(schema, DEFAULT_OPTIONS), {
    kind: 'data',
    message: /^Illegal character in: b-c; rename it/,
  })
  const scrubbed = avroText(schema, { ...DEFAULT_OPTIONS, scrub: true, metaData: false })
  assert.equal(
    scrubbed,
    '{"type":"record","name":"b_c","namespace":"a","fields":[{"name":"detail_type","type":"string"}]}',
  )
})

test('two types of one name are a data error', () => {
  const schema = struct('a', { x: struct('b', { y: text }), z: struct('b', { y: { type: 'int32' } }) })
  assert.throws(() => avroText(schema, DEFAULT_OPTIONS), { kind: 'data', message: /Can't redefine: b/ })
})

test('values that do not fit are a data error in the words of AvroData', () => {
  const cases: readonly [schema: Schema, value: unknown, text: RegExp][] = [
    [{ type: 'int32' }, 'x', /Invalid type for INT32: class java\.lang\.String/],
    [{ type: 'int8' }, 128, /Invalid type for INT8/],
    [text, null, /Found null value for non-optional schema/],
    [struct('a', { x: text }), { x: undefined }, /Found null value/],
    [{ type: 'string', name: LOGICAL.Date }, 'x', /underlying representation should be int32 but was string/],
    [
      { type: 'bytes', name: LOGICAL.Decimal, parameters: { scale: '2' } },
      new Decimal(1n, 3),
      /Schema has scale 2, value has scale 3/,
    ],
  ]
  for (const [schema, value, message] of cases) assert.throws(() => write(schema, value), { kind: 'data', message })
})

const NODE =
  '{"type":"record","name":"Node","fields":[{"name":"n","type":"int"},{"name":"next","type":["null","Node"],"default":null}]}'

test('a type that contains itself is read and written, to a bounded depth', () => {
  const bytes = Buffer.from([2, 2, 4, 2, 6, 0])
  const value = { n: 1, next: { n: 2, next: { n: 3, next: null } } }
  assert.deepEqual(read(NODE, bytes), value)
  const schema = toConnectSchema(parseSchema(NODE), DEFAULT_OPTIONS)!
  assert.deepEqual(write(schema, value, NODE), bytes)
  assert.equal(avroText(schema, { ...DEFAULT_OPTIONS, metaData: false }), NODE)
  const deep = { kind: 'data', message: /nested more than 200 deep/ }
  assert.throws(() => read(NODE, Buffer.alloc(100_000, 2)), deep)
  const long: Record<string, unknown> = { n: 0, next: null }
  for (let i = 0, at = long; i < 300; i++) at = at['next'] = { n: 0, next: null }
  assert.throws(() => write(schema, long, NODE), deep)
})

test('few bytes do not become much memory, and a small schema not much time', () => {
  const empty = '{"type":"array","items":{"type":"record","name":"E","fields":[]}}'
  const many = Buffer.from('feffffffff07', 'hex')
  assert.throws(() => read(empty, many), { kind: 'data', message: /more elements than bytes can hold/ })
  assert.throws(() => read('"bytes"', many), { kind: 'data', message: /a length is beyond its end/ })
  assert.throws(() => read('"long"', Buffer.alloc(20, 0xff)), { kind: 'data', message: /more than 64 bits/ })
  const record = (i: number): string =>
    i === 0
      ? '"int"'
      : `{"type":"record","name":"R${i}","fields":[{"name":"a","type":${record(i - 1)}},{"name":"b","type":${i === 1 ? '"int"' : `"R${i - 1}"`}}]}`
  const type = parseSchema(record(60))
  const schema = toConnectSchema(type, DEFAULT_OPTIONS)!
  compileReader(type, schema)
  compileWriter(schema, type, DEFAULT_OPTIONS)
  assert.equal(avroText(schema, { ...DEFAULT_OPTIONS, metaData: false }), record(60))
  assert.throws(() => parseSchema('{"type":"array","items":'.repeat(200) + '"int"' + '}'.repeat(200)), { kind: 'data' })
})

test('numbers are written in Avro’s varints', () => {
  const longs: readonly [value: bigint, bytes: string][] = [
    [0n, '00'],
    [-1n, '01'],
    [64n, '8001'],
    [2n ** 30n, '8080808008'],
    [-(2n ** 31n), 'ffffffff0f'],
    [2n ** 51n, '8080808080808008'],
    [-(2n ** 52n), 'ffffffffffffff0f'],
    [2n ** 63n - 1n, 'feffffffffffffffff01'],
    [-(2n ** 63n), 'ffffffffffffffffff01'],
  ]
  for (const [value, bytes] of longs) {
    assert.equal(write({ type: 'int64' }, value).toString('hex'), bytes)
    assert.equal(read('"long"', Buffer.from(bytes, 'hex')), value)
  }
})

test('a value without schema keeps its types', () => {
  const value = { a: [1, 2.5, 'x', true, null, 2n ** 60n], b: { '': {} }, c: Buffer.from('00ff', 'hex') }
  const sink = new Sink()
  writeAnything(sink, value)
  const type = parseSchema(
    '{"type":"record","name":"Anything","namespace":"io.confluent.connect.avro","fields":[' +
      ['boolean', 'bytes', 'double', 'float', 'int', 'long', 'string']
        .map((name) => `{"name":"${name}","type":["null","${name}"]}`)
        .join(',') +
      ',{"name":"array","type":["null",{"type":"array","items":"Anything"}]},{"name":"map","type":["null",{"type":"array","items":{"type":"record","name":"MapEntry","fields":[{"name":"key","type":"Anything"},{"name":"value","type":"Anything"}]}}]}]}',
  )
  assert.deepEqual(compileReader(type, null)(new Cursor(sink.take())), value)
})

test('a union becomes a struct with one field that has a value', () => {
  const avro = '["null","string",{"type":"record","name":"a.B","fields":[{"name":"x","type":"int"}]}]'
  const schema = toConnectSchema(parseSchema(avro), DEFAULT_OPTIONS)!
  assert.deepEqual(
    schema.fields!.map(({ name }) => name),
    ['string', 'B'],
  )
  for (const [value, bytes] of [
    [{ string: 'x' }, '020278'],
    [{ B: { x: 1 } }, '0402'],
    [null, '00'],
  ] as const) {
    assert.deepEqual(read(avro, Buffer.from(bytes, 'hex')), value)
    assert.equal(write(schema, value, avro).toString('hex'), bytes)
  }
})

test('a chosen type with another scale or unit gets the same value, or the record is refused', () => {
  const decimal: Schema = { type: 'bytes', name: LOGICAL.Decimal, parameters: { scale: '4' } }
  const avro = (more: string): string => `{"type":"bytes","logicalType":"decimal","precision":20${more}}`
  const hex = (schema: Schema, value: unknown, type: string): string => write(schema, value, type).toString('hex')
  assert.equal(hex(decimal, new Decimal(12_300n, 4), avro(',"scale":2')), '027b')
  assert.equal(hex(decimal, new Decimal(120_000n, 4), avro('')), '020c')
  assert.equal(hex(decimal, new Decimal(12_345n, 4), avro(',"scale":6')), '0612d644')
  for (const more of [',"scale":2', '']) {
    assert.throws(() => write(decimal, new Decimal(12_345n, 4), avro(more)), {
      kind: 'data',
      message: /decimal places/,
    })
  }
  const [time, timestamp]: Schema[] = [
    { type: 'int32', name: LOGICAL.Time },
    { type: 'int64', name: LOGICAL.Timestamp },
  ]
  const long = (logical: string): string => `{"type":"long","logicalType":"${logical}"}`
  const micros = write({ type: 'int64' }, 1_000_000n)
  assert.deepEqual(write(time!, new Date(1000), long('time-micros')), micros)
  for (const logical of ['timestamp-micros', 'local-timestamp-micros'])
    assert.deepEqual(write(timestamp!, new Date(1000), long(logical)), micros)
  assert.throws(() => write(timestamp!, new Date(8.64e15), long('timestamp-nanos')), {
    kind: 'data',
    message: /64 bits/,
  })
})

test('unions whose branches fail take no exponential time', () => {
  const union = (i: number): string =>
    i === 0
      ? '"int"'
      : `{"type":"record","name":"R${i}","fields":[{"name":"a","type":["null",${union(i - 1)}]},{"name":"b","type":["null",${i === 1 ? '"int"' : `"R${i - 1}"`}]}]}`
  assert.equal(unreadable(parseSchema(union(40)), parseSchema(union(40))), null)
  // The default of each field may be either record, and none of them has one for its text.
  const field = (of: string): string => `"fields":[{"name":"f","default":{},"type":${of}}]`
  const defaults = (i: number): string =>
    i === 0
      ? '"string"'
      : `{"type":"record","name":"N${i}",${field(`[${defaults(i - 1)},{"type":"record","name":"M${i}",${field(i === 1 ? '"string"' : `"N${i - 1}"`)}}]`)}}`
  assert.throws(() => write(struct('R', {}), {}, `{"type":"record","name":"R",${field(defaults(30))}}`), {
    kind: 'data',
    message: /a default of the Avro schema does not fit/,
  })
})

test('a record for which the first branch of a union has no place is refused where that is the only one', () => {
  const inner = struct('S', { a: text })
  const record = (name: string, fields: string): string => `{"type":"record","name":"${name}","fields":[${fields}]}`
  const two = `[${record('A', '{"name":"b","type":"string"}')},${record('B', '{"name":"a","type":"string"}')}]`
  const avro = record('R', `{"name":"x","type":${two}},{"name":"y","type":"A"}`)
  assert.throws(() => write(struct('R', { x: inner, y: inner }), { x: { a: '1' }, y: { a: '2' } }, avro), {
    kind: 'data',
    message: /has no field b/,
  })
})

test('of the branches of a union the one of the same type is taken, which keeps all values', () => {
  const cases: readonly [schema: Schema, value: unknown, union: string, bytes: string][] = [
    [{ type: 'int64' }, 2n ** 53n + 1n, '["null","float","long"]', '048280808080808020'],
    [{ type: 'int32' }, 5, '["double","int"]', '020a'],
    [text, 'x', '[{"type":"enum","name":"E","symbols":["A"]},"string"]', '020278'],
    [{ type: 'int32' }, 5, '["null","double"]', '020000000000001440'],
  ]
  for (const [schema, value, union, bytes] of cases) assert.equal(write(schema, value, union).toString('hex'), bytes)
})
