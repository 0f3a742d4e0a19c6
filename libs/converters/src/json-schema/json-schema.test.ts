import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { parseJson } from '@tributary/config'
import { Decimal, LOGICAL, type Schema } from '@tributary/connect-api'
import { jsonSchemaText } from './from-schema.ts'
import { parseDocument } from './nodes.ts'
import { compileReader, hasDecimal } from './reader.ts'
import { jsonSchemaSettings } from './settings.ts'
import { toConnectSchema } from './to-schema.ts'
import { compileValidator, loadAjv } from './validator.ts'
import { compileWriter } from './writer.ts'

before(loadAjv)

function roundTrip(schema: Schema, value: unknown, config: Record<string, string> = {}) {
  const settings = jsonSchemaSettings(config)
  const text = jsonSchemaText(schema, settings)
  const document = parseDocument(text, [])
  const json = compileWriter(schema, settings)(value)
  const readSchema = toConnectSchema(document, settings)
  const parsed = json === null ? null : parseJson(json, { numbers: hasDecimal(readSchema) ? 'raw' : 'value' })
  const why = json === null ? undefined : compileValidator(document)(JSON.parse(json))
  return { text, json, schema: readSchema, value: compileReader(readSchema)(parsed), why }
}

const struct = (fields: Record<string, Schema>, more: Partial<Schema> = {}): Schema => ({
  type: 'struct',
  ...more,
  fields: Object.entries(fields).map(([name, schema]) => ({ name, schema })),
})

const ALL = struct(
  {
    i8: { type: 'int8' },
    i16: { type: 'int16', doc: 'a short' },
    i64: { type: 'int64', default: 7n },
    f32: { type: 'float32' },
    f64: { type: 'float64' },
    flag: { type: 'boolean' },
    text: { type: 'string', optional: true },
    bytes: { type: 'bytes' },
    price: { type: 'bytes', name: LOGICAL.Decimal, version: 1, parameters: { scale: '2' } },
    day: { type: 'int32', name: LOGICAL.Date, version: 1 },
    clock: { type: 'int32', name: LOGICAL.Time, version: 1 },
    at: { type: 'int64', name: LOGICAL.Timestamp, version: 1, optional: true },
    list: { type: 'array', valueSchema: { type: 'string', optional: true } },
    tags: { type: 'map', keySchema: { type: 'string' }, valueSchema: { type: 'int32' } },
    byId: { type: 'map', keySchema: { type: 'int32' }, valueSchema: { type: 'string' } },
    inner: struct({ a: { type: 'int32' } }, { name: 'Inner', optional: true }),
  },
  { name: 'com.example.All', version: 3 },
)
const VALUE = {
  i8: -8,
  i16: 300,
  i64: -9223372036854775808n,
  f32: Math.fround(1.1),
  f64: -1e300,
  flag: true,
  text: null,
  bytes: Buffer.from([0, 255]),
  price: new Decimal(-12345n, 2),
  day: new Date('2026-02-28T00:00:00Z'),
  clock: new Date(86_399_999),
  at: new Date('1969-12-31T23:59:59.999Z'),
  list: ['x', null],
  tags: new Map([['a', 1]]),
  byId: new Map([[5, 'five']]),
  inner: { a: 1 },
}

