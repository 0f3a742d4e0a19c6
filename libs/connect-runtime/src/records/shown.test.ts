import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Decimal, LOGICAL, type Schema } from '@tributary/connect-api'
import { Redaction } from '@tributary/telemetry'
import { Shown } from './shown.ts'

const plain = (): Shown => new Shown((text) => text, Infinity)

function hiding(secret: string): Shown {
  const redaction = new Redaction()
  redaction.hide([secret])
  return new Shown((text) => redaction.redact(text), Infinity)
}

describe('bytes', () => {
  test('are text where they are UTF-8, else base64', () => {
    assert.equal(plain().bytes(null), null)
    assert.deepEqual(plain().bytes(Buffer.from('é')), { text: 'é', size: 2 })
    assert.deepEqual(plain().bytes(Buffer.from([0xff, 0])), { base64: '/wA=', size: 2 })
    assert.deepEqual(plain().bytes(Buffer.alloc(0)), { text: '', size: 0 })
  })

  test('are cut at 64 KiB, also within a character', () => {
    const long = Buffer.from(`a${'é'.repeat(200_000)}`)
    const shown = plain().bytes(long) as { text: string; size: number; truncated: boolean }
    assert.deepEqual([shown.size, shown.truncated, shown.text.slice(0, 3)], [400_001, true, 'aéé'])
    assert.ok(shown.text.length <= 65_536 && !shown.text.includes('�'))
    const binary = plain().bytes(Buffer.alloc(100_000, 0xff)) as { base64: string; truncated: boolean }
    assert.deepEqual([Buffer.from(binary.base64, 'base64').length, binary.truncated], [65_536, true])
  })

  test('hide the secrets of the configuration, across the cut too, and say so', () => {
    const secret = 'qZ7_kW-93xTfLm2'
    assert.deepEqual(hiding(secret).bytes(Buffer.from(`me:${secret}`)), {
      text: 'me:[hidden]',
      size: 18,
      redacted: true,
    })
    const binary = hiding(secret).bytes(Buffer.concat([Buffer.from([0xff]), Buffer.from(secret)])) as { base64: string }
    assert.equal(Buffer.from(binary.base64, 'base64').toString('latin1'), 'ÿ[hidden]')
    const across = hiding(secret).bytes(Buffer.from('a'.repeat(65_530) + secret)) as { text: string }
    assert.ok(!across.text.includes('qZ7'))
  })
})

test('a full answer takes no further value, not even of the same record', () => {
  const shown = new Shown((text) => text, 100_000)
  const header = { name: 'n'.repeat(300), value: 'x'.repeat(60_000) }
  const headers = Array.from({ length: 200 }, () => header)
  const rows = { topic: 't', key: null, value: 'v', headers, timestamp: null, sourcePartition: {}, sourceOffset: {} }
  for (let step = 0; step < 100; step++) shown.record(rows)
  const output = { topic: 't', partition: 0, key: null, value: Buffer.from('abc'), timestamp: 0 }
  assert.ok(shown.full && shown.length < 300_000, `${shown.length} characters`)
  assert.deepEqual(shown.output(output, { partition: 0, timestamp: 0 }).value, { text: '', size: 3, truncated: true })
})

describe('values', () => {
  test('of every type become JSON', () => {
    const cases: [unknown, unknown][] = [
      [1n << 60n, 1n << 60n],
      [Number.NaN, 'NaN'],
      [new Date(0), '1970-01-01T00:00:00.000Z'],
      [Buffer.from('ab'), { base64: 'YWI=' }],
      [new Map([['a', 1]]), { entries: [['a', 1]] }],
      [
        [undefined, null, true],
        [null, null, true],
      ],
      [{ a: { b: 'c' } }, { a: { b: 'c' } }],
    ]
    for (const [value, shown] of cases) assert.deepEqual(plain().data(null, value), { schema: null, value: shown })
    assert.equal(typeof plain().data(null, new Decimal(12n, 1)).value, 'string')
  })

  test('keep a field that is called __proto__, and change no prototype', () => {
    const { value } = plain().data(null, JSON.parse('{"__proto__":{"x":1}}'))
    assert.deepEqual(Object.keys(value as object), ['__proto__'])
    assert.equal((value as { x?: number }).x, undefined)
  })

  test('have their schema as Connect writes it', () => {
    const schema: Schema = {
      type: 'struct',
      name: 'x',
      fields: [
        { name: 'at', schema: { type: 'int64', name: LOGICAL.Timestamp, version: 1, optional: true } },
        { name: 'all', schema: { type: 'array', valueSchema: { type: 'string' } } },
      ],
    }
    assert.deepEqual(plain().data(schema, { at: null, all: [] }).schema, {
      type: 'struct',
      optional: false,
      name: 'x',
      fields: [
        { field: 'at', schema: { type: 'int64', optional: true, name: LOGICAL.Timestamp, version: 1 } },
        { field: 'all', schema: { type: 'array', optional: false, items: { type: 'string', optional: false } } },
      ],
    })
  })

  test('that are large, deep or endless are cut, and say so', () => {
    const endless: unknown[] = []
    endless.push(endless)
    let deep: unknown = 1
    for (let i = 0; i < 1000; i++) deep = [deep]
    const wide = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`f${i}`, i]))
    for (const value of [
      endless,
      deep,
      wide,
      Array(10_000).fill(1),
      'a'.repeat(100_000),
      Array(10).fill('a'.repeat(60_000)),
    ]) {
      const shown = plain().data(null, value)
      assert.equal(shown.truncated, true)
      assert.ok(JSON.stringify(shown).length < 300_000)
    }
  })

  test('hide secrets in fields and in their names', () => {
    const { value, redacted } = hiding('qZ7_kW-93xTfLm2').data(null, { 'a qZ7_kW-93xTfLm2': ['qZ7_kW-93xTfLm2'] })
    assert.deepEqual([value, redacted], [{ 'a [hidden]': ['[hidden]'] }, true])
  })
})
