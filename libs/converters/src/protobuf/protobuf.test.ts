import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { Decimal, type Field, LOGICAL, type Schema } from '@tributary/connect-api'
import { compileReader } from './decoder.ts'
import { compileWriter } from './encoder.ts'
import { loadProto, loadProtobufjs } from './load.ts'
import { indexesOf } from './model.ts'
import { Output } from './output.ts'
import { protobufSettings } from './settings.ts'
import { optional, roundTrip, struct } from './testing.ts'
import { toConnectSchema } from './to-schema.ts'

before(loadProtobufjs)

const ALL: Schema = {
  type: 'struct',
  name: 'com.example.All',
  fields: [
    { name: 'i8', schema: { type: 'int8' } },
    { name: 'i16', schema: { type: 'int16' } },
    { name: 'i32', schema: { type: 'int32' } },
    { name: 'i64', schema: { type: 'int64' } },
    { name: 'f32', schema: { type: 'float32' } },
    { name: 'f64', schema: { type: 'float64' } },
    { name: 'flag', schema: { type: 'boolean' } },
    { name: 'text', schema: optional('string') },
    { name: 'bytes', schema: { type: 'bytes' } },
    {
      name: 'price',
      schema: {
        type: 'bytes',
        name: LOGICAL.Decimal,
        version: 1,
        parameters: { scale: '2', 'connect.decimal.precision': '9' },
      },
    },
    { name: 'day', schema: { type: 'int32', name: LOGICAL.Date, version: 1 } },
    { name: 'clock', schema: { type: 'int32', name: LOGICAL.Time, version: 1 } },
    { name: 'at', schema: { type: 'int64', name: LOGICAL.Timestamp, version: 1 } },
    { name: 'list', schema: { type: 'array', valueSchema: { type: 'int64' } } },
    { name: 'names', schema: { type: 'array', valueSchema: { type: 'string' } } },
    { name: 'tags', schema: { type: 'map', keySchema: { type: 'string' }, valueSchema: { type: 'int32' } } },
    {
      name: 'inner',
      schema: optional('struct', { name: 'Inner', fields: [{ name: 'a', schema: { type: 'string' } }] }),
    },
    {
      name: 'inners',
      schema: {
        type: 'array',
        valueSchema: { type: 'struct', name: 'Inner', fields: [{ name: 'a', schema: { type: 'string' } }] },
      },
    },
  ],
}
const VALUE = {
  i8: -8,
  i16: -1600,
  i32: -2147483648,
  i64: -9223372036854775808n,
  f32: 1.5,
  f64: -0.1,
  flag: true,
  text: 'grüße 😀',
  bytes: Buffer.from([0, 255]),
  price: new Decimal(-12345n, 2),
  day: new Date('2026-02-28T00:00:00Z'),
  clock: new Date(86_399_999),
  at: new Date('1969-12-31T23:59:59.999Z'),
  list: [0n, 1n, -1n, 9223372036854775807n],
  names: ['', 'x'.repeat(200)],
  tags: new Map([
    ['', 0],
    ['a', -1],
  ]),
  inner: { a: 'y'.repeat(20_000) },
  inners: [{ a: '' }, { a: 'z' }],
}

test('a value of every type comes back', () => {
  const { value, text } = roundTrip(ALL, VALUE)
  assert.deepEqual(value, VALUE)
  assert.equal(text, TEXT)
})

const TEXT = `syntax = "proto3";
package com.example;

import "confluent/meta.proto";
import "confluent/type/decimal.proto";
import "google/type/date.proto";
import "google/type/timeofday.proto";
import "google/protobuf/timestamp.proto";

message All {
  int32 i8 = 1 [(confluent.field_meta) = {
    params: [
      {
        value: "int8",
        key: "connect.type"
      }
    ]
  }];
  int32 i16 = 2 [(confluent.field_meta) = {
    params: [
      {
        value: "int16",
        key: "connect.type"
      }
    ]
  }];
  int32 i32 = 3;
  int64 i64 = 4;
  float f32 = 5;
  double f64 = 6;
  bool flag = 7;
  string text = 8;
  bytes bytes = 9;
  confluent.type.Decimal price = 10 [(confluent.field_meta) = {
    params: [
      {
        value: "9",
        key: "precision"
      },
      {
        value: "2",
        key: "scale"
      }
    ]
  }];
  google.type.Date day = 11;
  google.type.TimeOfDay clock = 12;
  google.protobuf.Timestamp at = 13;
  repeated int64 list = 14;
  repeated string names = 15;
  repeated ConnectDefault1Entry tags = 16;
  Inner inner = 17;
  repeated Inner inners = 18;

  message ConnectDefault1Entry {
    string key = 1;
    int32 value = 2;
  }

  message Inner {
    string a = 1;
  }
}
`