test('a value of every type comes back, with its schema', () => {
  for (const config of [{}, { 'decimal.format': 'numeric' }, { 'object.additional.properties': 'false' }]) {
    const read = roundTrip(ALL, VALUE, config)
    assert.deepEqual(read.value, VALUE)
    assert.deepEqual(without(read.schema), without(ALL))
    const numeric = Object.keys(config)[0] === 'decimal.format'
    // Confluent writes a Decimal as text into a schema that says number.
    assert.equal(read.why, numeric ? undefined : '#/price: must be number')
  }
  assert.match(
    roundTrip(ALL, VALUE).json!,
    /^\{"i8":-8,"i16":300,"i64":-9223372036854775808,"f32":1\.1,"f64":-1\.0E300,"flag":true,"text":null,"bytes":"AP8=","price":"z8c=","day":/,
  )
})

/** `optional: false` and none are the same. */
function without(schema: Schema): unknown {
  return JSON.parse(
    JSON.stringify(schema, (_key, value: unknown) =>
      value === false ? undefined : typeof value === 'bigint' ? String(value) : value,
    ),
  )
}

test('the text is that of Confluent', () => {
  const schema = struct(
    {
      a: { type: 'int32', optional: true },
      b: { type: 'string', default: 'x' },
      c: struct({}, { optional: true, name: 'C' }),
    },
    { name: 'S', version: 2 },
  )
  assert.equal(
    jsonSchemaText(schema, jsonSchemaSettings({})),
    '{"title":"S","type":"object","properties":{' +
      '"a":{"oneOf":[{"type":"null"},{"type":"integer","connect.type":"int32"}],"connect.index":0},' +
      '"b":{"default":"x","type":"string","connect.index":1},' +
      '"c":{"oneOf":[{"type":"null"},{"title":"C","type":"object"}],"connect.index":2}},"connect.version":2}',
  )
})

test('what others write is read: definitions, anchors, references, allOf, type lists, enums, properties without index', () => {
  const other = JSON.stringify({
    $id: 'https://example.com/other.json',
    type: 'object',
    properties: { z: { type: 'number' } },
  })
  const text = JSON.stringify({
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Root',
    allOf: [{ $ref: '#/definitions/Base' }, { type: 'object', properties: { own: { type: ['null', 'string'] } } }],
    $id: 'https://example.com/root.json',
    definitions: {
      Base: {
        type: 'object',
        required: ['id'],
        properties: {
          id: { type: 'integer' },
          other: { $ref: 'other.json' },
          color: { type: 'string', enum: ['RED', 'GREEN'] },
          node: { $ref: '#node' },
        },
      },
      Node: { $id: '#node', type: 'object', properties: { next: { oneOf: [{ type: 'null' }, { $ref: '#node' }] } } },
    },
  })
  const settings = jsonSchemaSettings({ 'use.optional.for.nonrequired': 'true' })
  const document = parseDocument(text, [{ name: 'other.json', text: other }])
  const schema = toConnectSchema(document, settings)
  assert.deepEqual(
    schema.fields!.map((field) => [field.name, field.schema.type, field.schema.optional === true]),
    [
      ['id', 'int64', false],
      ['other', 'struct', true],
      ['color', 'string', true],
      ['node', 'struct', true],
      ['own', 'string', true],
    ],
  )
  const json = { id: 5, other: { z: 1.5 }, color: 'RED', node: { next: { next: null } }, own: null }
  assert.deepEqual(compileReader(schema)(json), { ...json, id: 5n })
  assert.equal(compileValidator(document)(json), undefined)
  assert.equal(compileValidator(document)({ ...json, other: { z: 'x' } }), '#/other/z: must be number')
  // A schema that contains itself is written with an id and a reference to it.
  assert.match(jsonSchemaText(schema, settings), /"\$id":"#id1".*"\$ref":"#id1"/)
})

test('unions are read by what fits', () => {
  const text =
    '{"oneOf":[{"type":"integer"},{"type":"string"},{"type":"object","properties":{"a":{"type":"string"}}},{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}}}]}'
  const names: [Record<string, string>, string][] = [
    [{}, 'io.confluent.connect.json.OneOf.field.'],
    [{ 'generalized.sum.type.support': 'true' }, 'connect_union_field_'],
  ]
  for (const [config, prefix] of names) {
    const settings = jsonSchemaSettings(config)
    const schema = toConnectSchema(parseDocument(text, []), settings)
    const read = compileReader(schema)
    const write = compileWriter(schema, settings)
    for (const [json, index] of [
      [5, 0],
      ['x', 1],
      [{ a: 'x' }, 2],
      [{ a: 'x', b: 'y' }, 3],
    ] as const) {
      const value = read(json) as Record<string, unknown>
      assert.deepEqual(Object.keys(value), [`${prefix}${index}`])
      assert.deepEqual(JSON.parse(write(value)!), json)
    }
    assert.throws(() => read(true), { name: 'DataError', message: 'Did not find matching oneof field for data' })
    assert.deepEqual(jsonSchemaText(schema, settings).match(/oneOf/g)?.length, 1)
  }
})

test('what does not fit is a data error with the words of Confluent', () => {
  const read = compileReader(ALL)
  const cases: [unknown, RegExp][] = [
    ['x', /Structs should be encoded as JSON objects, but found STRING/],
    [{ ...JSON_VALUE, i8: null }, /Invalid null value for required INT8 field/],
    [{ ...JSON_VALUE, tags: [] }, /Maps with string fields should be encoded as JSON objects, but found ARRAY/],
    [{ ...JSON_VALUE, byId: [{ key: 1 }] }, /Found invalid map entry, expected length 2 but found :1/],
    [{ ...JSON_VALUE, day: 'x' }, /Invalid type for Date, underlying representation should be integer but was STRING/],
    [{ ...JSON_VALUE, bytes: '%' }, /Invalid bytes field/],
  ]
  for (const [json, message] of cases) assert.throws(() => read(json), { name: 'DataError', message })
  const write = compileWriter(ALL, jsonSchemaSettings({}))
  assert.throws(() => write({ ...VALUE, i8: 'x' }), {
    name: 'DataError',
    message: 'Invalid type for INT8: class java.lang.String',
  })
  assert.throws(() => write({ ...VALUE, at: 5n }), {
    message: /Invalid type for Timestamp, expected Date but was class java.lang.Long/,
  })
})
const JSON_VALUE = { tags: {}, byId: [], list: [] }

test('a property may have the name of what every object inherits', () => {
  const schema: Schema = {
    type: 'struct',
    fields: ['constructor', '__proto__'].map((name) => ({ name, schema: { type: 'int32', optional: true } })),
  }
  const value = JSON.parse('{"__proto__":5}') as object
  const read = roundTrip(schema, value)
  assert.equal(read.json, '{"constructor":null,"__proto__":5}')
  assert.deepEqual(Object.entries(read.value as object), [
    ['constructor', null],
    ['__proto__', 5],
  ])
})

test('a hostile schema is refused, or takes bounded time', () => {
  const settings = jsonSchemaSettings({})
  const bad: string[] = [
    'nonsense',
    'true',
    '{}',
    '{"$ref":"#"}',
    '{"$ref":"http://127.0.0.1:1/x.json"}',
    '{"type":"array"}',
    '{"oneOf":[{"$ref":"#"},{"$ref":"#"},{"$ref":"#"}]}',
    `{"oneOf":[{"type":"null"},${'{"oneOf":[{"type":"null"},'.repeat(400)}{"type":"string"}${']}'.repeat(400)}]}`,
    JSON.stringify({ type: 'string', description: 'x'.repeat(1_000_001) }),
    JSON.stringify(doubling(40)),
  ]
  for (const text of bad) {
    assert.throws(
      () => toConnectSchema(parseDocument(text, []), settings),
      { name: 'DataError', code: 'CONVERTER_BAD_SCHEMA' },
      text.slice(0, 80),
    )
  }
  const refusing = { name: 'DataError', code: 'CONVERTER_BAD_SCHEMA' }
  assert.throws(() => compileValidator(parseDocument('{"$ref":"http://127.0.0.1:1/x.json"}', [])), refusing)
  assert.throws(() => compileValidator(parseDocument('{"allOf":[{"$ref":"#"}]}', []))(1), refusing)
  assert.throws(() => compileValidator(parseDocument(JSON.stringify(doubling(40)), []))(1), {
    ...refusing,
    message: /more than 40000000 steps/,
  })
  const backtracks = compileValidator(parseDocument('{"type":"string","pattern":"^(a+)+$"}', []))
  assert.match(backtracks(`${'a'.repeat(40)}b`)!, /must match pattern/)
  const unique = compileValidator(parseDocument('{"type":"array","uniqueItems":true}', []))
  assert.equal(unique(Array.from({ length: 20_000 }, (_, i) => ({ i }))), undefined)
  assert.match(
    unique([
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ])!,
    /uniqueItems/,
  )
})

/** Each level names the next one twice. */
function doubling(levels: number): object {
  const definitions: Record<string, unknown> = { [`d${levels}`]: { not: { type: 'number', minimum: 2 } } }
  for (let i = 0; i < levels; i++)
    definitions[`d${i}`] = {
      oneOf: [{ $ref: `#/definitions/d${i + 1}` }, { $ref: `#/definitions/d${i + 1}` }, { type: 'string' }],
    }
  return { $ref: '#/definitions/d0', definitions }
}

test('JSON of any kind is read, or is a data error', () => {
  const read = compileReader(ALL)
  let seed = 7
  const random = (below: number): number => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) % below
  const any = (depth: number): unknown => {
    const pick = [null, true, 0, -1.5, 1e308, 12345678901234567890n, '', 'x', 'AP8=', [], {}][
      random(depth > 3 ? 9 : 11)
    ]
    if (Array.isArray(pick)) return Array.from({ length: random(4) }, () => any(depth + 1))
    if (typeof pick === 'object' && pick !== null)
      return Object.fromEntries(
        Array.from({ length: random(3) }, () => [['key', 'value', 'a'][random(3)], any(depth + 1)]),
      )
    return pick
  }
  for (let i = 0; i < 1500; i++) {
    const json = i % 10 === 0 ? any(0) : Object.fromEntries(ALL.fields!.map((field) => [field.name, any(1)]))
    try {
      read(json)
    } catch (error) {
      assert.equal((error as Error).name, 'DataError', String((error as Error).stack))
    }
  }
})
