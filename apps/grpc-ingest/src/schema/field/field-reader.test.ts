import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fieldReader, timestampReader } from './field-reader.ts'
import { requestField } from '../request/request-field.ts'
import { encodeRequest } from '../request/request.ts'
import { errorOf, hex, messageOf, schemaOf } from '../testing/schemas.ts'

const type = messageOf(
  `int64 seq = 1; string id = 2; N nested = 3; optional int32 opt = 4; bytes raw = 5; Side side = 6; repeated int32 many = 7;
   map<string, string> tags = 8; google.protobuf.Timestamp at = 9; google.protobuf.UInt64Value wrapped = 10; uint64 u = 11;
   oneof pick { string a = 12; N b = 13; } double d = 14; sint32 z = 15; bool ok = 16; fixed64 f = 17; sfixed32 g = 18;
   Own own = 19; message Own { int64 seconds = 1; int32 nanos = 2; }
   message N { int64 seq = 1; string id = 2; N deeper = 3; } enum Side { NONE = 0; BUY = 1; }`,
  'import "google/protobuf/timestamp.proto"; import "google/protobuf/wrappers.proto";',
)
const read = (path: string, json: string): unknown =>
  fieldReader(type, path, 'grpc.resume.field')(encodeRequest(type, json))

describe('one field of a message', () => {
  it('is read by a dotted path, 64 bits as bigint', () => {
    assert.equal(read('seq', '{"seq":"-9223372036854775808"}'), -(2n ** 63n))
    assert.equal(read('u', '{"u":"18446744073709551615"}'), 2n ** 64n - 1n)
    assert.equal(read('nested.deeper.id', '{"nested":{"deeper":{"id":"x"}}}'), 'x')
    assert.equal(read('side', '{"side":"BUY"}'), 'BUY')
    assert.deepEqual(read('raw', '{"raw":"AQI="}'), Buffer.from([1, 2]))
    assert.equal(read('wrapped', '{"wrapped":"7"}'), 7n)
    assert.deepEqual([read('d', '{"d":1.5}'), read('z', '{"z":-3}'), read('ok', '{"ok":true}')], [1.5, -3, true])
    assert.deepEqual([read('f', '{"f":"5"}'), read('g', '{"g":-5}')], [5n, -5])
  })

  it('is its zero when proto3 does not send it, and null where the field has presence', () => {
    assert.deepEqual([read('seq', '{}'), read('id', '{}'), read('side', '{}')], [0n, '', 'NONE'])
    assert.deepEqual(
      [read('opt', '{}'), read('a', '{}'), read('nested.seq', '{}'), read('wrapped', '{}')],
      [null, null, null, null],
    )
    assert.deepEqual([read('nested.seq', '{"nested":{}}'), read('wrapped', '{"wrapped":"0"}')], [0n, 0n])
  })

  it('follows the rules of repeated occurrences', () => {
    const nested = fieldReader(type, 'nested.id', 'k')
    assert.equal(fieldReader(type, 'seq', 'k')(hex('08 01 08 02')), 2n)
    assert.equal(nested(hex('1a 03 12 01 61 1a 02 08 05')), 'a')
    assert.equal(nested(hex('1a 02 08 05 1a 03 12 01 61')), 'a')
    assert.equal(fieldReader(type, 'a', 'k')(hex('62 01 61 6a 00')), null)
    assert.equal(fieldReader(type, 'b.seq', 'k')(hex('6a 02 08 01 62 00 6a 00')), 0n)
  })

  it('in a group is found too', () => {
    const two = schemaOf(
      'syntax = "proto2"; message M { optional group Leg = 1 { optional int32 q = 2; } }',
    ).messages.get('M')!
    assert.equal(fieldReader(two, 'leg.q', 'k')(hex('0b 10 05 0c')), 5)
  })

  it('must exist, be single and a scalar', () => {
    const refused = (path: string): string => errorOf(() => fieldReader(type, path, 'key.field')).message
    assert.match(refused('nope'), /key\.field=nope: message t\.M has no field "nope"\. It has: a, at, /)
    assert.match(refused('many'), /"many" of t\.M is repeated/)
    assert.match(refused('tags.x'), /"tags" of t\.M is a map/)
    assert.match(refused('nested'), /is a message of type t\.M\.N; name one of its fields/)
    assert.match(refused('seq.x'), /"seq" is not a message/)
    assert.equal(errorOf(() => fieldReader(type, 'nope', 'key.field')).field, 'key.field')
  })

  it('of malformed bytes is a data error', () => {
    for (const bytes of ['08', '1a 05 00', '12 01 ff', '07', '08 ffffffffffffffffffff01', '0c']) {
      for (const path of ['seq', 'id', 'nested.seq']) {
        const run = (): unknown => fieldReader(type, path, 'k')(hex(bytes))
        if (bytes === '12 01 ff' && path !== 'id') assert.doesNotThrow(run)
        else assert.equal(errorOf(run).code, 'PROTOBUF_DECODE', `${path} of ${bytes}`)
      }
    }
  })
})

