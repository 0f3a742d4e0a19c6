import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { Schema } from '@tributary/connect-api'
import { loadProtobufjs } from './load.ts'
import { optional, roundTrip, struct } from './testing.ts'

before(loadProtobufjs)

const ENUM = 'io.confluent.connect.protobuf.Enum'

function enumOf(name: string, values: Readonly<Record<string, number>>): Schema {
  const numbers = Object.entries(values).map(([value, number]) => [`${ENUM}.${value}`, String(number)])
  return { type: 'string', parameters: { [ENUM]: name, ...(Object.fromEntries(numbers) as Record<string, string>) } }
}

test('enums of one name with other values, or of one value, are declared apart, since the names of values count in the message', () => {
  const value = { a: 'UP', b: 'BUY', c: 'DOWN', d: 'SELL', e: 'UNKNOWN' }
  const { text, value: read } = roundTrip(
    struct({
      a: enumOf('Enum', { UNKNOWN: 0, UP: 1, DOWN: 2 }),
      b: enumOf('Enum', { NONE: 0, BUY: 1, SELL: 2 }),
      c: enumOf('Enum', { UNKNOWN: 0, UP: 1, DOWN: 2 }),
      d: enumOf('Enum', { NONE: 0, BUY: 1, SELL: 2 }),
      e: enumOf('Other', { UNKNOWN: 0 }),
    }),
    value,
  )
  assert.deepEqual(read, value)
  assert.match(
    text,
    /Enum a = 1;\n {2}Enum2\.Enum b = 2;\n {2}Enum c = 3;\n {2}Enum2\.Enum d = 4;\n {2}Other2\.Other e = 5;/,
  )
})

test('an enum and a struct may have one name', () => {
  const inner: Schema = { type: 'struct', name: 'x.Status', fields: [{ name: 'n', schema: { type: 'int32' } }] }
  for (const fields of [
    { a: inner, b: enumOf('Status', { OK: 0, BAD: 1 }) },
    { b: enumOf('Status', { OK: 0, BAD: 1 }), a: inner },
  ]) {
    const value = { a: { n: 1 }, b: 'BAD' }
    assert.deepEqual(roundTrip(struct(fields), value).value, value)
  }
})

test('two names of one number are an alias', () => {
  const { text, value } = roundTrip(struct({ a: enumOf('E', { OLD: 0, NEW: 0, MORE: 1 }) }), { a: 'MORE' })
  assert.match(text, /option allow_alias = true;/)
  assert.deepEqual(value, { a: 'MORE' })
})

test('structs of one name and with other fields are messages of their own', () => {
  const inner = (name: string, fields: Record<string, Schema>): Schema => struct(fields, { name, optional: true })
  const nested = struct({ data: inner('S.data', { data: inner('S.data.data', { data: optional('int64') }) }) })
  const value = { data: { data: { data: 5n } } }
  assert.deepEqual(roundTrip(nested, value).value, value)
  const siblings = struct({
    x: inner('a.Status', { code: { type: 'int32' } }),
    y: inner('b.Status', { text: { type: 'string' } }),
  })
  const two = { x: { code: 1 }, y: { text: 'b' } }
  const { text, value: read } = roundTrip(siblings, two)
  assert.match(text, /Status x = 1;\n {2}Status2 y = 2;/)
  assert.deepEqual(read, two)
})
