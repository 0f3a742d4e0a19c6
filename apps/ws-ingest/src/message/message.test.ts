import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { DataError, parseConfig } from '@tributary/connect-api'
import { websocketSpec } from '../config/config.ts'
import { type DecodeMessage, Message, messageDecoder, plainDecode } from './message.ts'

const CONNECTION = { number: 1 }

function messageOf(data: string | Buffer, binary = false, decode?: DecodeMessage): Message {
  return new Message(Buffer.from(data), binary, 0, CONNECTION, decode)
}

describe('a message', () => {
  test('has text and JSON, with all digits of integers', () => {
    const message = messageOf('{"n":12345678901234567890,"f":1.5}')
    assert.equal(message.text, '{"n":12345678901234567890,"f":1.5}')
    assert.deepEqual(message.json, { n: 12345678901234567890n, f: 1.5 })
  })

  test('has no JSON if its text is not JSON', () => {
    for (const text of ['', 'pong', '{"a":', '1e999', '['.repeat(100_000)])
      assert.equal(messageOf(text).json, undefined)
    assert.equal(messageOf('null').json, null)
  })

  test('is readable as text if it is binary and UTF-8, and keeps its bytes as the value', () => {
    const message = messageOf('{"a":"ž"}', true)
    assert.deepEqual([message.text, message.json, message.value], ['{"a":"ž"}', { a: 'ž' }, message.data])
    const bytes = messageOf(Buffer.from([0xff]), true)
    assert.deepEqual([bytes.text, bytes.json, bytes.value], [null, undefined, bytes.data])
  })

  test('is decoded once', (t) => {
    const decode = t.mock.fn<DecodeMessage>(() => '{"a":1}')
    const message = messageOf('zipped', true, decode)
    assert.deepEqual(
      [message.value, message.text, message.json, message.value],
      ['{"a":1}', '{"a":1}', { a: 1 }, '{"a":1}'],
    )
    assert.equal(decode.mock.callCount(), 1)
    assert.equal(String(message.data), 'zipped')
  })

  test('has no text if it cannot be decoded; its value throws the reason', () => {
    const error = new DataError('WEBSOCKET_INFLATE', 'broken')
    const message = messageOf('x', true, () => {
      throw error
    })
    assert.deepEqual([message.text, message.json], [null, undefined])
    assert.throws(() => message.value, error)
  })
})

const NO_TEXT = Buffer.from([0xc3, 0x28])
const text = 'žluťoučký kůň'

function decoder(props: Record<string, string>): DecodeMessage {
  return messageDecoder(parseConfig(websocketSpec, { 'websocket.url': 'ws://feed', 'kafka.topic': 't', ...props }))
}

describe('the decoded content of a message', () => {
  test('is the unchanged text or bytes by default', () => {
    const decode = decoder({})
    assert.equal(decode, plainDecode)
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

  test('stays bytes if the decompressed content is not text', () => {
    const decode = decoder({ 'websocket.binary.decode': 'gzip' })
    assert.deepEqual(decode(gzipSync(NO_TEXT), true), NO_TEXT)
  })

  test('keeps no output buffers of zlib alive', () => {
    const decode = decoder({ 'websocket.binary.decode': 'gzip' })
    const kept = Array.from({ length: 1000 }, () => decode(gzipSync(NO_TEXT), true) as Buffer)
    const bytes = [...new Set(kept.map(({ buffer }) => buffer))].reduce((sum, { byteLength }) => sum + byteLength, 0)
    assert.ok(bytes <= 2 * 64 * 1024, `1000 messages of 2 bytes hold ${bytes} bytes`)
  })

  for (const [setting, data, code] of [
    ['gzip', Buffer.from('plain'), 'WEBSOCKET_INFLATE'],
    ['gzip', gzipSync(text).subarray(0, 15), 'WEBSOCKET_INFLATE'],
    ['deflate', gzipSync(text), 'WEBSOCKET_INFLATE'],
    ['text', NO_TEXT, 'WEBSOCKET_TEXT'],
  ] as const) {
    test(`is a data error if the content is not ${setting}`, () => {
      assert.throws(() => decoder({ 'websocket.binary.decode': setting })(data, true), { code, kind: 'data' })
    })
  }

  test('is not decompressed beyond the size limit of messages', () => {
    const decode = decoder({ 'websocket.binary.decode': 'gzip', 'websocket.max.message.bytes': '1000' })
    assert.equal(decode(gzipSync('a'.repeat(1000)), true).length, 1000)
    assert.throws(() => decode(gzipSync('a'.repeat(1001)), true), { code: 'WEBSOCKET_INFLATE' })
  })

  test('is validated if the transport does not validate it', () => {
    const decode = decoder({ 'websocket.utf8.validation': 'false' })
    assert.equal(decode(Buffer.from(text), false), text)
    assert.throws(() => decode(NO_TEXT, false), { code: 'WEBSOCKET_TEXT', kind: 'data' })
    assert.equal(decode(NO_TEXT, true), NO_TEXT)
  })
})