describe('a time in a message', () => {
  const time = (path: string, json: string): number | null =>
    timestampReader(type, path, 'timestamp.field', 'ms')(encodeRequest(type, json))

  it('is ms since the epoch, from a Timestamp, a number or text', () => {
    assert.equal(time('at', '{"at":"2024-01-02T03:04:05.678999Z"}'), Date.UTC(2024, 0, 2, 3, 4, 5, 678))
    assert.equal(time('seq', '{"seq":"1700000000000"}'), 1_700_000_000_000)
    assert.equal(time('id', '{"id":"2024-01-02T03:04:05+01:00"}'), Date.UTC(2024, 0, 2, 2, 4, 5))
    assert.equal(time('id', '{"id":"1700000000000"}'), 1_700_000_000_000)
  })

  it('may be written in the ways that servers write it', () => {
    assert.equal(time('id', '{"id":"2022-12-29 18:22:32.318353 +0000 UTC"}'), Date.UTC(2022, 11, 29, 18, 22, 32, 318))
    assert.equal(time('id', '{"id":"Thu, 29 Dec 2022 18:22:32 GMT"}'), Date.UTC(2022, 11, 29, 18, 22, 32))
    assert.equal(time('own', '{"own":{"seconds":"1","nanos":2000000}}'), 1002)
    assert.equal(time('own', '{}'), null)
    assert.equal(timestampReader(type, 'seq', 'k', 's')(encodeRequest(type, '{"seq":"1700000000"}')), 1_700_000_000_000)
  })

  it('is null when unset and a data error when it is none', () => {
    assert.deepEqual([time('at', '{}'), time('id', '{}'), time('opt', '{}')], [null, null, null])
    assert.equal(errorOf(() => time('id', '{"id":"yesterday"}')).code, 'PROTOBUF_TIMESTAMP')
    assert.match(
      errorOf(() => time('id', '{"id":"yesterday"}')).message,
      /id holds no time from 1970 to 9999: yesterday/,
    )
    assert.match(
      errorOf(() => time('seq', '{"seq":"-1"}')).message,
      /holds no time from 1970 to 9999: -1; .* ms .*timestamp\.unit/,
    )
    assert.match(
      errorOf(() => time('at', '{"at":"1969-12-31T23:59:59.999Z"}')).message,
      /: \{"seconds":-1,"nanos":999000000\}/,
    )
    assert.equal(errorOf(() => time('d', '{"d":"NaN"}')).code, 'PROTOBUF_TIMESTAMP')
    assert.equal(errorOf(() => time('side', '{}')).field, 'timestamp.field')
  })
})

describe('the resume field of a request', () => {
  const set = (path: string, value: bigint | number | string | boolean | Uint8Array): Buffer =>
    requestField(
      type,
      path,
      'grpc.resume.request.field',
    )(encodeRequest(type, '{"id":"kept","nested":{"id":"too"}}'), value)

  it('is set beside what the request has', () => {
    const bytes = set('nested.deeper.seq', 2n ** 62n)
    assert.equal(fieldReader(type, 'nested.deeper.seq', 'k')(bytes), 2n ** 62n)
    assert.equal(fieldReader(type, 'nested.id', 'k')(bytes), 'too')
    assert.equal(fieldReader(type, 'id', 'k')(bytes), 'kept')
    assert.equal(fieldReader(type, 'id', 'k')(set('id', 'new')), 'new')
    assert.equal(fieldReader(type, 'wrapped', 'k')(set('wrapped', 5n)), 5n)
  })

  it('takes integers as text and text as integers', () => {
    assert.equal(fieldReader(type, 'id', 'k')(set('id', 12n)), '12')
    assert.equal(fieldReader(type, 'seq', 'k')(set('seq', '-12')), -12n)
    assert.deepEqual(fieldReader(type, 'raw', 'k')(set('raw', 'AQI=')), Buffer.from([1, 2]))
    assert.equal(fieldReader(type, 'side', 'k')(set('side', 'BUY')), 'BUY')
  })

  it('refuses what does not fit', () => {
    for (const [path, value] of [
      ['seq', 'x'],
      ['opt', 2n ** 31n],
      ['u', -1n],
      ['ok', 1n],
      ['side', 'SELL'],
      ['seq', 1.5],
    ] as const) {
      const error = errorOf(() => set(path, value))
      assert.equal(error.field, 'grpc.resume.request.field')
      assert.match(error.message, /does not fit its type/)
    }
    assert.match(errorOf(() => set('many', 1n)).message, /is repeated/)
  })
})