const tagged = (type: Schema['type'], tag: number, more: Partial<Schema> = {}): Schema =>
  optional(type, { ...more, parameters: { ...more.parameters, 'io.confluent.connect.protobuf.Tag': String(tag) } })

test('fields are numbered by their order or their tag, and written in the order of their numbers', () => {
  const twice = struct({ a: tagged('int32', 2), b: tagged('int32', 2) })
  const collision = { name: 'DataError', message: /has no Protobuf form|cannot be read/ }
  assert.throws(() => roundTrip(twice, { a: 1, b: 2 }), collision)
  const { text, bytes } = roundTrip(struct({ b: tagged('string', 9), a: { type: 'int32' } }), { b: 'x', a: 1 })
  assert.match(text, /string b = 9;\n {2}int32 a = 1;/)
  assert.equal(bytes.toString('hex'), '08014a0178')
})

test('a field that a transform adds gets a number that no tag has, oneofs included', () => {
  const proto = `syntax = "proto3"; message Tick { string symbol = 1; oneof price { double last = 2; double bid = 4; } int64 at = 3; }`
  const read = toConnectSchema(loadProto(proto, []).messages[0]!, protobufSettings({}))
  const added = ['first', 'second'].map((name) => ({ name, schema: optional('string') }))
  const [first, second] = added as [Field, Field]
  const value = { symbol: 'A', price_0: { last: null, bid: 1.5 }, at: 7n, first: 'x', second: 'y' }
  for (const fields of [
    [...read.fields!, first, second],
    [first, second, ...read.fields!],
  ]) {
    const { text, value: back } = roundTrip({ ...read, fields }, value)
    assert.match(text, /string symbol = 1;.*int64 at = 3;.*double last = 2;.*double bid = 4;/s)
    assert.match(text, /string first = 5;\n {2}string second = 6;/)
    assert.deepEqual(back, { ...value, price_0: { bid: 1.5 } })
  }
})

test('defaults are left out, and minus zero is none', () => {
  const schema = struct({ a: { type: 'int32' }, b: { type: 'string' }, c: { type: 'float64' }, d: { type: 'boolean' } })
  assert.equal(roundTrip(schema, { a: 0, b: '', c: 0, d: false }).bytes.length, 0)
  assert.equal(roundTrip(schema, { c: -0 }).bytes.toString('hex'), '190000000000000080')
  assert.deepEqual(roundTrip(schema, {}).value, { a: 0, b: '', c: 0, d: false })
})

test('a null is kept by the keyword optional, by wrappers, and not otherwise', () => {
  const schema = struct({ a: optional('int32'), b: optional('string'), c: optional('int64') })
  const value = { a: 0, b: null, c: null }
  assert.deepEqual(roundTrip(schema, value).value, { a: 0, b: '', c: 0n })
  const kept = roundTrip(schema, value, { 'optional.for.nullables': 'true' })
  assert.match(kept.text, /optional int32 a = 1;/)
  assert.deepEqual(kept.value, value)
  assert.equal(kept.schema.fields![0]!.schema.optional, true)
  const wrapped = roundTrip(schema, value, { 'wrapper.for.nullables': 'true' })
  assert.match(wrapped.text, /google\.protobuf\.Int32Value a = 1;/)
  assert.deepEqual(wrapped.value, value)
  assert.equal(wrapped.schema.fields![0]!.schema.type, 'int32')
})

