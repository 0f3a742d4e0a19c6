import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Field } from '../model/model.ts'
import { resolveMethod } from '../model/resolve-method.ts'
import { errorOf, messageOf, schemaOf } from '../testing/schemas.ts'

const field = (text: string, name: string): Field =>
  [...schemaOf(text).messages.values()].flatMap((m) => m.fields).find((f) => f.name === name)!

describe('a linked schema', () => {
  it('finds types from the innermost scope outwards', () => {
    const root =
      schemaOf(`syntax = "proto3"; package a.b; message X { message X { Y y = 1; } message Y {} X x = 1; .a.b.Y z = 2; }
      message Y { b.X up = 1; a.b.X.Y far = 2; }`)
    const typeOf = (message: string, name: string): string | undefined =>
      root.messages.get(message)?.fields.find((f) => f.name === name)?.messageType?.fullName
    assert.equal(typeOf('a.b.X', 'x'), 'a.b.X.X')
    assert.equal(typeOf('a.b.X.X', 'y'), 'a.b.X.Y')
    assert.deepEqual(
      [typeOf('a.b.X', 'z'), typeOf('a.b.Y', 'up'), typeOf('a.b.Y', 'far')],
      ['a.b.Y', 'a.b.X', 'a.b.X.Y'],
    )
  })

  it('knows presence, packing and UTF-8 by syntax and by features', () => {
    const two = 'syntax = "proto2"; message M { optional int32 i = 1; repeated int32 r = 2; optional string s = 3; }'
    const three = 'syntax = "proto3"; message M { int32 i = 1; repeated int32 r = 2; string s = 3; }'
    const edition = `edition = "2023"; option features.utf8_validation = NONE; message M {
      int32 i = 1 [features.field_presence = IMPLICIT]; repeated int32 r = 2 [features.repeated_field_encoding = EXPANDED];
      string s = 3; int32 e = 4; N n = 5 [features.message_encoding = DELIMITED]; message N {} }`
    const facts = (text: string): boolean[] => [
      field(text, 'i').presence,
      field(text, 'r').packed,
      field(text, 's').validateUtf8,
    ]
    assert.deepEqual(facts(two), [true, false, false])
    assert.deepEqual(facts(three), [false, true, true])
    assert.deepEqual(facts(edition), [false, false, false])
    assert.deepEqual([field(edition, 'e').presence, field(edition, 'n').type], [true, 'group'])
  })

  it('names fields for JSON as protoc does', () => {
    const names = messageOf('int32 event_id = 1; int32 a__b = 2; int32 _lead = 3; int32 x_1y = 4; int32 Up = 5;').fields
    assert.deepEqual(
      names.map((f) => f.jsonName),
      ['eventId', 'aB', 'Lead', 'x1y', 'Up'],
    )
  })

  it('puts extensions of one file, nested ones too, where they belong', () => {
    const root =
      schemaOf(`syntax = "proto2"; package p; message M { extensions 5 to 9; } extend M { optional int32 a = 5; }
      message N { extend M { optional N b = 6; } }`)
    assert.deepEqual(
      root.messages.get('p.M')!.fields.map((f) => [f.name, f.number, f.extension]),
      [
        ['a', 5, true],
        ['b', 6, true],
      ],
    )
  })

  it('does not need the files of custom options', () => {
    assert.ok(
      schemaOf(
        'syntax = "proto2"; import "google/protobuf/descriptor.proto"; extend google.protobuf.FieldOptions { optional bool x = 50000; } message M { optional int32 a = 1 [(x) = true]; }',
      ),
    )
  })

  it('refuses what cannot be', () => {
    const bad = (body: string): string => errorOf(() => messageOf(body)).message
    assert.match(bad('int32 a = 1; string b = 1;'), /duplicate id 1|Field number 1 has already been used/)
    assert.match(bad('Nope n = 1;'), /t\.M\.n: "Nope" is not defined\./)
    assert.match(bad('int32 a = 0;'), /Field numbers must be positive integers|illegal/)
    assert.match(bad('MEntry e = 1; message MEntry {} enum Empty {}'), /must contain at least one value/)
  })
})

describe('a method', () => {
  const root =
    schemaOf(`syntax = "proto3"; package p; message M {} service S { rpc Stream(M) returns (stream M); rpc Unary(M) returns (M);
    rpc Up(stream M) returns (M); rpc Both(stream M) returns (stream M); }`)

  it('that streams from the server is found', () => {
    const { path, requestType, responseType } = resolveMethod(root, 'p.S', 'Stream')
    assert.deepEqual([path, requestType.fullName, responseType.fullName], ['/p.S/Stream', 'p.M', 'p.M'])
    const open = ['Stream', 'Both'].map((name) => resolveMethod(root, 'p.S', name).clientStreaming)
    assert.deepEqual(open, [false, true])
  })

  it('that is not there, or does not stream, is a clear error on its key', () => {
    const refused = (service: string, method: string): [string | undefined, string] => {
      const error = errorOf(() => resolveMethod(root, service, method))
      return [error.field, error.message]
    }
    assert.deepEqual(refused('p.T', 'Stream'), [
      'grpc.service.name',
      'Failed to load proto descriptor: Service not found in descriptor: p.T. It has: p.S.',
    ])
    assert.deepEqual(refused('p.S', 'stream'), [
      'grpc.method.name',
      'Failed to load proto descriptor: Method not found in service: stream. p.S has: Both, Stream, Unary, Up.',
    ])
    assert.match(refused('p.S', 'Unary')[1], /Unary of p\.S is unary; .* Such methods of the service: Both, Stream\./)
    assert.match(refused('p.S', 'Up')[1], /is client streaming/)
  })
})
