import assert from 'node:assert/strict'
import test from 'node:test'
import { RecordMask } from './record-mask.ts'

const mask = new RecordMask(['secrets', 'card_*', 'SSN'])

test('members of JSON are hidden by their names, and the rest of the text stays as it is', () => {
  const cases: [string, string][] = [
    ['{"id": 12345678901234567890, "ssn": "1-2-3"}', '{"id": 12345678901234567890, "ssn": "[hidden]"}'],
    ['{"token":"","x":1}', '{"token":"","x":1}'],
    ['{"Password":"a\\"b","x":1}', '{"Password":"[hidden]","x":1}'],
    ['{"card_number": 4111, "b": true}', '{"card_number": "[hidden]", "b": true}'],
    ['[{"token": {"a": ["}", "\\"]"]}, "b": 1}]', '[{"token": "[hidden]", "b": 1}]'],
    ['{"p\\u0061ssword":"x"}', '{"p\\u0061ssword":"[hidden]"}'],
    // Cut in the middle, as previews and tails do.
    ['{"a": 1, "apiKey": "abc', '{"a": 1, "apiKey": "[hidden]"'],
    ['{"a": 1, "apiKey": {"b": [1', '{"a": 1, "apiKey": "[hidden]"'],
    // A text of JSON in a string of JSON.
    [
      JSON.stringify({ b: JSON.stringify({ token: 'x"y', c: 1 }) }),
      JSON.stringify({ b: '{"token":"[hidden]","c":1}' }),
    ],
    // A stray quote, and a frame of a schema registry before.
    ['he said "so {"password": "x"}', 'he said "so {"password": "[hidden]"}'],
    ['\u0000\u0000\u0000\u0000\u0005{"password":"x"}', '\u0000\u0000\u0000\u0000\u0005{"password":"[hidden]"}'],
    ['{"name":"password","value":1}', '{"name":"password","value":1}'],
    ['password', 'password'],
  ]
  for (const [text, expected] of cases) {
    assert.equal(mask.text(text), expected)
    assert.equal(Buffer.from(mask.bytes(Buffer.from(text))).toString(), expected)
  }
})

test('a text made to be slow is not', () => {
  for (const part of ['\\', '"', '\\"', '"a"', '"token":[', '"token":{"', `"${'a'.repeat(250)}`]) {
    mask.text(part.repeat(Math.ceil(65_536 / part.length)) + '"')
  }
})

test('bytes that are no text stay what they are', () => {
  const bytes = Buffer.from([0xff, 0x22, 0x00, 0x22])
  assert.equal(mask.bytes(bytes), bytes)
  const broken = Buffer.concat([Buffer.from('{"token":"x","b":"'), Buffer.from([0xff]), Buffer.from('"}')])
  assert.equal(
    Buffer.from(mask.bytes(broken)).toString('latin1'),
    Buffer.from('{"token":"[hidden]","b":"\u00ff"}', 'latin1').toString('latin1'),
  )
})

test('records of previews and tails are hidden with a mark, and unchanged parts are the same', () => {
  const record = {
    topic: 'token',
    key: { schema: { type: 'struct' }, value: { id: 1n, password: 'x' } },
    value: { text: '{"a":{"secret":1}}', size: 18 },
    headers: [
      { name: 'authorization', value: { base64: 'AAEC', size: 3 } },
      { name: 'plain', value: { text: 'x', size: 1 } },
      { name: 'session', schema: null, value: 'abc' },
      { name: 'map', schema: null, value: { entries: [['pwd', 1], ['b', 2]] } }, // prettier-ignore
    ],
  }
  const shown = JSON.parse(JSON.stringify(mask.record(record), (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value))) as unknown // prettier-ignore
  assert.deepEqual(shown, {
    topic: 'token',
    key: { schema: { type: 'struct' }, value: { id: 1, password: '[hidden]' }, redacted: true },
    value: { text: '{"a":{"secret":"[hidden]"}}', size: 18, redacted: true },
    headers: [
      { name: 'authorization', value: { text: '[hidden]', size: 3, redacted: true } },
      { name: 'plain', value: { text: 'x', size: 1 } },
      { name: 'session', schema: null, value: '[hidden]', redacted: true },
      { name: 'map', schema: null, value: { entries: [['pwd', '[hidden]'], ['b', 2]] }, redacted: true }, // prettier-ignore
    ],
  })
  assert.equal(mask.record(record).headers[1]?.value, record.headers[1]?.value)
  const off = new RecordMask([])
  assert.equal(off.record(record), record)
})
