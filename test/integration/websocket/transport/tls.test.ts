import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import type { TlsOptions, TLSSocket } from 'node:tls'
import { NotConnectedError, type Props } from '@tributary/connect-api'
import { websocketSource } from '@tributary/ws-ingest'
import { fixture } from '../../../support/grpc-ticker.ts'
import { dialerOf, feedProps } from './open.ts'
import { frame, OPCODE } from './raw-frames.ts'
import { type RawPeer, type RawServer, startRawServer } from './raw-server.ts'

const pem = (name: string): Buffer => readFileSync(fixture(`tls/${name}`))
const CA = { 'websocket.tls.ca.cert': fixture('tls/ca.crt') }
const CLIENT = { ...CA, 'websocket.tls.client.cert': fixture('tls/client.crt') }

/** A feed of one message. */
async function secureServer(t: TestContext, more: TlsOptions = {}): Promise<RawServer> {
  const pair = { key: pem('server.key'), cert: pem('server.crt') }
  const server = await startRawServer((peer) => peer.accept({}, frame(OPCODE.text, 'secret')), { ...pair, ...more })
  t.after(() => server.stop())
  return server
}

const mutual = { ca: pem('ca.crt'), requestCert: true, rejectUnauthorized: true }
const url = ({ port }: RawServer, host = '127.0.0.1'): string => `wss://${host}:${port}/feed`

async function receives(feedUrl: string, props: Props): Promise<void> {
  const feed = await (await dialerOf(feedProps(feedUrl, props))).open()
  await feed.received(1)
  assert.deepEqual(feed.texts, ['secret'])
  feed.connection.terminate()
}

async function refused(feedUrl: string, props: Props, reason: RegExp): Promise<void> {
  const dialer = await dialerOf(feedProps(feedUrl, props))
  await assert.rejects(dialer.open(), (error) => {
    assert.ok(error instanceof NotConnectedError)
    assert.match(error.message, reason)
    return true
  })
}

describe('a WebSocket feed over TLS', () => {
  test('is read when the CA is trusted, by address and by name', async (t) => {
    const server = await secureServer(t)
    await receives(url(server), CA)
    await receives(url(server, 'localhost'), CA)
    await receives(url(server), { 'websocket.tls.ca.cert': pem('ca.crt').toString() })
  })

  test('is not read from a server whose certificate the CA has not signed', async (t) => {
    const server = await secureServer(t)
    await refused(url(server), { 'websocket.tls.ca.cert': fixture('tls/other-ca.crt') }, /certificate/)
    await refused(url(server), {}, /certificate/)
  })

  test('checks the name of websocket.tls.server.name instead of the URL’s host', async (t) => {
    const asked: string[] = []
    const server = await secureServer(t, {
      SNICallback: (name, done) => {
        asked.push(name)
        done(null)
      },
    })
    await receives(url(server), { ...CA, 'websocket.tls.server.name': 'localhost' })
    await refused(url(server, 'localhost'), { ...CA, 'websocket.tls.server.name': 'feed.example.com' }, /altnames/)
    assert.deepEqual(asked, ['localhost', 'feed.example.com'])
  })

  test('is refused by a server in plain text, and the reverse', async (t) => {
    const server = await secureServer(t)
    await refused(url(server).replace('wss:', 'ws:'), CA, /Cannot connect to ws:/)
    const plain = await startRawServer()
    t.after(() => plain.stop())
    // A server in plain text answers a TLS greeting with bytes that are not TLS.
    await refused(url(plain), { ...CA, 'websocket.connection.timeout.ms': '300' }, /Cannot connect to wss:/)
  })

  test('is read with a client certificate, its key also encrypted or as text', async (t) => {
    const server = await secureServer(t, mutual)
    await receives(url(server), { ...CLIENT, 'websocket.tls.client.key': fixture('tls/client.key') })
    await receives(url(server), { ...CLIENT, 'websocket.tls.client.key': pem('client.key').toString() })
    await receives(url(server), {
      ...CLIENT,
      'websocket.tls.client.key': fixture('tls/client-encrypted.key'),
      'websocket.tls.client.key.password': 'correct-horse',
    })
    await refused(url(server), CA, /certificate required/)
  })

  test('shows the client certificate to the configured host only, and not to one that it redirects to', async (t) => {
    const shown: unknown[] = []
    const asking = async (answer: (peer: RawPeer) => void): Promise<RawServer> => {
      const take = (peer: RawPeer): void => {
        shown.push((peer.socket as TLSSocket).getPeerCertificate().subject?.CN)
        answer(peer)
      }
      const pair = { key: pem('server.key'), cert: pem('server.crt') }
      const server = await startRawServer(take, { ...pair, ...mutual, rejectUnauthorized: false })
      t.after(() => server.stop())
      return server
    }
    const last = await asking((peer) => peer.accept({}, frame(OPCODE.text, 'secret')))
    const first = await asking((peer) => peer.refuse('307 Moved', { Location: url(last) }))
    const key = { 'websocket.tls.client.key': fixture('tls/client.key') }
    await receives(url(first), { ...CLIENT, ...key, 'websocket.handshake.follow.redirects': 'true' })
    assert.deepEqual([typeof shown[0], shown[1]], ['string', undefined])
  })

  test('uses renewed files at the next connect, and the old ones while the files are missing', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'ws-tls-'))
    const ca = join(folder, 'ca.crt')
    await copyFile(fixture('tls/other-ca.crt'), ca)
    const server = await secureServer(t)
    const dialer = await dialerOf(feedProps(url(server), { 'websocket.tls.ca.cert': ca }))
    await assert.rejects(dialer.open(), /certificate/)
    await copyFile(fixture('tls/ca.crt'), ca)
    ;(await dialer.open()).connection.terminate()
    await rm(folder, { recursive: true })
    ;(await dialer.open()).connection.terminate()
    assert.ok(dialer.log.some(({ event }) => event === 'tls_files_unreadable'))
  })
})

