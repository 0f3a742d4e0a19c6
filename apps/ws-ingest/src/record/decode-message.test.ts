import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { parseConfig } from '../settings.ts'
import { asItCame, type DecodeMessage, messageDecoder } from './decode-message.ts'

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
