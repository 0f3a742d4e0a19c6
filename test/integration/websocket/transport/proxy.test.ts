import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test, type TestContext } from 'node:test'
import { ConfigError, NotConnectedError, type Props } from '@tributary/connect-api'
import { type ConnectProxy, type ProxyAnswer, startConnectProxy } from '../../../support/connect-proxy.ts'
import { fixture } from '../../../support/grpc-ticker.ts'
import { dialerOf, feedProps } from './open.ts'
import { closeFrame, frame, OPCODE } from './raw-frames.ts'
import { type RawServer, startRawServer } from './raw-server.ts'
import { until } from '../../../support/until.ts'

const pem = (name: string): Buffer => readFileSync(fixture(`tls/${name}`))
const TLS = { key: pem('server.key'), cert: pem('server.crt') }

async function startFeed(t: TestContext, secure = false): Promise<RawServer & { url: string }> {
  const bytes = Buffer.concat([frame(OPCODE.text, 'through the proxy'), closeFrame(1000)])
  const server = await startRawServer((peer) => peer.accept({}, bytes), secure ? TLS : null)
  t.after(() => server.stop())
  return { ...server, url: `${secure ? 'wss' : 'ws'}://127.0.0.1:${server.port}/feed` }
}

async function receives(props: Props): Promise<void> {
  const feed = await (await dialerOf(props)).open()
  assert.equal((await feed.ended()).code, 1000)
  assert.deepEqual(feed.texts, ['through the proxy'])
}

const proxied = (url: string, { port }: ConnectProxy, more: Props = {}): Props =>
  feedProps(url, { 'websocket.proxy.url': `http://anna:s%40crt@127.0.0.1:${port}`, ...more })

describe('a WebSocket feed behind an HTTP proxy', () => {
  for (const secure of [false, true]) {
    test(`is read through a tunnel, ${secure ? 'with' : 'without'} TLS within`, async (t) => {
      const [feed, proxy] = [await startFeed(t, secure), await startConnectProxy(t)]
      await receives(proxied(feed.url, proxy, { 'websocket.tls.ca.cert': fixture('tls/ca.crt') }))
      const credentials = `Basic ${Buffer.from('anna:s@crt').toString('base64')}`
      assert.deepEqual(proxy.asked, [{ authority: `127.0.0.1:${feed.port}`, credentials }])
      assert.equal(feed.peers[0]!.headers['proxy-authorization'], undefined)
    })
  }

  test('gets no more trust than without a proxy', async (t) => {
    const [feed, proxy] = [await startFeed(t, true), await startConnectProxy(t)]
    await assert.rejects((await dialerOf(proxied(feed.url, proxy))).open(), /certificate/)
  })

  test('fails for good when the proxy refuses the credentials three times in a row, and never shows them', async (t) => {
    const [feed, proxy] = [await startFeed(t), await startConnectProxy(t, () => '407 Proxy Authentication Required')]
    const dialer = await dialerOf(proxied(feed.url, proxy))
    for (let i = 0; i < 2; i++) await assert.rejects(dialer.open(), NotConnectedError)
    await assert.rejects(dialer.open(), (error) => {
      assert.ok(error instanceof ConfigError)
      assert.equal(error.field, 'websocket.proxy.url')
      assert.match(error.message, /refused 3 times in a row.*407/)
      assert.doesNotMatch(error.message, /anna|s@crt/)
      return true
    })
    await until('the connections to the proxy are gone', () => proxy.open.size === 0)
  })

  test('is tried again when the proxy cannot reach the feed', async (t) => {
    const answers: ProxyAnswer[] = ['502 Bad Gateway', 'connect']
    const [feed, proxy] = [await startFeed(t), await startConnectProxy(t, () => answers.shift()!)]
    const dialer = await dialerOf(proxied(feed.url, proxy))
    await assert.rejects(dialer.open(), /The proxy answered the handshake with 502 Bad Gateway/)
    assert.equal((await (await dialer.open()).ended()).code, 1000)
  })

  test('leaves no connection behind at a proxy that does not answer', async (t) => {
    const [feed, proxy] = [await startFeed(t), await startConnectProxy(t, () => 'nothing')]
    const dialer = await dialerOf(proxied(feed.url, proxy, { 'websocket.connection.timeout.ms': '200' }))
    await assert.rejects(dialer.open(), /no connection within 200 ms/)
    await until('the connection to the proxy is gone', () => proxy.open.size === 0)
  })
})

describe('refused credentials of a feed', () => {
  test('are an error of the configuration the third time in a row', async (t) => {
    const statuses = ['401 Unauthorized', '403 Forbidden', '503 Busy', '401 No', '401 No', '401 No']
    const server = await startRawServer((peer) => peer.refuse(statuses.shift()!, {}, 'unknown key'))
    t.after(() => server.stop())
    const dialer = await dialerOf(feedProps(`ws://127.0.0.1:${server.port}/feed?token=geheim`))
    for (let i = 0; i < 5; i++) await assert.rejects(dialer.open(), NotConnectedError)
    await assert.rejects(dialer.open(), (error) => {
      assert.ok(error instanceof ConfigError)
      assert.equal(error.code, 'WEBSOCKET_DENIED')
      assert.match(error.message, /refused 3 times in a row\. .* 401 Unauthorized$/)
      assert.doesNotMatch(error.message, /geheim/)
      return true
    })
  })
})
