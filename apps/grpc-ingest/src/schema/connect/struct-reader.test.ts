import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Decimal, LOGICAL, type Schema } from '@tributary/connect-api'
import { jsonWriter } from '../json/writer.ts'
import type { MessageType } from '../model/model.ts'
import { encodeRequest } from '../request/request.ts'
import { errorOf, hex, messageOf, schemaOf } from '../testing/schemas.ts'
import { structReader } from './struct-reader.ts'

const IMPORTS = ['timestamp', 'duration', 'wrappers', 'struct', 'any', 'field_mask']
  .map((name) => `import "google/protobuf/${name}.proto";`)
  .join(' ')

const OPTIONS = { lossless: false, omitUnset: false }
type Struct = Record<string, unknown>

function read(type: MessageType, bytes: Uint8Array, options = OPTIONS): Struct {
  const buffer = Buffer.from(bytes)
  return structReader(type, options).read(buffer, 0, buffer.length) as Struct
}
const fromJson = (type: MessageType, json: object, options = OPTIONS): Struct =>
  read(type, encodeRequest(type, JSON.stringify(json)), options)

/** type, optional and default of a field's schema */
function fieldOf(type: MessageType, name: string, options = OPTIONS): Schema {
  return structReader(type, options).schema.fields!.find((field) => field.name === name)!.schema
}

const all = messageOf(
  `double d = 1; float f = 2; int32 i = 3; sint32 si = 4; sfixed32 sf = 5; uint32 u = 6; fixed32 fx = 7; int64 l = 8; sint64 sl = 9;
   sfixed64 sfl = 10; uint64 ul = 11; fixed64 fl = 12; bool b = 13; string s = 14; bytes y = 15; E e = 16; optional int32 opt = 17;
   repeated sint64 many = 18; repeated string names = 19; repeated E es = 20; map<string, N> byName = 21; map<int64, string> byId = 22;
   N n = 23; repeated N ns = 24; oneof pick { string a = 25; N c = 26; } repeated bytes blobs = 27; map<bool, E> flags = 28;
   google.protobuf.Timestamp at = 30; google.protobuf.Duration took = 31; google.protobuf.Int64Value w = 32;
   google.protobuf.Struct any_json = 33; google.protobuf.Any any = 34; google.protobuf.FieldMask mask = 35; M self = 36;
   repeated M selves = 37; google.protobuf.Value v = 38; repeated google.protobuf.Timestamp times = 39; repeated bool bools = 40;
   enum E { ZERO = 0; ONE = 1; } message N { int32 x = 1; string t = 2; }`,
  IMPORTS,
)

