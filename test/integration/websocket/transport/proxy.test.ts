import assert from 'node:assert/strict'
import { once } from 'node:events'
import * as http from 'node:http'
import * as https from 'node:https'
import * as net from 'node:net'
import { readFileSync } from 'node:fs'
import { describe, test, type TestContext } from 'node:test'
import { ConfigError, NotConnectedError, type Props } from '@tributary/connect-api'
import { fixture } from '../../../support/grpc-ticker.ts'
import { dialerOf, feedProps } from './open.ts'
import { closeFrame, frame, OPCODE } from './raw-frames.ts'
import { type RawServer, startRawServer } from './raw-server.ts'
import { until } from '../../../support/until.ts'

const pem = (name: string): Buffer => readFileSync(fixture(`tls/${name}`))
const TLS = { key: pem('server.key'), cert: pem('server.crt') }

interface Proxy {
  readonly port: number
  /** The requested targets, such as `127.0.0.1:443`, with the credentials. */
  readonly asked: { readonly authority: string; readonly credentials: string | undefined }[]
  /** The number of open connections of clients. */
  readonly open: Set<net.Socket>
}

type Answer = 'connect' | 'nothing' | '407 Proxy Authentication Required' | '502 Bad Gateway'

/** An HTTP proxy that knows only CONNECT. */
async function startProxy(t: TestContext, answer: () => Answer = () => 'connect', secure = false): Promise<Proxy> {
  const asked: Proxy['asked'] = []
  const open = new Set<net.Socket>()
  const server = secure ? https.createServer(TLS) : http.createServer()
  server.on('connection', (socket: net.Socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
  })
  server.on('connect', (request, client: net.Socket) => {
    const authority = request.url ?? ''
    client.on('error', () => {})
    asked.push({ authority, credentials: request.headers['proxy-authorization'] })
    const what = answer()
    if (what !== 'connect') {
      // The proxy leaves the connection to its client.
      if (what !== 'nothing') client.write(`HTTP/1.1 ${what}\r\nContent-Length: 0\r\n\r\n`)
      client.on('end', () => client.end()).resume()
      return
    }
    const [host, port] = [
      authority.slice(0, authority.lastIndexOf(':')),
      authority.slice(authority.lastIndexOf(':') + 1),
    ]
    const upstream = net.connect(Number(port), host, () => client.write('HTTP/1.1 200 Connection established\r\n\r\n'))
    upstream.on('error', () => client.destroy())
    upstream.pipe(client).pipe(upstream)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    for (const socket of open) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return { port: (server.address() as net.AddressInfo).port, asked, open }
}

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

const proxied = (url: string, { port }: Proxy, more: Props = {}): Props =>
  feedProps(url, { 'websocket.proxy.url': `http://anna:s%40crt@127.0.0.1:${port}`, ...more })

describe('a WebSocket feed behind an HTTP proxy', () => {
  for (const secure of [false, true]) {
    test(`is read through a tunnel, ${secure ? 'with' : 'without'} TLS within`, async (t) => {
      const [feed, proxy] = [await startFeed(t, secure), await startProxy(t)]
      await receives(proxied(feed.url, proxy, { 'websocket.tls.ca.cert': fixture('tls/ca.crt') }))
      const credentials = `Basic ${Buffer.from('anna:s@crt').toString('base64')}`
      assert.deepEqual(proxy.asked, [{ authority: `127.0.0.1:${feed.port}`, credentials }])
      assert.equal(feed.peers[0]!.headers['proxy-authorization'], undefined)
    })
  }

  test('gets no more trust than without a proxy', async (t) => {
    const [feed, proxy] = [await startFeed(t, true), await startProxy(t)]
    await assert.rejects((await dialerOf(proxied(feed.url, proxy))).open(), /certificate/)
  })

  test('fails for good when the proxy refuses the credentials three times in a row, and never shows them', async (t) => {
    const [feed, proxy] = [await startFeed(t), await startProxy(t, () => '407 Proxy Authentication Required')]
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
    const answers: Answer[] = ['502 Bad Gateway', 'connect']
    const [feed, proxy] = [await startFeed(t), await startProxy(t, () => answers.shift()!)]
    const dialer = await dialerOf(proxied(feed.url, proxy))
    await assert.rejects(dialer.open(), /The proxy answered the handshake with 502 Bad Gateway/)
    assert.equal((await (await dialer.open()).ended()).code, 1000)
  })

  test('leaves no connection behind at a proxy that does not answer', async (t) => {
    const [feed, proxy] = [await startFeed(t), await startProxy(t, () => 'nothing')]
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
      assert.match(error.message, /refused 3 times in a row\. .* 401 No: unknown key/)
      assert.doesNotMatch(error.message, /geheim/)
      return true
    })
  })
})