test('enums, oneofs and kept types come back as they were', () => {
  const proto = `syntax = "proto3"; package p;
    message M {
      oneof choice { string s = 1; Inner inner = 4; }
      Color color = 2; repeated Color colors = 3; fixed32 f = 5; sint64 z = 6; uint64 u = 7; map<int32, Inner> by_id = 8;
      message Inner { int32 a = 1; }
      enum Color { RED = 0; GREEN = 5; DARK = -1; }
    }`
  for (const config of [
    {},
    { 'generalized.sum.type.support': 'true' },
    { 'enhanced.protobuf.schema.support': 'true' },
  ]) {
    const settings = protobufSettings(config)
    const message = loadProto(proto, []).messages[0]!
    const schema = toConnectSchema(message, settings)
    const value = {
      choice_0: { inner: { a: 7 } },
      color: 'GREEN',
      colors: ['RED', 'DARK'],
      f: 4294967295n,
      z: -3n,
      u: -1n,
      by_id: new Map([[3, { a: 0 }]]),
    }
    const out = new Output()
    compileWriter(message, schema, settings)(out, value, 1)
    assert.deepEqual(compileReader(message, schema, settings)(out.take()), value)
    // The schema that was read makes a file which reads the same bytes.
    assert.deepEqual(roundTrip(schema, value, config).value, value)
  }
})

test('unions can be flat, and be named without their index; enums can be numbers', () => {
  const message = loadProto(
    'syntax = "proto3"; message M { oneof c { int32 a = 1; string b = 2; } enum E { X = 0; Y = 3; } E e = 3; }',
    [],
  ).messages[0]!
  const read = (config: Record<string, string>, hex: string): unknown => {
    const settings = protobufSettings(config)
    return compileReader(message, toConnectSchema(message, settings), settings)(Buffer.from(hex, 'hex'))
  }
  assert.deepEqual(read({ 'flatten.unions': 'true' }, '08051201781803'), { a: null, b: 'x', e: 'Y' })
  assert.deepEqual(read({ 'generate.index.for.unions': 'false' }, '1807'), { c: null, e: 'UNKNOWN_ENUM_VALUE_E_7' })
  assert.deepEqual(read({ 'int.for.enums': 'true' }, '12001803'), { c_0: { b: '' }, e: 3 })
})

test('a scalar is a wrapper', () => {
  const { text, bytes, value, schema } = roundTrip({ type: 'string' }, 'abc')
  assert.match(text, /^syntax = "proto3";\npackage google.protobuf;/)
  assert.deepEqual(indexesOf(loadProto(text, []), 'google.protobuf.StringValue'), [7])
  assert.deepEqual([bytes.toString('hex'), value, schema], ['0a03616263', 'abc', { type: 'string' }])
})

test('proto2: unset is null or the declared default; groups are read', () => {
  const message = loadProto(
    'message M { optional int32 a = 1 [default = 5]; optional group G = 2 { optional string x = 1; } repeated int32 r = 3; optional int64 l = 4 [default = -9]; }',
    [],
  ).messages[0]!
  const read = (config: Record<string, string>, hex: string): unknown => {
    const settings = protobufSettings(config)
    return compileReader(message, toConnectSchema(message, settings), settings)(Buffer.from(hex, 'hex'))
  }
  assert.deepEqual(read({}, ''), { a: null, g: null, r: [], l: null })
  assert.deepEqual(read({ 'optional.for.proto2': 'false' }, '130a0178141a020102'), {
    a: 5,
    g: { x: 'x' },
    r: [1, 2],
    l: -9n,
  })
})

test('a message may contain itself, and files use each other', () => {
  const settings = protobufSettings({})
  const file = loadProto(
    'syntax = "proto3"; package a; import "b.proto"; message Tree { b.Leaf leaf = 1; repeated Tree trees = 2; }',
    [
      {
        name: 'b.proto',
        text: 'syntax = "proto3"; package b; import "google/protobuf/timestamp.proto"; message Leaf { google.protobuf.Timestamp at = 1; }',
      },
    ],
  )
  assert.deepEqual(
    file.messages.map((message) => message.fullName),
    ['a.Tree'],
  )
  const schema = toConnectSchema(file.messages[0]!, settings)
  const value = { leaf: { at: new Date(5) }, trees: [{ leaf: null, trees: [] }] }
  const out = new Output()
  compileWriter(file.messages[0]!, schema, settings)(out, value, 1)
  assert.deepEqual(compileReader(file.messages[0]!, schema, settings)(out.take()), value)
  const forNulls = protobufSettings({ 'generate.struct.for.nulls': 'true' })
  const self = loadProto('message M { optional M a = 1; optional M b = 2; }', []).messages[0]!
  assert.throws(() => compileReader(self, toConnectSchema(self, forNulls), forNulls)(Buffer.alloc(0)), {
    name: 'DataError',
    code: 'CONVERTER_PROTOBUF',
  })
  assert.throws(() => loadProto('import "x.proto";', []), { message: /imports x\.proto, to which it has no reference/ })
})