describe('validation of a WebSocket source', () => {
  const validate = (props: Props) => websocketSource.connector.validate!(props, new AbortController().signal)
  const rejects = async (props: Props, field: string, message: RegExp): Promise<void> => {
    const errors = await validate(props)
    assert.deepEqual(
      errors.map((error) => error.field),
      [field],
    )
    assert.match(errors[0]!.message, message)
  }

  test('accepts a trusted server, a server that is away, and a server that refuses the handshake', async (t) => {
    const server = await secureServer(t)
    assert.deepEqual(await validate(feedProps(url(server), CA)), [])
    assert.deepEqual(server.peers, [], 'no handshake is made')
    assert.deepEqual(await validate(feedProps('wss://127.0.0.1:1/feed', CA)), [])
    assert.deepEqual(await validate(feedProps('ws://127.0.0.1:1/feed')), [])
    assert.deepEqual(await validate(feedProps('wss://no-such-host.invalid/feed')), [])
  })

  test('reports a certificate that is not trusted, or belongs to another server', async (t) => {
    const server = await secureServer(t)
    await rejects(feedProps(url(server)), 'websocket.tls.ca.cert', /Cannot connect to wss:.*certificate/)
    const named = { ...CA, 'websocket.tls.server.name': 'feed.example.com' }
    await rejects(feedProps(url(server), named), 'websocket.tls.server.name', /altnames/)
    const several = feedProps('ws://127.0.0.1:1/feed', { 'websocket.additional.urls': url(server), 'tasks.max': '2' })
    await rejects(several, 'websocket.tls.ca.cert', /certificate/)
  })

  test('reports files that cannot be read, are not PEM, or do not belong together', async () => {
    const away = feedProps('wss://127.0.0.1:1/')
    const client = { ...CLIENT, 'websocket.tls.client.key': fixture('tls/client.key') }
    const cases: [Props, string, RegExp][] = [
      [{ 'websocket.tls.ca.cert': '/no/such.pem' }, 'websocket.tls.ca.cert', /Cannot read TLS certificate/],
      [{ 'websocket.tls.ca.cert': fixture('ticker.desc') }, 'websocket.tls.ca.cert', /PEM certificate/],
      [{ ...client, 'websocket.tls.client.key': fixture('tls/server.key') }, 'websocket.tls.client.key', /not the one/],
      [
        { ...client, 'websocket.tls.client.key': fixture('tls/client-encrypted.key') },
        'websocket.tls.client.key.password',
        /password is missing/,
      ],
    ]
    for (const [props, field, message] of cases) await rejects({ ...away, ...props }, field, message)
  })

  test('reports an invalid header', async () => {
    const away = 'ws://127.0.0.1:1/'
    await rejects(feedProps(away, { 'websocket.headers': 'X Key:1' }), 'websocket.headers', /no header name/)
    await rejects(feedProps(away, { 'websocket.auth.token': 'a\nb' }), 'websocket.auth.token', /may have/)
  })
})
