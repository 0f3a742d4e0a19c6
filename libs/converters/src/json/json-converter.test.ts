import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Schema } from '@tributary/connect-api'
import { JsonConverter } from './json-converter.ts'

test('an absent field is null, also when every object inherits a member of its name', () => {
  const converter = new JsonConverter()
  converter.configure({})
  const field = { name: 'valueOf', schema: { type: 'string', optional: true } as Schema }
  const schema = { type: 'struct', optional: false, fields: [field] } as Schema
  const bytes = converter.fromConnectData('t', schema, {})
  assert.match(String(bytes), /"payload":\{"valueOf":null\}/)
  assert.deepEqual(converter.toConnectData('t', Buffer.from(String(bytes).replace('"valueOf":null', ''))).value, {
    valueOf: null,
  })
})