test('names that a .proto file does not allow are refused, or scrubbed', () => {
  const hostile = struct({ 'a = 1; } message X { int32 b': { type: 'int32' } })
  assert.throws(() => roundTrip(hostile, {}), {
    name: 'DataError',
    code: 'CONVERTER_BAD_SCHEMA',
    message: /scrub\.invalid\.names=true/,
  })
  const scrubbed = roundTrip(
    struct({ 'my-field': { type: 'int32' }, '1st ü': { type: 'string' } }),
    { 'my-field': 4, '1st ü': 'x' },
    { 'scrub.invalid.names': 'true' },
  )
  assert.deepEqual(scrubbed.value, { my_field: 4, x1st__C3_BC: 'x' })
})

test('a field may have the name of what every object inherits', () => {
  const schema = struct({ ['constructor']: optional('string'), valueOf: optional('int32') })
  assert.deepEqual(Object.entries(roundTrip(schema, {}).value as object), [
    ['constructor', ''],
    ['valueOf', 0],
  ])
  // The parser of .proto files does not keep this one.
  const proto: Schema = { type: 'struct', fields: [{ name: '__proto__', schema: { type: 'int32' } }] }
  assert.throws(() => roundTrip(proto, {}), { name: 'DataError', message: 'Cannot find field with name __proto__' })
})

test('a value that does not fit is a data error', () => {
  const bad: [Schema, unknown][] = [
    [struct({ a: { type: 'int32' } }), { a: 'x' }],
    [struct({ a: { type: 'int64' } }), { a: Number.NaN }],
    ...[3e9, 1.5].map((a): [Schema, unknown] => [struct({ a: { type: 'int32' } }), { a }]),
    [struct({ a: { type: 'int64' } }), { a: 2n ** 63n }],
    [struct({ a: { type: 'int8' } }), { a: 300 }],
    [struct({ a: { type: 'string' } }), { a: 1 }],
    [struct({ a: { type: 'array', valueSchema: { type: 'string' } } }), { a: [null] }],
    [struct({ a: { type: 'int64', name: LOGICAL.Timestamp } }), { a: 5n }],
    [struct({ a: { type: 'int32', name: LOGICAL.Date } }), { a: new Date(5) }],
    [struct({ a: { type: 'bytes', name: LOGICAL.Decimal, parameters: { scale: '1' } } }), { a: '1' }],
    [struct({ a: { type: 'array', valueSchema: { type: 'array', valueSchema: { type: 'int32' } } } }), {}],
    [{ type: 'array', valueSchema: { type: 'int32' } }, []],
  ]
  for (const [schema, value] of bad)
    assert.throws(() => roundTrip(schema, value), { name: 'DataError' }, JSON.stringify(schema))
})

test('bytes of any kind are read, or are a data error, with bounded depth and memory', () => {
  const settings = protobufSettings({})
  const message = loadProto(TEXT, []).messages[0]!
  const read = compileReader(message, toConnectSchema(message, settings), settings)
  const out = new Output()
  compileWriter(message, ALL, settings)(out, VALUE, 1)
  const good = out.take()
  let seed = 1
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return seed % below
  }
  for (let i = 0; i < 2000; i++) {
    const bytes = i % 2 === 0 ? Buffer.from(good.subarray(0, random(300))) : Buffer.from(good)
    for (let j = random(6); j >= 0; j--) bytes[random(Math.min(bytes.length, 400))] = random(256)
    try {
      read(bytes)
    } catch (error) {
      assert.equal((error as Error).name, 'DataError', String((error as Error).stack))
    }
  }
  const self = loadProto('syntax = "proto3"; message M { M m = 1; repeated M l = 2; int32 a = 3; }', []).messages[0]!
  const readSelf = compileReader(self, toConnectSchema(self, settings), settings)
  let nested = Buffer.alloc(0)
  for (let i = 0; i < 200; i++)
    nested = Buffer.concat([
      Buffer.from([0x0a]),
      Buffer.from([(nested.length & 0x7f) | 0x80, nested.length >> 7]),
      nested,
    ])
  assert.throws(() => readSelf(nested), { message: /nests deeper than 100/ })
  assert.throws(() => readSelf(Buffer.alloc(4_000_000, Buffer.from([0x12, 0]))), {
    message: /more than 5000000 values/,
  })
})
