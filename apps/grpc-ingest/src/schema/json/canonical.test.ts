import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { jsonWriter } from './writer.ts'
import type { MessageType } from '../model/model.ts'
import { fieldReader } from '../field/field-reader.ts'
import { encodeRequest } from '../request/request.ts'
import { errorOf, hex, schemaOf } from '../testing/schemas.ts'

/** What protobuf's JSON mapping says where protobuf-java-util 3.25 differs; Python's json_format and Go's protojson agree. */

const json = (type: MessageType, bytes: string): string => jsonWriter(type)(hex(bytes))
const canonical = (type: MessageType, bytes: string): string => jsonWriter(type, { omitUnset: true })(hex(bytes))

const TWO = schemaOf(`syntax = "proto2"; package t;
  import "google/protobuf/field_mask.proto";
  message M {
    enum C { NONE = 0; SOME = 7; }
    optional int32 note = 1; optional string s = 2 [default = "d"]; map<string, C> m = 3;
    optional google.protobuf.FieldMask fm = 4; optional Needs needs = 5; repeated int32 list = 6;
    map<string, Needs> mn = 7; oneof x { int32 a = 8; }
    extensions 100 to 199;
  }
  message Needs { required int32 id = 1; optional group G = 2 { required bool ok = 1; } }
  extend M { optional int32 note = 100; repeated int32 many = 101; }
  message Scope { extend M { optional Scope in_scope = 110; } optional int32 i = 1; }`)
const M = TWO.messages.get('t.M')!

describe('an extension as JSON', () => {
  it('has its full name in brackets, so that it cannot double a name of the message', () => {
    const text = canonical(M, '08 01 a006 02 a806 03 f206 02 0801')
    assert.equal(text, '{"note":1,"m":{},"list":[],"mn":{},"[t.note]":2,"[t.many]":[3],"[t.Scope.in_scope]":{"i":1}}')
  })

  it('is read from requests and named by fields under that name', () => {
    const text = '{"note":1,"[t.note]":2,"[t.Scope.in_scope]":{"i":5}}'
    const bytes = encodeRequest(M, text)
    assert.equal(fieldReader(M, '[t.note]', 'key.field')(bytes), 2)
    assert.equal(fieldReader(M, '[t.Scope.in_scope].i', 'key.field')(bytes), 5)
    assert.equal(fieldReader(M, 'note', 'key.field')(bytes), 1)
    assert.match(errorOf(() => encodeRequest(M, '{"many":[1]}')).message, /Cannot find field: many/)
    assert.match(
      errorOf(() => fieldReader(M, 'many', 'key.field')).message,
      /It has: \[t\.Scope\.in_scope\], \[t\.many\]/,
    )
  })
})

describe('an unset field with presence', () => {
  it('of proto2 shows its default as in Java, or is left out', () => {
    assert.equal(json(M, ''), '{"note":0,"s":"d","m":{},"list":[],"mn":{}}')
    assert.equal(canonical(M, ''), '{"m":{},"list":[],"mn":{}}')
    assert.equal(canonical(M, '0800 1200'), '{"note":0,"s":"","m":{},"list":[],"mn":{}}')
    assert.equal(canonical(M, '1a00 1a03 0a0161'), '{"m":{"":"NONE","a":"NONE"},"list":[],"mn":{}}')
  })

  it('of editions is left out; a field without presence is shown', () => {
    const type = schemaOf(`edition = "2023"; message M { int32 i = 1; repeated int32 r = 3; map<string, int32> m = 4;
      int32 imp = 2 [features.field_presence = IMPLICIT]; string s = 5 [default = "d"]; }`).messages.get('M')!
    for (const write of [json, canonical]) {
      assert.equal(write(type, ''), '{"imp":0,"r":[],"m":{}}')
      assert.equal(write(type, '0800 2200 2a00'), '{"i":0,"imp":0,"r":[],"m":{"":0},"s":""}')
    }
  })
})

describe('a required field that is missing', () => {
  it('makes the message malformed, at every level', () => {
    for (const bytes of ['2a00', '2a04 0801 1314', '3a03 0a0161', '3a05 0a0161 1200']) {
      const error = errorOf(() => json(M, bytes))
      assert.equal(error.code, 'PROTOBUF_DECODE', bytes)
      assert.match(error.message, /missing required field t\.Needs\.(id|G\.ok)/)
    }
    assert.match(json(M, '2a06 0801 13080114'), /"needs":\{"id":1,"g":\{"ok":true\}\}/)
    assert.match(json(M, '2a04 13080114 2a02 0800'), /"needs":\{"id":0,"g":\{"ok":true\}\}/)
  })

  it('is told of editions, too', () => {
    const type = schemaOf('edition = "2023"; message M { int32 r = 1 [features.field_presence = LEGACY_REQUIRED]; }')
    assert.match(errorOf(() => json(type.messages.get('M')!, '')).message, /missing required field M\.r/)
  })
})

describe('a map with values of a closed enum', () => {
  it('has no entry for an unknown number', () => {
    assert.equal(canonical(M, '1a05 0a016b 1009 1a05 0a016c 1007'), '{"m":{"l":"SOME"},"list":[],"mn":{}}')
    assert.equal(canonical(M, '1a05 0a016b 1009'), '{"m":{},"list":[],"mn":{}}')
  })

  it('keeps the entry before an unknown number of the same key', () => {
    assert.equal(canonical(M, '1a05 0a016b 1007 1a05 0a016b 1009'), '{"m":{"k":"SOME"},"list":[],"mn":{}}')
  })
})

describe('a FieldMask', () => {
  const mask = (path: string): string => {
    const bytes = Buffer.from(path)
    return canonical(M, Buffer.from([0x22, bytes.length + 2, 0x0a, bytes.length, ...bytes]).toString('hex'))
  }

  it('is an error when its text does not read back as the same paths', () => {
    for (const path of ['fooBar', 'foo__bar', 'foo_3', 'foo_', '', 'a..b', 'a,b', '.a', 'a b', 'é']) {
      const error = errorOf(() => mask(path))
      assert.equal(error.code, 'PROTOBUF_JSON', path)
      assert.ok(error.message.includes(`"${path}"`), error.message)
    }
    assert.match(mask('_foo'), /"fm":"Foo"/)
    assert.match(mask('foo_bar.b_c2'), /"fm":"fooBar.bC2"/)
  })
})
