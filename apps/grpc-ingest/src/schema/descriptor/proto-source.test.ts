import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Field, Root } from '../model/model.ts'
import { errorOf, schemaOf } from '../testing/schemas.ts'

const field = (root: Root, type: string, name: string): Field =>
  root.messages.get(type)!.fields.find((f) => f.name === name)!

describe('.proto text', () => {
  it('has groups in oneofs, in extensions and in groups', () => {
    const root = schemaOf(`syntax = "proto2"; package t;
      message M { extensions 100 to max; oneof pick { int32 a = 1; group Leg = 2 { optional group Deep = 3 { } } } }
      extend M { repeated group ExtGroup = 100 { optional int32 q = 1; } }
      message Scope { extend M { optional group Inner = 101 { } } }`)
    const found = [
      field(root, 't.M', 'leg'),
      field(root, 't.M.Leg', 'deep'),
      field(root, 't.M', 'extgroup'),
      field(root, 't.M', 'inner'),
    ]
    assert.deepEqual(
      found.map((f) => [f.type, f.oneof, f.repeated, f.messageType?.fullName]),
      [
        ['group', 'pick', false, 't.M.Leg'],
        ['group', null, false, 't.M.Leg.Deep'],
        ['group', null, true, 't.ExtGroup'],
        ['group', null, false, 't.Scope.Inner'],
      ],
    )
  })

  it('has every escape in strings, and bytes that are no text', () => {
    const defaults = (type: string, literal: string): unknown =>
      field(schemaOf(`message M { optional ${type} d = 1 [default = ${literal}]; }`), 'M', 'd').defaultValue
    assert.equal(
      defaults('string', String.raw`"caf\u00e9 \U0001F600 \ud83d\ude00 \303\251 \xC3\xA9 é"`),
      'café 😀 😀 é é é',
    )
    assert.equal(
      defaults('string', String.raw`'\a\b\f\n\r\t\v\\\'\"\?' "and " 'more'`),
      '\u0007\b\f\n\r\t\v\\\'"?and more',
    )
    assert.equal(defaults('string', String.raw`"\\ud83d\\ude00"`), '\\ud83d\\ude00')
    const bytes = Buffer.from([1, 0xff, 0x5c, 0x78, 10, 0, 0x37, 0xc3, 0xa9, 0xc3, 0xa9])
    assert.deepEqual(Buffer.from(defaults('bytes', String.raw`"\001\xff\\x\n\0007é\u00e9"`) as Uint8Array), bytes)
  })

  it('has numbers of every form, exactly', () => {
    const root = schemaOf(`syntax = "proto2"; message M {
      optional int64 a = 1 [default = -9007199254740993]; optional uint64 b = 0x2 [default = 0xFFFFFFFFFFFFFFFF];
      optional int32 c = 03 [default = -017]; optional double d = 4 [default = -inf]; optional float e = 5 [default = .5e1];
      optional double f = 6 [default = nan]; optional E g = 7 [default = B]; enum E { A = -0x1; B = 5 [deprecated = true]; } }`)
    assert.deepEqual(
      root.messages.get('M')!.fields.map((f) => f.defaultValue),
      [-9007199254740993n, 18446744073709551615n, -15, -Infinity, 5, NaN, 5],
    )
    assert.deepEqual(
      [...root.enums.get('M.E')!.nameOf],
      [
        [-1, 'A'],
        [5, 'B'],
      ],
    )
  })

  it('has words of the language as names, and names with blanks around their dots', () => {
    const root = schemaOf(
      `syntax = "proto3"; package a . b; message map { int32 message = 1; map map = 2; }
      message stream { .a . b.map option = 3; repeated a.b.map.x enum = 4; map<string, map> group = 5; }
      service S { rpc rpc (stream) returns (stream stream); rpc T (stream .a.b.map) returns (stream) { option (x) = { a: [1] }; } }`.replace(
        'a.b.map.x',
        'map',
      ),
    )
    assert.equal(field(root, 'a.b.stream', 'option').messageType?.fullName, 'a.b.map')
    assert.equal(field(root, 'a.b.stream', 'group').messageType?.mapEntry, true)
    const methods = [...root.services.get('a.b.S')!.methods.values()]
    assert.deepEqual(
      methods.map((m) => [m.requestType.fullName, m.clientStreaming, m.responseType.fullName, m.serverStreaming]),
      [
        ['a.b.stream', false, 'a.b.stream', true],
        ['a.b.map', true, 'a.b.stream', false],
      ],
    )
  })

  it('has options of every form, of which features count, and ranges', () => {
    const root = schemaOf(`\uFEFF// syntax = "proto2";
      /* */ edition = "2023"; import option "x.proto"; option features.field_presence = IMPLICIT; option (a.b).c = "x" 'y';
      option (agg) = { s: "}" n { m: -1 l: [1, 2] [a.b/c]: <> } };
      message M { option features = { message_encoding: DELIMITED enum_type: CLOSED };
        int32 a = 1 [features.field_presence = EXPLICIT, (x.y) = { z: 1 }, json_name = "A\\u0041"]; int32 b = 2; M m = 3;
        E e = 4; enum E { option allow_alias = true; reserved 5 to max, "X"; Z = 0; Y = 0; } reserved 9, 10 to 20; reserved foo;
        extensions 100 to 200 [verification = UNVERIFIED, declaration = { number: 100 }]; ; }`)
    assert.deepEqual([field(root, 'M', 'a').presence, field(root, 'M', 'a').jsonName], [true, 'AA'])
    assert.deepEqual([field(root, 'M', 'b').presence, field(root, 'M', 'm').type], [false, 'group'])
    assert.equal(field(root, 'M', 'e').closed, true)
  })

  it('that is wrong is refused with its line', () => {
    for (const [text, why] of [
      ['message M {\n int32 a = 1; }', /line 2: there is "int32" where a label, which proto2 needs/],
      ['syntax = "proto4";', /unknown syntax "proto4"/],
      ['syntax = "proto3"; message M { int32 a = x; }', /line 1: there is "x" where a number should be/],
      ['syntax = "proto3"; message M { int32 a = 1.5; }', /where a whole number should be/],
      ['syntax = "proto3"; message M {\n\n', /line 3: the text ends where a name of a type|line 3: the text ends/],
      ['syntax = "proto3"; message M { string s = 1 [json_name = "a', /there is """/],
      ['option (a) = {', /the text ends where "}" should be/],
      ['message M { reserved 1', /the text ends where ";" should be/],
      [`syntax = "proto3"; ${'message M { '.repeat(5000)}`, /nest deeper than 100/],
      [`option (a) = ${'{ a '.repeat(5000)}`, /nests too deeply/],
      ['message M { optional group g = 1; }', /there is ";" where "\{" should be/],
    ] as const) {
      const error = errorOf(() => schemaOf(text))
      assert.match(error.message, why)
      assert.equal(error.field, 'grpc.proto.descriptor')
    }
  })
})
