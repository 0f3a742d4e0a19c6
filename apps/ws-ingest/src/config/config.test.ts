import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseConfig, type SourcePartition } from '@tributary/connect-api'
import { offsetsOf, shownUrl, sourcePartitionOf, urlsOf, websocketSpec } from './config.ts'

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

  const configOf = (url: string) => parseConfig(websocketSpec, { 'websocket.url': url, 'kafka.topic': 't' })

  test('names the source partition after the unchanged URL, as the JVM connector does', () => {
    for (const url of ['wss://Feed/ws?token=a@b', 'wss://{{received.host}}/@x']) {
      assert.deepEqual(sourcePartitionOf(configOf(` ${url} `)), { websocket_url: url })
    }
  })

  test('keeps user and password out of the source partition, and finds the offsets that have them', () => {
    const config = configOf('wss://user:p@ss@Feed/ws?token=x')
    const partition = sourcePartitionOf(config)
    assert.deepEqual(partition, { websocket_url: 'wss://Feed/ws?token=x' })
    const committed = new Map([[config['websocket.url'], { sequence: 5 }]])
    const offset = (): unknown =>
      offsetsOf(config, { offset: ({ websocket_url: url }) => committed.get(url as string) ?? null })(partition)
    assert.deepEqual(offset(), { sequence: 5 })
    committed.set('wss://Feed/ws?token=x', { sequence: 6 })
    assert.deepEqual(offset(), { sequence: 6 })
  })

  test('names the source partition by the URL as the user wrote it, and finds the offsets of earlier versions', () => {
    const url = 'wss://${env:USER}:${file:/run/s.properties:pw}@Feed/ws?token=${file:/run/s.properties:token}'
    const config = configOf('wss://u:pw@Feed/ws?token=secret')
    const partition = sourcePartitionOf(config, { 'websocket.url': ` ${url} ` })
    assert.deepEqual(partition, { websocket_url: 'wss://Feed/ws?token=${file:/run/s.properties:token}' })
    for (const former of ['wss://Feed/ws?token=secret', 'wss://u:pw@Feed/ws?token=secret']) {
      const offsets = { offset: ({ websocket_url: at }: SourcePartition) => (at === former ? { sequence: 5 } : null) }
      assert.deepEqual(offsetsOf(config, offsets, { 'websocket.url': url })(partition), { sequence: 5 })
    }
    assert.deepEqual(sourcePartitionOf(config, { 'websocket.url': '${env:URL}' }), { websocket_url: '${env:URL}' })
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
