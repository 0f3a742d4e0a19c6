import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { jsonWriter } from './writer.ts'
import type { MessageType } from '../model/model.ts'
import { encodeRequest } from '../request/request.ts'
import { errorOf, hex, messageOf, schemaOf } from '../testing/schemas.ts'

const json = (type: MessageType, bytes: string): string => jsonWriter(type)(hex(bytes))
/** Through our own encoder: JSON in, JSON out. */
const again = (type: MessageType, text: string): string => jsonWriter(type)(encodeRequest(type, text))

describe('a message as JSON', () => {
  it('has fields in order of number, defaults included, 64 bits as text', () => {
    const type = messageOf('int64 sequence = 5; string event_id = 1; double d = 4; bool b = 3; bytes raw = 2;')
    assert.equal(json(type, ''), '{"eventId":"","raw":"","b":false,"d":0,"sequence":"0"}')
    assert.equal(json(type, '28 07 0a 01 61'), '{"eventId":"a","raw":"","b":false,"d":0,"sequence":"7"}')
  })

  it('leaves out what is unset and has presence, and shows it when set to its default', () => {
    const type = messageOf(
      'optional int32 o = 1; M m = 2; oneof x { int32 a = 3; string b = 4; } repeated int32 r = 5;',
    )
    assert.equal(json(type, ''), '{"r":[]}')
    assert.equal(json(type, '08 00 12 00 18 00'), '{"o":0,"m":{"r":[]},"a":0,"r":[]}')
  })

  it('shows the declared defaults of proto2', () => {
    const type = schemaOf(`syntax = "proto2"; message M { optional string d = 1 [default = "h<i"]; optional int32 r = 2;
      optional float f = 3 [default = 0.1]; optional bytes b = 4 [default = "ab"]; optional E e = 5 [default = B];
      enum E { A = 1; B = 2; } }`).messages.get('M')!
    assert.equal(json(type, ''), '{"d":"h\\u003ci","r":0,"f":0.1,"b":"YWI=","e":"B"}')
  })

  it('takes json_name, also one that is no identifier', () => {
    assert.equal(json(messageOf('int32 a = 1 [json_name = "x \\"é\'];--"];'), '08 01').startsWith('{"x '), true)
  })

  it('counts 64 bits exactly', () => {
    const type = messageOf('int64 i = 1; uint64 u = 2; sint64 s = 3; fixed64 f = 4; sfixed64 g = 5;')
    for (const n of [0n, 1n, -1n, 2n ** 53n, -(2n ** 53n) - 1n, 10n ** 18n, 2n ** 63n - 1n, -(2n ** 63n)]) {
      const u = BigInt.asUintN(64, n)
      assert.equal(
        again(type, `{"i":"${n}","u":"${u}","s":"${n}","f":"${u}","g":"${n}"}`),
        `{"i":"${n}","u":"${u}","s":"${n}","f":"${u}","g":"${n}"}`,
      )
    }
  })

  it('prints the shortest decimals', () => {
    const type = messageOf('float f = 1; double d = 2;')
    const numbers = [0, 0.1, 1.5, 101.25, 123456.789, 1e21, 5e-324, -0.0001, 1e8, 1e-7, 3.4028234663852886e38, 1 / 3]
    for (const d of numbers) assert.deepEqual(JSON.parse(again(type, JSON.stringify({ d }))), { f: 0, d })
    for (const f of ['0.1', '16777216', '0.3', '99.9999', '8.589974e9', '1e-45', '3.4028235e+38', '123456.79']) {
      assert.equal(again(type, `{"f":${f}}`), `{"f":${String(Number(f))},"d":0}`)
    }
    assert.equal(again(type, '{"f":"NaN","d":"-Infinity"}'), '{"f":"NaN","d":"-Infinity"}')
    assert.equal(json(type, '0d 00000080 11 0000000000000080'), '{"f":-0.0,"d":-0.0}')
  })

  it('escapes strings as Gson does, safe for HTML', () => {
    const type = messageOf('string s = 1;')
    const text = "<a href='x'>&\"\\/\u0000\b\f\n\r\t\u001f\u007f\u2028\u2029é日😀"
    const printed = again(type, JSON.stringify({ s: text }))
    assert.deepEqual(JSON.parse(printed), { s: text })
    assert.match(printed, /\\u003ca href\\u003d\\u0027x\\u0027\\u003e\\u0026\\"\\\\\/\\u0000\\b\\f\\n\\r\\t\\u001f/)
    assert.match(printed, /\\u2028\\u2029é日😀/)
    const long = 'é<'.repeat(20_000)
    assert.deepEqual(JSON.parse(again(type, JSON.stringify({ s: long }))), { s: long })
  })

  it('refuses malformed UTF-8 in proto3 and repairs it in proto2', () => {
    for (const bad of ['ff', 'c080', 'eda080', 'f4908080', 'e282', '61c3']) {
      const field = `0a ${(bad.length / 2).toString(16).padStart(2, '0')} ${bad}`
      assert.equal(errorOf(() => json(messageOf('string s = 1;'), field)).code, 'PROTOBUF_DECODE')
      const two = schemaOf('syntax = "proto2"; message M { optional string s = 1; }').messages.get('M')!
      assert.match(json(two, field), /\ufffd/)
    }
  })

  it('shows enums by name, unknown numbers as numbers, and not at all where the enum is closed', () => {
    assert.equal(
      json(messageOf('E e = 1; repeated E r = 2; enum E { A = 0; B = -1; }'), '08 07 12 02 00 09'),
      '{"e":7,"r":["A",9]}',
    )
    const closed = schemaOf(
      `syntax = "proto2"; message M { enum E { B = 5; A = 0; } optional E e = 1; repeated E r = 2; }`,
    )
    assert.equal(json(closed.messages.get('M')!, '08 00 08 07 10 07 10 05'), '{"e":"A","r":["B"]}')
  })

  it('takes the last of a scalar, merges messages, and keeps one member of a oneof', () => {
    const type = messageOf(
      'int32 i = 1; N n = 2; oneof x { N a = 3; int32 b = 4; } message N { int32 p = 1; int32 q = 2; }',
    )
    assert.equal(json(type, '08 01 08 02'), '{"i":2}')
    assert.equal(json(type, '12 02 08 01 12 02 10 02 12 02 08 03'), '{"i":0,"n":{"p":3,"q":2}}')
    assert.equal(json(type, '1a 02 08 01 1a 02 10 02'), '{"i":0,"a":{"p":1,"q":2}}')
    assert.equal(json(type, '1a 02 08 01 20 05 1a 02 10 02'), '{"i":0,"a":{"p":0,"q":2}}')
    assert.equal(json(type, '1a 02 08 01 20 05'), '{"i":0,"b":5}')
  })

  it('does not let a field run over the end of one occurrence into the next', () => {
    const type = messageOf('N n = 2; message N { string s = 1; }')
    assert.equal(errorOf(() => json(type, '12 02 0a 03 12 03 616263')).code, 'PROTOBUF_DECODE')
  })

  it('reads packed and single elements of one field, in order', () => {
    const type = messageOf('repeated sint32 r = 1; repeated double d = 2 [packed = false]; repeated M m = 3;')
    assert.equal(json(type, '08 02 0a 02 04 01 08 00 0a 00'), '{"r":[1,2,-1,0],"d":[],"m":[]}')
    assert.equal(json(type, '12 08 000000000000f03f 1a 00'), '{"r":[],"d":[1],"m":[{"r":[],"d":[],"m":[]}]}')
    assert.equal(errorOf(() => json(type, '12 07 00000000000000')).code, 'PROTOBUF_DECODE')
    assert.equal(errorOf(() => json(type, '0a 02 04 80')).code, 'PROTOBUF_DECODE')
  })

  it('writes maps with their keys as text; the last of a key wins; key and value may be missing', () => {
    const type = messageOf('map<sint64, string> m = 1; map<bool, M> b = 2; map<string, int32> s = 3;')
    assert.equal(json(type, '0a 05 08 01 12 01 61 0a 05 08 01 12 01 62 0a 00'), '{"m":{"-1":"b","0":""},"b":{},"s":{}}')
    assert.equal(
      json(type, '12 02 08 01 1a 05 0a 01 3c 10 07'),
      '{"m":{},"b":{"true":{"m":{},"b":{},"s":{}}},"s":{"\\u003c":7}}',
    )
  })

  it('reads groups and extensions', () => {
    const two =
      schemaOf(`syntax = "proto2"; message M { optional group Leg = 1 { optional int32 q = 1; } extensions 10 to 20;
      repeated group Fill = 2 { optional int32 p = 1; } } extend M { optional string note = 10; repeated int32 many = 11; }`)
    const type = two.messages.get('M')!
    assert.equal(json(type, ''), '{"fill":[]}')
    assert.equal(
      json(type, '0b 08 05 0c 13 08 01 14 13 14 52 01 61 58 03'),
      '{"leg":{"q":5},"fill":[{"p":1},{"p":0}],"[note]":"a","[many]":[3]}',
    )
    assert.equal(json(type, '0b 08 05 0c 0b 08 06 0c'), '{"leg":{"q":6},"fill":[]}')
    assert.equal(errorOf(() => json(type, '0b 08 05 14')).code, 'PROTOBUF_DECODE')
  })

  it('passes over unknown fields of every wire type, and known ones of the wrong one', () => {
    assert.equal(
      json(
        messageOf('int32 i = 1;'),
        'a006 01 a106 0000000000000000 a206 01 00 a306 08 01 a406 a506 00000000 0a 01 05 08 02',
      ),
      '{"i":2}',
    )
  })
})

describe('well-known types as JSON', () => {
  const type = messageOf(
    `google.protobuf.Timestamp ts = 1; google.protobuf.Duration du = 2; google.protobuf.Value v = 3;
     google.protobuf.FieldMask fm = 4; google.protobuf.Any any = 5; google.protobuf.Int64Value w = 6;
     google.protobuf.Struct st = 7; google.protobuf.Empty em = 8; N n = 9; message N { int32 x = 1; }`,
    ['timestamp', 'duration', 'struct', 'field_mask', 'any', 'wrappers', 'empty']
      .map((n) => `import "google/protobuf/${n}.proto";`)
      .join(' '),
  )

  it('have their own forms', () => {
    const text =
      '{"ts":"2024-02-29T23:59:59.000001Z","du":"-1.500s","v":[null,true,1.5,"a",{"b":{}}],"fm":"userName,a.bC",' +
      '"any":{"@type":"type.googleapis.com/t.M.N","x":3},"w":"7","st":{"k":null},"em":{}}'
    assert.equal(again(type, text), text)
    const inAny = '{"any":{"@type":"x/google.protobuf.Duration","value":"3s"}}'
    assert.equal(again(type, inAny), inAny)
  })

  it('of several days are not mixed up', () => {
    for (const ts of [
      '1970-01-01T00:00:00Z',
      '1969-12-31T23:59:59.999Z',
      '9999-12-31T23:59:59Z',
      '0001-01-01T00:00:00Z',
    ]) {
      assert.equal(again(type, `{"ts":"${ts}"}`), `{"ts":"${ts}"}`)
    }
  })

  it('that JSON has no form for are data errors', () => {
    const beyond = [
      '0a 06 08 ffff8880cba3 12 00'.slice(0, 0),
      '2a 03 0a 01 78',
      '1a 09 11 000000000000f07f',
      '0a 07 08 8080808080807f',
    ]
    for (const bytes of beyond.filter((b) => b !== '')) {
      const error = errorOf(() => json(type, bytes.startsWith('0a') ? '0a 08 08 80808080808001' : bytes))
      assert.equal(error.code, 'PROTOBUF_JSON')
      assert.equal(error.kind, 'data')
    }
    assert.match(
      errorOf(() => json(type, '2a 03 0a 01 78')).message,
      /Cannot find type for url: x\. Neither .* has it\. Add its file/,
    )
  })

  it('by name only are written as what they are', () => {
    const own = schemaOf('syntax = "proto3"; package google.protobuf; message Timestamp { string text = 1; }')
    assert.equal(json(own.messages.get('google.protobuf.Timestamp')!, '0a 01 61'), '{"text":"a"}')
  })
})

describe('malformed messages', () => {
  it('are data errors, whatever is wrong', () => {
    const type = messageOf('int32 i = 1; string s = 2; M m = 3; fixed32 f = 4; fixed64 g = 5; repeated M r = 6;')
    const bad = [
      '08',
      '0880',
      '12',
      '1205',
      '1a0108',
      '250000',
      '29000000',
      '00',
      '0f',
      '0c',
      '0b',
      '08ffffffffffffffffffff01',
      '12ffffffff0f',
      '3201ff',
    ]
    for (const bytes of bad) assert.equal(errorOf(() => json(type, bytes)).code, 'PROTOBUF_DECODE', bytes)
  })

  it('may nest 100 deep', () => {
    const type = messageOf('M m = 1;')
    const nest = (depth: number): Buffer => {
      let bytes = Buffer.alloc(0)
      for (let i = 0; i < depth; i++) {
        const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >> 7]
        bytes = Buffer.concat([Buffer.from([0x0a, ...length]), bytes])
      }
      return bytes
    }
    assert.equal(jsonWriter(type)(nest(100)).length, '{"m":}'.length * 100 + 2)
    assert.equal(errorOf(() => jsonWriter(type)(nest(101))).code, 'PROTOBUF_DECODE')
  })

  it('leave nothing behind for the next message', () => {
    const type = messageOf('string s = 1; M m = 2;')
    assert.throws(() => json(type, '0a 02 c3a9 12 01 08'))
    assert.equal(json(type, '0a 01 61'), '{"s":"a"}')
    assert.equal(jsonWriter(type)(new Uint8Array([0x0a, 1, 0x62])), '{"s":"b"}')
  })
})
