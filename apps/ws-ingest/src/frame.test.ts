import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DataError } from '@tributary/connect-api'
import { Frame } from './frame.ts'
import type { DecodeMessage } from './record/decode-message.ts'

const CONNECTION = { number: 1 }

function frameOf(data: string | Buffer, binary = false, decode?: DecodeMessage): Frame {
  return new Frame(Buffer.from(data), binary, 0, CONNECTION, decode)
}

describe('a message as it came', () => {
  test('has text and JSON, with all digits of integers', () => {
    const frame = frameOf('{"n":12345678901234567890,"f":1.5}')
    assert.equal(frame.text, '{"n":12345678901234567890,"f":1.5}')
    assert.deepEqual(frame.json, { n: 12345678901234567890n, f: 1.5 })
  })

  test('has no JSON where it is none', () => {
    for (const text of ['', 'pong', '{"a":', '1e999', '['.repeat(100_000)]) assert.equal(frameOf(text).json, undefined)
    assert.equal(frameOf('null').json, null)
  })

  test('is read as text where it is binary and UTF-8, and keeps its bytes', () => {
    const frame = frameOf('{"a":"ž"}', true)
    assert.deepEqual([frame.text, frame.json, frame.value], ['{"a":"ž"}', { a: 'ž' }, frame.data])
    const bytes = frameOf(Buffer.from([0xff]), true)
    assert.deepEqual([bytes.text, bytes.json, bytes.value], [null, undefined, bytes.data])
  })

  test('is decoded once', (t) => {
    const decode = t.mock.fn<DecodeMessage>(() => '{"a":1}')
    const frame = frameOf('zipped', true, decode)
    assert.deepEqual([frame.value, frame.text, frame.json, frame.value], ['{"a":1}', '{"a":1}', { a: 1 }, '{"a":1}'])
    assert.equal(decode.mock.callCount(), 1)
    assert.equal(String(frame.data), 'zipped')
  })

  test('has no text where it cannot be decoded, and says why to who makes a record of it', () => {
    const error = new DataError('WEBSOCKET_INFLATE', 'broken')
    const frame = frameOf('x', true, () => {
      throw error
    })
    assert.deepEqual([frame.text, frame.json], [null, undefined])
    assert.throws(() => frame.value, error)
  })
})
