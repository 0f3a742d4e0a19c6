import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Decimal, LOGICAL, type Schema } from '@tributary/connect-api'
import { JsonConverter } from './json-converter.ts'

const STRING: Schema = { type: 'string', optional: true }

function converter(config: Readonly<Record<string, string>> = {}): JsonConverter {
  const made = new JsonConverter()
  made.configure(config)
  return made
}

test('an absent field is null, also when every object inherits a member of its name', () => {
  const json = converter()
  const schema: Schema = { type: 'struct', fields: [{ name: 'valueOf', schema: STRING }] }
  const bytes = json.fromConnectData('t', schema, {})
  assert.match(String(bytes), /"payload":\{"valueOf":null\}/)
  const back = json.toConnectData('t', Buffer.from(String(bytes).replace('"valueOf":null', ''))).value
  assert.deepEqual(back, { valueOf: null })
})

test('a field named __proto__ is written and read', () => {
  const json = converter()
  const schema: Schema = { type: 'struct', fields: [{ name: '__proto__', schema: STRING }] }
  const bytes = json.fromConnectData('t', schema, JSON.parse('{"__proto__":"x"}'))
  assert.match(String(bytes), /"payload":\{"__proto__":"x"\}/)
  assert.deepEqual(Object.entries(json.toConnectData('t', bytes).value as object), [['__proto__', 'x']])
})

test('records with the same schema text get the same schema object, and what follows a payload is an error', () => {
  const json = converter()
  const text = '{"schema":{"type":"int64","optional":true},"payload":9007199254740993}'
  const [first, second] = [text, text.replace('3}', '5}')].map((each) => json.toConnectData('t', Buffer.from(each)))
  assert.equal(first!.schema, second!.schema)
  assert.deepEqual([first!.value, second!.value], [9007199254740993n, 9007199254740995n])
  for (const more of [
    text.replace(/}$/, ',"a":1}'),
    `${text}}`,
    `${text} junk`,
    text.replace('"payload"', '"other"'),
  ]) {
    assert.throws(() => json.toConnectData('t', Buffer.from(more)), { kind: 'data' })
  }
})

test('a Decimal keeps the scale of its text', () => {
  const json = converter({ 'decimal.format': 'numeric' })
  const schema: Schema = { type: 'bytes', name: LOGICAL.Decimal, version: 1, parameters: { scale: '2' } }
  const bytes = json.fromConnectData('t', schema, new Decimal(150n, 2))
  assert.match(String(bytes), /"payload":1\.50\}$/)
  for (let i = 0; i < 2; i++) assert.deepEqual(json.toConnectData('t', bytes).value, new Decimal(150n, 2))
})

test('numbers have the form of Java, and characters beyond U+FFFF that of Jackson', () => {
  const json = converter({ 'schemas.enable': 'false' })
  assert.equal(
    String(json.fromConnectData('t', null, [1, 1.5, 1e21, NaN, '😀\u001f'])),
    '[1,1.5,1.0E21,"NaN","\\uD83D\\uDE00\\u001F"]',
  )
  assert.equal(String(json.fromConnectData('t', { type: 'float32' }, 1)), '1.0')
})
