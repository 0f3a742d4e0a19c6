import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HeaderConverter } from '@tributary/connect-api'
import { encodeHeaders } from './record-headers.ts'

const fromConnectHeader: HeaderConverter['fromConnectHeader'] = (_topic, _name, _schema, value) =>
  Buffer.from(String(value))
const converter = { fromConnectHeader } as unknown as HeaderConverter

test("the headers of a value's converter come after the record's, and replace those of the same name", () => {
  const headers = [
    { name: 'a', value: '1' },
    { name: 'content-type', value: 'x' },
  ]
  const added = new Map([['content-type', 'application/json']])
  const names = (traceparent: string | null) =>
    encodeHeaders(converter, 't', headers, traceparent, added)!.map(([name, value]) => `${name}=${String(value)}`)
  assert.deepEqual(names(null), ['a=1', 'content-type=application/json'])
  assert.deepEqual(names('00-1'), ['a=1', 'content-type=application/json', 'traceparent=00-1'])
  assert.equal(encodeHeaders(converter, 't', undefined, null, added)!.length, 1)
  assert.equal(encodeHeaders(converter, 't', undefined, null), undefined)
})
