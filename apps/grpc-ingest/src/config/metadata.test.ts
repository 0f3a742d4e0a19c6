import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError } from '@tributary/connect-api'
import { recordHeaders, requestMetadata } from './metadata.ts'

describe('the metadata of a call', () => {
  test('is made of the list and of single entries, which win', () => {
    const metadata = requestMetadata('authorization:Bearer a:b, X-Key : k1 ,x-list:"1,\\"2\\""', { 'x-key': 'k2' })
    assert.deepEqual(metadata, { authorization: 'Bearer a:b', 'x-key': 'k2', 'x-list': '1,"2"' })
    assert.deepEqual(requestMetadata(null, {}), {})
  })

  test('keeps a name that objects treat apart', () => {
    assert.deepEqual(Object.entries(requestMetadata('__proto__:1', {})), [['__proto__', '1']])
  })

  test('takes binary values as base64 of either alphabet', () => {
    assert.deepEqual(requestMetadata('a-bin:_-8', { 'b-bin': 'AAE=' }), { 'a-bin': '/+8=', 'b-bin': 'AAE=' })
    assert.deepEqual(requestMetadata(null, { 'a-bin': '_w, AAE=' }), { 'a-bin': '/w==,AAE=' })
  })

  for (const [what, list, single, field] of [
    ['an entry without a colon', 'authorization', {}, 'grpc.metadata'],
    ['a name that is none', 'a b:c', {}, 'grpc.metadata'],
    ['a name of gRPC itself', '', { 'grpc-timeout': '1S' }, 'grpc.metadata.grpc-timeout'],
    ['a name of HTTP itself', 'Content-Type:x', {}, 'grpc.metadata'],
    ['a value that is not ASCII', '', { 'x-key': 'sëcret' }, 'grpc.metadata.x-key'],
    ['a binary value that is no base64', '', { 'x-bin': 'sëcret' }, 'grpc.metadata.x-bin'],
  ] as const) {
    test(`refuses ${what}, without showing the value`, () => {
      assert.throws(
        () => requestMetadata(list, single),
        (error: unknown) => {
          assert.ok(error instanceof ConfigError)
          assert.equal(error.field, field)
          assert.doesNotMatch(error.message, /sëcret/)
          return true
        },
      )
    })
  }
})

describe('the headers of a record', () => {
  test('are none unless something is there', () => {
    assert.equal(recordHeaders({ 'content-type': 'application/grpc' }, ['x-feed']), undefined)
  })

  test('are the trace context and what was chosen, once', () => {
    const headers = recordHeaders({ traceparent: 't', tracestate: 's', 'x-a': '1' }, ['x-a', 'X-A', 'traceparent'])
    assert.deepEqual(
      headers?.map((header) => header.name),
      ['traceparent', 'tracestate', 'x-a'],
    )
  })

  test('have each value of a binary name, which HTTP/2 and gRPC may join with commas', () => {
    const headers = recordHeaders({ 'x-bin': 'AQ, Ag==,Aw, ', 'x-a': '1, 2' }, ['x-bin', 'x-a'])
    assert.deepEqual(headers, [
      { name: 'x-bin', value: Buffer.from([1]) },
      { name: 'x-bin', value: Buffer.from([2]) },
      { name: 'x-bin', value: Buffer.from([3]) },
      { name: 'x-bin', value: Buffer.alloc(0) },
      { name: 'x-a', value: '1, 2' },
    ])
  })
})
