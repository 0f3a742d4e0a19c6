import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { jsonWriter } from '../json/writer.ts'
import { encodeRequest } from './request.ts'
import { errorOf, messageOf, schemaOf } from '../testing/schemas.ts'

const type = messageOf(
  `int32 i = 1; int64 long_one = 2; uint32 u = 3; string s = 4; bool b = 5; bytes raw = 6; E e = 7; repeated int32 r = 8;
   map<int32, string> m = 9; N n = 10; oneof pick { string a = 11; N c = 12; } float f = 13; uint64 u64 = 14;
   google.protobuf.Value v = 15; optional string o = 16; google.protobuf.Timestamp ts = 17; google.protobuf.Any any = 18;
   google.protobuf.Duration du = 19; repeated google.protobuf.Value vs = 20;
   message N { int32 x = 1; } enum E { ZERO = 0; ONE = 1; }`,
  ['struct', 'timestamp', 'any', 'duration'].map((n) => `import "google/protobuf/${n}.proto";`).join(' '),
)
/** The fields that JSON sets, defaults left out. */
const set = (json: string): Record<string, unknown> => {
  const all = JSON.parse(jsonWriter(type)(encodeRequest(type, json))) as Record<string, unknown>
  const unset = JSON.parse(jsonWriter(type)(Buffer.alloc(0))) as Record<string, unknown>
  return Object.fromEntries(Object.entries(all).filter(([k, v]) => JSON.stringify(v) !== JSON.stringify(unset[k])))
}
const refused = (json: string): string => {
  const error = errorOf(() => encodeRequest(type, json))
  assert.equal(error.field, 'grpc.request.message')
  assert.equal(error.kind, 'config')
  return error.message
}

describe('a request from JSON', () => {
  it('takes original and JSON names, integers as numbers and text, enums by name and number', () => {
    assert.deepEqual(set('{"long_one":"-5","i":"1e2","u":4294967295,"e":1}'), {
      i: 100,
      longOne: '-5',
      u: 4294967295,
      e: 'ONE',
    })
    assert.deepEqual(set('{"longOne":9007199254740993,"u64":18446744073709551615,"e":"ONE"}'), {
      longOne: '9007199254740993',
      e: 'ONE',
      u64: '18446744073709551615',
    })
    assert.deepEqual(set('{"e":7,"b":"true","raw":"_-8","f":"NaN","i":5.0}'), {
      i: 5,
      b: true,
      raw: '/+8=',
      e: 7,
      f: 'NaN',
    })
  })

  it('takes null as unset, except in a Value', () => {
    assert.deepEqual(set('{"i":null,"n":null,"r":null,"m":null,"v":null,"vs":[null]}'), { v: null, vs: [null] })
  })

  it('is empty from nothing and from {}', () => {
    for (const text of ['', '  ', '{}', ' { } ']) assert.equal(encodeRequest(type, text).length, 0)
  })

  it('takes nested messages, lists, maps and the well-known forms', () => {
    const json = {
      r: [1, -2], m: { '-1': 'x' }, n: { x: 3 }, c: { x: 4 }, v: { k: [1, 'a', false] }, o: '',
      ts: '2024-01-02T03:04:05.500Z', any: { '@type': 'type.googleapis.com/t.M.N', x: 5 }, du: '0.000001s',
    } // prettier-ignore
    assert.deepEqual(set(JSON.stringify(json)), json)
    assert.deepEqual(set('{"ts":"2024-02-29T12:00:00+01:30"}'), { ts: '2024-02-29T10:30:00Z' })
  })

  it('is refused in the words of the JVM connector', () => {
    assert.match(refused('{"x":1}'), /Cannot find field: x in message t\.M/)
    assert.match(refused('[]'), /Expect message object but got: \[\]/)
    assert.match(refused('{"n":5}'), /Expect message object but got: 5/)
    assert.match(refused('{"i":"abc"}'), /Not an int32 value: "abc"/)
    assert.match(refused('{"i":2147483648}'), /Not an int32 value: 2147483648/)
    assert.match(refused('{"i":1.5}'), /Not an int32 value: 1\.5/)
    assert.match(refused('{"u":-1}'), /Out of range uint32 value: -1/)
    assert.match(refused('{"e":"TWO"}'), /Invalid enum value: "TWO" for enum type: t\.M\.E/)
    assert.match(refused('{"longOne":1,"long_one":2}'), /Field t\.M\.long_one has already been set\./)
    assert.match(refused('{"i":1,"i":2}'), /Field t\.M\.i has already been set\./)
    assert.match(refused('{"m":{"1":"a","1":"b"}}'), /Field t\.M\.m has already been set\./)
    assert.match(refused('{"a":"x","c":{}}'), /because another field t\.M\.a belonging to the same oneof/)
    assert.match(refused('{"r":5}'), /Expected an array for r but found 5/)
    assert.match(refused('{"r":[null]}'), /Repeated field elements cannot be null in field: t\.M\.r/)
    assert.match(refused('{"m":{"1":null}}'), /Map value cannot be null\./)
    assert.match(refused('{"b":1}'), /Invalid bool value: 1/)
    assert.match(refused('{"f":1e39}'), /Out of range float value: 1e39/)
    assert.match(refused('{"ts":"2024-02-30T00:00:00Z"}'), /Failed to parse timestamp/)
    assert.match(refused('{"any":{"x":1}}'), /Missing type url/)
    assert.match(refused('{"any":{"@type":"x/no.Such"}}'), /Cannot resolve type: x\/no\.Such/)
  })

  it('must be strict JSON', () => {
    for (const bad of ['{', "{'i':1}", '{"i":01}', '{"i":1,}', '{"i":1} x', '{"s":"\u0001"}', '"', '{"i":.5}', 'nul']) {
      assert.match(refused(bad), /it is not JSON: .* at line 1, position \d+/, bad)
    }
    assert.match(refused(`{"v":${'['.repeat(5000)}${']'.repeat(5000)}}`), /nested deeper/)
  })

  it('must not nest deeper than servers read', () => {
    const nested = (depth: number): string => `{"v":${'['.repeat(depth)}${']'.repeat(depth)}}`
    assert.doesNotThrow(() => jsonWriter(type)(encodeRequest(type, nested(49))))
    assert.match(refused(nested(60)), /nests deeper than 100 messages/)
  })

  it('must have what proto2 requires', () => {
    const two = schemaOf(
      'syntax = "proto2"; message M { required int32 id = 1; optional group Leg = 2 { optional int32 q = 1; } }',
    ).messages.get('M')!
    assert.match(errorOf(() => encodeRequest(two, '{"leg":{}}')).message, /Message missing required fields: id/)
    assert.equal(jsonWriter(two)(encodeRequest(two, '{"id":1,"leg":{"q":2}}')), '{"id":1,"leg":{"q":2}}')
  })
})