describe('a struct', () => {
  it('has every scalar, 64-bit and unsigned 32-bit integers as bigint', () => {
    const value = fromJson(all, {
      ...{ d: 0.1, f: 1.5, i: -5, si: -6, sf: -7, u: 4294967295, fx: 4294967294, l: '-9223372036854775808', sl: '-1' },
      ...{ sfl: '9223372036854775807', ul: '9223372036854775807', fl: '5', b: true, s: 'ü<', y: 'AQI=', e: 'ONE' },
    })
    assert.deepEqual(
      [value['d'], value['f'], value['i'], value['si'], value['sf'], value['u'], value['fx']],
      [0.1, 1.5, -5, -6, -7, 4294967295n, 4294967294n],
    )
    assert.deepEqual([value['l'], value['sl'], value['sfl']], [-(2n ** 63n), -1n, 2n ** 63n - 1n])
    assert.deepEqual(
      [value['ul'], value['fl'], value['b'], value['s'], value['e']],
      [2n ** 63n - 1n, 5n, true, 'ü<', 'ONE'],
    )
    assert.deepEqual(value['y'], Buffer.of(1, 2))
  })

  it('of an empty message has the zeros of fields without presence, and null for the others', () => {
    const value = read(all, Buffer.alloc(0))
    assert.deepEqual([value['i'], value['l'], value['s'], value['e'], value['b']], [0, 0n, '', 'ZERO', false])
    assert.deepEqual([value['opt'], value['n'], value['a'], value['c'], value['at'], value['w']], Array(6).fill(null))
    assert.deepEqual([value['many'], value['byName']], [[], new Map()])
    assert.deepEqual(
      Object.keys(value),
      structReader(all, OPTIONS).schema.fields!.map(({ name }) => name),
    )
  })

  it('has lists, maps, messages and the member of a oneof that came last', () => {
    const value = fromJson(all, {
      ...{ many: ['-1', '300'], names: ['p', ''], es: ['ONE', 7], byName: { k: { x: 1 } }, byId: { 5: 'five' } },
      ...{ n: { t: 'in' }, ns: [{ x: 1 }, {}], c: {}, blobs: ['AQ=='], flags: { true: 'ONE' }, bools: [true, false] },
    })
    assert.deepEqual(
      [value['many'], value['names'], value['es']],
      [
        [-1n, 300n],
        ['p', ''],
        ['ONE', '7'],
      ],
    )
    assert.deepEqual(value['byName'], new Map([['k', { x: 1, t: '' }]]))
    assert.deepEqual([value['byId'], value['flags']], [new Map([[5n, 'five']]), new Map([[true, 'ONE']])])
    assert.deepEqual(
      [value['n'], value['ns'], value['bools']],
      [
        { x: 0, t: 'in' },
        [
          { x: 1, t: '' },
          { x: 0, t: '' },
        ],
        [true, false],
      ],
    )
    assert.deepEqual([value['a'], value['c'], value['blobs']], [null, { x: 0, t: '' }, [Buffer.of(1)]])
  })

  it('has the well-known types as the table of the documentation says', () => {
    const value = fromJson(all, {
      ...{ at: '1969-12-31T23:59:59.9995Z', took: '-1.5s', w: '0', any_json: { k: [1, null] }, v: 'text' },
      ...{ mask: 'fooBar,b', self: { i: 5, self: { s: 'deep' } }, selves: [{}], times: ['2024-01-02T03:04:05Z'] },
    })
    assert.deepEqual([value['at'], value['took'], value['w']], [new Date(-1), '-1.500s', 0n])
    assert.deepEqual([value['any_json'], value['v']], ['{"k":[1,null]}', '"text"'])
    assert.deepEqual(value['mask'], { paths: ['foo_bar', 'b'] })
    assert.match(value['self'] as string, /"self":\{.*"s":"deep"/)
    assert.equal((value['selves'] as string[])[0], jsonWriter(all)(Buffer.alloc(0)))
    assert.deepEqual(value['times'], [new Date(Date.UTC(2024, 0, 2, 3, 4, 5))])
    const any = read(all, hex('9202 07 0a01 61 1202 0801'))
    assert.deepEqual(any['any'], { type_url: 'a', value: Buffer.of(8, 1) })
  })

  it('keeps what Connect cannot hold, on request', () => {
    const max = { ul: '18446744073709551615', at: '2024-01-02T03:04:05.123456789Z' }
    const lossless = { ...OPTIONS, lossless: true }
    const value = fromJson(all, max, lossless)
    assert.deepEqual(value['ul'], new Decimal(2n ** 64n - 1n, 0))
    assert.equal(value['at'], '2024-01-02T03:04:05.123456789Z')
    assert.deepEqual(value['fl'], new Decimal(0n, 0))
    assert.equal(fieldOf(all, 'ul', lossless).name, LOGICAL.Decimal)
    const error = errorOf(() => fromJson(all, max))
    assert.equal(error.code, 'PROTOBUF_STRUCT')
    assert.match(error.message, /18446744073709551615 is more than int64 holds/)
  })

  it('merges the occurrences of a message, and takes the last of a scalar and of the entries with a key', () => {
    assert.deepEqual(read(all, hex('ba01 02 0801 ba01 03 12 01 61'))['n'], { x: 1, t: 'a' })
    assert.equal(read(all, hex('1801 1802'))['i'], 2)
    assert.deepEqual(read(all, hex('b201 04 0805 1200 b201 05 0805 1201 61'))['byId'], new Map([[5n, 'a']]))
  })

  it('is a data error where the JSON is one', () => {
    for (const bytes of ['08', '72 01 ff', '07', '0c', 'ba01 02 18', 'f201 02 0880']) {
      assert.equal(errorOf(() => read(all, hex(bytes))).code, 'PROTOBUF_DECODE', bytes)
    }
    assert.equal(errorOf(() => read(all, hex('f201 06 10 8094ebdc03'))).code, 'PROTOBUF_JSON')
  })

  it('holds no view of what was received', () => {
    const bytes = Buffer.from(encodeRequest(all, '{"y":"AQI="}'))
    const value = structReader(all, OPTIONS).read(bytes, 0, bytes.length) as Struct
    bytes.fill(0xff)
    assert.deepEqual(value['y'], Buffer.of(1, 2))
  })
})

describe('the schema of a message type', () => {
  const shape = (name: string, type = all): unknown[] => {
    const { type: of, optional = false, default: value } = fieldOf(type, name)
    return [of, optional, value]
  }

  it('has a required field with its zero as default where there is no presence, else an optional one', () => {
    assert.deepEqual(
      [shape('i'), shape('l'), shape('e'), shape('many')],
      [
        ['int32', false, 0],
        ['int64', false, 0n],
        ['string', false, 'ZERO'],
        ['array', false, []],
      ],
    )
    assert.deepEqual(
      [shape('opt'), shape('n'), shape('a'), shape('w')],
      [
        ['int32', true, undefined],
        ['struct', true, undefined],
        ['string', true, undefined],
        ['int64', true, undefined],
      ],
    )
    assert.deepEqual(
      [shape('at'), shape('self'), fieldOf(all, 'selves').valueSchema],
      [['int64', true, undefined], ['string', true, undefined], { type: 'string' }],
    )
  })

  it('has the names, the field numbers and the values of enums', () => {
    const { schema } = structReader(all, OPTIONS)
    assert.equal(schema.name, 't.M')
    assert.equal(fieldOf(all, 'n').name, 't.M.N')
    assert.deepEqual(fieldOf(all, 'e').parameters, {
      'io.confluent.connect.protobuf.Enum': 'E',
      'io.confluent.connect.protobuf.Enum.ZERO': '0',
      'io.confluent.connect.protobuf.Enum.ONE': '1',
      'io.confluent.connect.protobuf.Tag': '16',
    })
    const [n, ns] = ['n', 'ns'].map((name) => schema.fields!.find((field) => field.name === name)!.schema)
    assert.equal(ns!.valueSchema!.fields, n!.fields)
  })

  it('of proto2 has the declared defaults, groups and extensions', () => {
    const type = schemaOf(`syntax = "proto2"; package t;
      message M { optional int32 d = 1 [default = 7]; required string r = 2; optional group G = 3 { optional bool ok = 1; }
        optional C c = 4; repeated C cs = 5; map<string, C> cm = 6; optional string t_ext = 7; repeated group H = 8 { optional bool ok = 1; }
        enum C { A = 1; B = 2; } extensions 100 to 199; }
      extend M { optional int32 ext = 100; }`).messages.get('t.M')!
    assert.deepEqual(
      [shape('d', type), shape('r', type), shape('c', type), shape('cs', type)],
      [
        ['int32', true, 7],
        ['string', false, undefined],
        ['string', true, undefined],
        ['array', false, []],
      ],
    )
    const value = read(
      type,
      hex('1200 1b 0801 1c 2001 2009 2801 2809 3205 0a0161 1001 3205 0a0162 1009 a00605 430801 44'),
    )
    assert.deepEqual(
      { ...value },
      {
        ...{
          d: null,
          r: '',
          g: { ok: true },
          c: 'A',
          cs: ['A'],
          cm: new Map([['a', 'A']]),
          t_ext: null,
          h: [{ ok: true }],
        },
        t_ext_100: 5,
      },
    )
    assert.match(errorOf(() => read(type, Buffer.alloc(0))).message, /missing required field t\.M\.r/)
  })

  it('breaks recursion at each field that leads back, whichever message is read', () => {
    const root = schemaOf(`syntax = "proto3"; package t; message A { B b = 1; int32 i = 2; Leaf leaf = 3; }
      message B { map<string, A> a = 1; } message Leaf { int32 x = 1; } message Top { B b = 1; }`)
    const [a, top] = [root.messages.get('t.A')!, root.messages.get('t.Top')!]
    assert.deepEqual(
      [fieldOf(a, 'b').type, fieldOf(a, 'leaf').type, fieldOf(top, 'b').type],
      ['string', 'struct', 'struct'],
    )
    assert.deepEqual(fieldOf(top, 'b').fields![0]!.schema.valueSchema, { type: 'string' })
    assert.deepEqual(fromJson(top, { b: { a: { k: { i: 1 } } } })['b'], { a: new Map([['k', '{"i":1}']]) })
  })

  it('must not grow without bound', () => {
    const levels = Array.from({ length: 40 }, (_, i) => `message L${i} { L${i + 1} a = 1; L${i + 1} b = 2; }`)
    const root = schemaOf(`syntax = "proto3"; package t; ${levels.join(' ')} message L40 { int32 x = 1; }`)
    const error = errorOf(() => structReader(root.messages.get('t.L0')!, OPTIONS))
    assert.deepEqual([error.code, error.field], ['GRPC_STRUCT', 'grpc.value.format'])
  })

  it('may have any names', () => {
    const type = messageOf('int32 __proto__ = 1; int32 constructor = 2; map<string, int32> toString = 3;')
    const value = read(type, hex('0801 1002 1a0d 0a095f5f70726f746f5f5f 1003'))
    assert.deepEqual(Object.keys(value), ['__proto__', 'constructor', 'toString'])
    assert.equal(Object.getOwnPropertyDescriptor(value, '__proto__')!.value, 1)
    assert.deepEqual(value['toString'], new Map([['__proto__', 3]]))
  })
})
