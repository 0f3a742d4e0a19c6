import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { temporaryFolder } from '@tributary/harness'
import type { Props } from '@tributary/connect-api'
import { startConnectProxy } from '../../support/connect-proxy.ts'
import { builtGoProgram, type ForeignServer, startForeignServer } from '../../support/foreign-server.ts'
import { driveTask, type DrivenTask, tickerProps } from '../../support/grpc-task.ts'
import { fixture } from '../../support/grpc-ticker.ts'

const CERTIFICATE = ['-cert', fixture('tls/server.crt'), '-key', fixture('tls/server.key')]
const TLS = { 'grpc.tls.enabled': 'true', 'grpc.tls.ca.cert': fixture('tls/ca.crt') }
const SOCKET = join(temporaryFolder('grpc-unix-'), 'feed')

const serverOfGo = async (...args: string[]): Promise<ForeignServer> =>
  startForeignServer({ command: await builtGoProgram('grpc-go'), args: ['-interval', '1ms', ...args] })

/** Reads three messages. Returns the task, which is stopped. */
async function receives(props: Props): Promise<DrivenTask> {
  const driven = await driveTask(props)
  try {
    await driven.connect()
    await driven.pollTo(3)
    return driven
  } finally {
    await driven.task.stop()
  }
}

async function refused(props: Props, reason: RegExp): Promise<void> {
  const driven = await driveTask(props)
  await assert.rejects(driven.connect(), reason)
  await driven.task.stop()
}

/** A port that accepts connections and says nothing. */
async function mutePort(): Promise<{ port: number; close(): void }> {
  const server = createServer(() => {}).listen(0, '127.0.0.1')
  await once(server, 'listening')
  server.unref()
  return { port: (server.address() as AddressInfo).port, close: () => server.close() }
}

describe('addresses of a server of grpc-go', { concurrency: false }, () => {
  let plain: ForeignServer
  let secure: ForeignServer
  let unix: ForeignServer
  before(async () => {
    plain = await serverOfGo()
    // The certificate is for localhost and 127.0.0.1.
    secure = await serverOfGo('-host', '127.0.0.2', ...CERTIFICATE)
    unix = await serverOfGo('-unix', SOCKET)
  })
  after(() => Promise.all([plain, secure, unix].map((server) => server?.stop())))

  test('grpc.authority is the :authority of the calls', async () => {
    await receives(tickerProps(plain.port, { 'grpc.authority': 'feed.example.com' }))
    assert.match(await plain.output(), /authority \[feed\.example\.com\]/)
  })

  test('grpc.tls.server.name, or else grpc.authority, is the name that the certificate must contain', async () => {
    const props = tickerProps(secure.port, { ...TLS, 'grpc.server.host': '127.0.0.2' })
    await refused(props, /127\.0\.0\.2 is not in the cert's list/)
    await receives({ ...props, 'grpc.tls.server.name': 'localhost' })
    await receives({ ...props, 'grpc.authority': 'localhost:7' })
    assert.match(await secure.output(), /authority \[localhost:7\]/)
    await receives({ ...props, 'grpc.authority': 'feed.example.com', 'grpc.tls.server.name': '127.0.0.1' })
    await refused({ ...props, 'grpc.tls.server.name': 'feed.example.com' }, /altnames/)
  })

  test('without verification any certificate is taken, and log and health say so', async () => {
    const props = tickerProps(secure.port, { 'grpc.server.host': '127.0.0.2', 'grpc.tls.enabled': 'true' })
    await refused(props, /certificate/)
    const driven = await driveTask({ ...props, 'grpc.tls.verify': 'false' })
    await driven.connect()
    await driven.pollTo(3)
    assert.equal(driven.event('tls_not_verified')?.level, 'warn')
    assert.match(driven.task.caution?.() ?? '', /certificate of the server is not verified/)
    await driven.task.stop()
  })

  test('unix: and dns:/// targets are read', async () => {
    const { records } = await receives(tickerProps(1, { 'grpc.server.host': `unix:${SOCKET}` }))
    assert.equal(records[0]!.sourcePartition['grpc_server'], `unix:${SOCKET}`)
    assert.match(await unix.output(), /authority \[localhost\]/)
    await receives(tickerProps(1, { 'grpc.server.host': `dns:///localhost:${plain.port}` }))
  })

  test('of several addresses the first that answers is read', async () => {
    const mute = await mutePort()
    const hosts = `127.0.0.1:1, 127.0.0.1:${mute.port}, 127.0.0.1:${plain.port}`
    const props = tickerProps(9, { 'grpc.server.host': hosts, 'grpc.connection.timeout.ms': '2000' })
    const { records } = await receives(props)
    assert.equal(records[0]!.sourcePartition['grpc_server'], '127.0.0.1:1')
    await refused({ ...props, 'grpc.server.host': '127.0.0.1:1,127.0.0.2:1' }, /127\.0\.0\.1:1: .*; 127\.0\.0\.2:1: /)
    mute.close()
  })

  test('a proxy leads to the server, in plain text and with TLS', async (t) => {
    const proxy = await startConnectProxy(t)
    const through = { 'grpc.proxy.url': `http://user:pass@127.0.0.1:${proxy.port}` }
    await receives(tickerProps(plain.port, through))
    const name = { 'grpc.server.host': '127.0.0.2', 'grpc.tls.server.name': 'localhost' }
    await receives(tickerProps(secure.port, { ...TLS, ...name, ...through }))
    const credentials = `Basic ${Buffer.from('user:pass').toString('base64')}`
    assert.deepEqual(proxy.asked, [
      { authority: `127.0.0.1:${plain.port}`, credentials },
      { authority: `127.0.0.2:${secure.port}`, credentials },
    ])
  })

  test('what a proxy answers is told, without its password', async (t) => {
    const proxy = await startConnectProxy(t, () => '502 Bad Gateway')
    const through = { 'grpc.proxy.url': `http://user:secret@127.0.0.1:${proxy.port}` }
    await refused(tickerProps(plain.port, through), /The proxy answered the handshake with 502 Bad Gateway/)
  })

  test('a proxy of another kind than http is refused in the configuration, and told in the environment', async (t) => {
    const props = tickerProps(1, { 'grpc.server.host': 'feed.test' })
    const socks = 'socks5://user:secret@proxy.test:1080'
    await assert.rejects(driveTask({ ...props, 'grpc.proxy.url': socks }), /must use http:.* scheme, got: socks5/)
    process.env['grpc_proxy'] = socks
    t.after(() => delete process.env['grpc_proxy'])
    const driven = await driveTask(props)
    const { level, fields } = driven.event('proxy_ignored')!
    assert.equal(level, 'warn')
    assert.match(String(fields['reason']), /^grpc_proxy is a proxy of the kind socks5; .*to feed\.test are direct$/)
    await driven.task.stop()
    assert.doesNotMatch(JSON.stringify(driven.log), /secret/)
  })
})
