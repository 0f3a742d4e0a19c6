import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError, parseConfig, type Props } from '@tributary/connect-api'
import { websocketSpec } from '../config/config.ts'
import { type HandshakeRequest, HandshakeTemplate } from './handshake.ts'

const VALUES: Readonly<Record<string, string>> = { 'timestamp.ms': '1700000000000', signature: 'a+b/c=', uuid: 'é\n' }

function handshake(props: Props): HandshakeTemplate {
  const all = { 'websocket.url': 'wss://feed.example.com/ws', 'kafka.topic': 'ticks', ...props }
  return new HandshakeTemplate(parseConfig(websocketSpec, all), all)
}

function request(props: Props): HandshakeRequest {
  return handshake(props).request((name) => VALUES[name]!)
}

function refuses(props: Props, field: string, message: RegExp): void {
  assert.throws(
    () => request(props),
    (error) => {
      assert.ok(error instanceof ConfigError)
      assert.equal(error.field, field)
      assert.match(error.message, message)
      assert.doesNotMatch(error.message, /geheim/)
      return true
    },
  )
}

describe('the headers of a handshake', () => {
  test('come from the list and from single keys, which take precedence, whatever the case of their names', () => {
    const { headers } = request({
      'websocket.headers': 'X-Feed:"a,b", x-key: geheim ,User-Agent:mine',
      'websocket.header.X-Key': 'other',
    })
    assert.deepEqual(headers, { 'user-agent': 'mine', 'x-feed': 'a,b', 'x-key': 'other' })
  })

  test('keep a name that objects treat apart', () => {
    assert.deepEqual(Object.keys(request({ 'websocket.headers': '__proto__:1' }).headers), ['user-agent', '__proto__'])
  })

  test('contain our user agent by default', () => {
    assert.deepEqual(request({}).headers, { 'user-agent': 'tributary-ws-ingest' })
  })

  test('have one Authorization: the token precedes the list, and the list precedes the user of the URL', () => {
    const authorization = (props: Props): string | undefined => request(props).headers['authorization']
    const url = { 'websocket.url': 'wss://us%40er:p%3Ass@feed.example.com/ws' }
    assert.equal(authorization(url), `Basic ${Buffer.from('us@er:p:ss').toString('base64')}`)
    const odd = { 'websocket.url': 'wss://50%25:100%@feed.example.com/ws' }
    assert.equal(authorization(odd), `Basic ${Buffer.from('50%:100%').toString('base64')}`, 'a % of no escape is one')
    const list = { ...url, 'websocket.headers': 'AUTHORIZATION:Digest x' }
    assert.equal(authorization(list), 'Digest x')
    assert.equal(authorization({ ...list, 'websocket.auth.token': '{{geheim' }), 'Bearer {{geheim')
    const basic = { 'websocket.auth.basic.user': 'anna', 'websocket.auth.basic.password': 'pässword' }
    assert.equal(authorization({ ...list, ...basic }), `Basic ${Buffer.from('anna:pässword').toString('base64')}`)
  })

  test('omit those that the handshake sets itself', () => {
    const list = 'Upgrade:h2c,connection:close,Sec-WebSocket-Key:x,Sec-WebSocket-Version:8,Origin:https://a.example'
    assert.deepEqual(Object.keys(request({ 'websocket.headers': list }).headers), ['user-agent', 'origin'])
  })

  test('are rendered for each handshake', () => {
    const { headers } = request({ 'websocket.header.x-sign': 't={{timestamp.ms}};s={{signature}}' })
    assert.equal(headers['x-sign'], 't=1700000000000;s=a+b/c=')
  })

  test('are refused on their key, without their value', () => {
    refuses({ 'websocket.headers': 'X Key:geheim' }, 'websocket.headers', /'X Key' is no header name/)
    refuses({ 'websocket.header.x-key': 'geheim\r\nX: 1' }, 'websocket.header.x-key', /value of 'x-key'/)
    refuses({ 'websocket.auth.token': 'geheim\n' + 'x' }, 'websocket.auth.token', /value of 'authorization'/)
    refuses({ 'websocket.header.x-key': 'geheim ✓' }, 'websocket.header.x-key', /value of 'x-key'/)
    refuses({ 'websocket.header.x-key': '{{uuid}}' }, 'websocket.header.x-key', /value of 'x-key'/)
    refuses({ 'websocket.header.x-key': '{{received.id}}' }, 'websocket.header.x-key', /received\.id/)
  })
})

describe('the URL of a handshake', () => {
  test('gets the configured parameters after its own unchanged query', () => {
    const { url } = request({
      'websocket.url': 'wss://feed.example.com/ws?b=%7E%20+&a=1#part',
      'websocket.query.token': 'a&b=ü+c',
      'websocket.query.sign': '{{signature}}',
    })
    assert.equal(url, 'wss://feed.example.com/ws?b=%7E%20+&a=1&token=a%26b%3D%C3%BC%2Bc&sign=a%2Bb%2Fc%3D')
  })

  test('contains no user and no fragment', () => {
    assert.equal(request({ 'websocket.url': 'ws://me:geheim@h.example/x#y' }).url, 'ws://h.example/x')
  })

  test('may be a template, whose values are percent-encoded', () => {
    const { url } = request({ 'websocket.url': 'wss://feed.example.com/ws?ts={{timestamp.ms}}&sign={{signature}}' })
    assert.equal(url, 'wss://feed.example.com/ws?ts=1700000000000&sign=a%2Bb%2Fc%3D')
  })
})

test('subprotocols come from their key, or from the header that JVM configurations use', () => {
  const listed = request({ 'websocket.subprotocols': 'a,b' })
  assert.deepEqual([listed.subprotocols, listed.subprotocolsMayBeSecret], [['a', 'b'], false])
  const header = request({ 'websocket.headers': 'Sec-WebSocket-Protocol:"a, b"' })
  assert.deepEqual([header.subprotocols, header.subprotocolsMayBeSecret], [['a', 'b'], true])
  assert.equal(header.headers['sec-websocket-protocol'], undefined)
})
