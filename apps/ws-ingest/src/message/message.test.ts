import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { DataError } from '@tributary/connect-api'
import { parseConfig } from '../config/config.ts'
import { asItCame, type DecodeMessage, Frame, messageDecoder } from './message.ts'

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

const NO_TEXT = Buffer.from([0xc3, 0x28])
const text = 'žluťoučký kůň'

function decoder(props: Record<string, string>): DecodeMessage {
  return messageDecoder(parseConfig({ 'websocket.url': 'ws://feed', 'kafka.topic': 't', ...props }))
}

describe('what a message says', () => {
  test('is text or bytes as it came by default', () => {
    const decode = decoder({})
    assert.equal(decode, asItCame)
    assert.equal(decode(Buffer.from(text), false), text)
    const bytes = Buffer.from(text)
    assert.equal(decode(bytes, true), bytes)
  })

  for (const [setting, compress] of [
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['text', (data: Buffer) => data],
  ] as const) {
    test(`is decoded as ${setting} says (${compress.name || 'plain'}), text messages are not`, () => {
      const decode = decoder({ 'websocket.binary.decode': setting })
      assert.equal(decode(compress(Buffer.from(text)), true), text)
      assert.equal(decode(Buffer.from(text), false), text)
    })
  }

  test('stays bytes where what was compressed is no text', () => {
    const decode = decoder({ 'websocket.binary.decode': 'gzip' })
    assert.deepEqual(decode(gzipSync(NO_TEXT), true), NO_TEXT)
  })

  for (const [setting, data, code] of [
    ['gzip', Buffer.from('plain'), 'WEBSOCKET_INFLATE'],
    ['gzip', gzipSync(text).subarray(0, 15), 'WEBSOCKET_INFLATE'],
    ['deflate', gzipSync(text), 'WEBSOCKET_INFLATE'],
    ['text', NO_TEXT, 'WEBSOCKET_TEXT'],
  ] as const) {
    test(`is an error of data where ${setting} does not fit`, () => {
      assert.throws(() => decoder({ 'websocket.binary.decode': setting })(data, true), { code, kind: 'data' })
    })
  }

  test('is not inflated beyond the bound of a message', () => {
    const decode = decoder({ 'websocket.binary.decode': 'gzip', 'websocket.max.message.bytes': '1000' })
    assert.equal(decode(gzipSync('a'.repeat(1000)), true).length, 1000)
    assert.throws(() => decode(gzipSync('a'.repeat(1001)), true), { code: 'WEBSOCKET_INFLATE' })
  })

  test('is checked where the transport does not check it', () => {
    const decode = decoder({ 'websocket.utf8.validation': 'false' })
    assert.equal(decode(Buffer.from(text), false), text)
    assert.throws(() => decode(NO_TEXT, false), { code: 'WEBSOCKET_TEXT', kind: 'data' })
    assert.equal(decode(NO_TEXT, true), NO_TEXT)
  })
})
