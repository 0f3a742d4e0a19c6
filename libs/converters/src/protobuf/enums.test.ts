import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { Schema } from '@tributary/connect-api'
import { compileReader } from './decoder.ts'
import { compileWriter } from './encoder.ts'
import { fromConnectSchema } from './from-schema.ts'
import { loadProto, loadProtobufjs } from './load.ts'
import { Output } from './output.ts'
import { protobufSettings } from './settings.ts'
import { toConnectSchema } from './to-schema.ts'

before(loadProtobufjs)

const ENUM = 'io.confluent.connect.protobuf.Enum'

function enumOf(name: string, values: Readonly<Record<string, number>>): Schema {
  const numbers = Object.entries(values).map(([value, number]) => [`${ENUM}.${value}`, String(number)])
  return { type: 'string', parameters: { [ENUM]: name, ...(Object.fromEntries(numbers) as Record<string, string>) } }
}

function roundTrip(fields: Readonly<Record<string, Schema>>, value: object): { text: string; value: unknown } {
  const schema: Schema = {
    type: 'struct',
    name: 'M',
    fields: Object.entries(fields).map(([name, of]) => ({ name, schema: of })),
  }
  const settings = protobufSettings({})
  const { text } = fromConnectSchema(schema, settings)
  const message = loadProto(text, []).messages[0]!
  const out = new Output()
  compileWriter(message, schema, settings)(out, value, 1)
  return { text, value: compileReader(message, toConnectSchema(message, settings), settings)(out.take()) }
}

test('enums of one name with other values, or of one value, are declared apart, since the names of values count in the message', () => {
  const value = { a: 'UP', b: 'BUY', c: 'DOWN', d: 'SELL', e: 'UNKNOWN' }
  const { text, value: read } = roundTrip(
    {
      a: enumOf('Enum', { UNKNOWN: 0, UP: 1, DOWN: 2 }),
      b: enumOf('Enum', { NONE: 0, BUY: 1, SELL: 2 }),
      c: enumOf('Enum', { UNKNOWN: 0, UP: 1, DOWN: 2 }),
      d: enumOf('Enum', { NONE: 0, BUY: 1, SELL: 2 }),
      e: enumOf('Other', { UNKNOWN: 0 }),
    },
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
    assert.deepEqual(roundTrip(fields, value).value, value)
  }
})

test('two names of one number are an alias', () => {
  const { text, value } = roundTrip({ a: enumOf('E', { OLD: 0, NEW: 0, MORE: 1 }) }, { a: 'MORE' })
  assert.match(text, /option allow_alias = true;/)
  assert.deepEqual(value, { a: 'MORE' })
})
