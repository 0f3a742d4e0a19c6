import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseConfig } from '@tributary/connect-api'
import { shownUrl, sourcePartitionOf, urlsOf, websocketSpec } from './config.ts'

describe('the configuration of a WebSocket source', () => {
  for (const [url, shown] of [
    ['wss://feed.example.com/ws?token=secret#x', 'wss://feed.example.com/ws'],
    ['WS://user:pass@Feed:8080/', 'ws://feed:8080'],
    ['wss://feed/a/{{uuid}}?k={{signature}}', 'wss://feed/a/%7B%7Buuid%7D%7D'],
    ['wss://user:p@ss@{{received.host}}/x?token=secret', 'wss://{{received.host}}/x'],
    ['no URL?token=secret', 'no URL'],
  ] as const) {
    test(`shows ${url} as ${shown}`, () => assert.equal(shownUrl(url), shown))
  }

  test('names the source partition after the unchanged URL, as the JVM connector does', () => {
    const url = 'wss://user:pass@Feed/ws?token=x'
    assert.deepEqual(
      sourcePartitionOf(parseConfig(websocketSpec, { 'websocket.url': ` ${url} `, 'kafka.topic': 't' })),
      {
        websocket_url: url,
      },
    )
  })

  test('lists all URLs without separators', () => {
    assert.deepEqual(urlsOf({ 'websocket.url': ' ws://a ' }), ['ws://a'])
    assert.deepEqual(urlsOf({ 'websocket.url': 'ws://a', 'websocket.additional.urls': ' ws://b , ws://c,, ' }), [
      'ws://a',
      'ws://b',
      'ws://c',
    ])
  })

  test('reports all mistakes at once', () => {
    assert.throws(() => parseConfig(websocketSpec, { 'websocket.url': 'x', 'queue.max.bytes': '0' }), {
      code: 'CONFIG_INVALID',
      kind: 'config',
      message: /websocket\.url[^]*queue\.max\.bytes|queue\.max\.bytes[^]*websocket\.url/,
    })
  })
})
