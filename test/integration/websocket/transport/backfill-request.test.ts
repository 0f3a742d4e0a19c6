import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { parseConfig, type Props } from '@tributary/connect-api'
import { websocketSpec } from '../../../../apps/ws-ingest/src/config/config.ts'
import { Backfill, ResponseError } from '../../../../apps/ws-ingest/src/sequence/backfill.ts'
import { startConnectProxy } from '../../../support/connect-proxy.ts'
import { fixture } from '../../../support/grpc-ticker.ts'

const pem = (name: string): Buffer => readFileSync(fixture(`tls/${name}`))
const TLS = { key: pem('server.key'), cert: pem('server.crt'), ca: pem('ca.crt'), requestCert: true }
const TRUST = { 'backfill.tls.ca.cert': fixture('tls/ca.crt') }
const CLIENT = {
  'backfill.tls.client.cert': fixture('tls/client.crt'),
  'backfill.tls.client.key': fixture('tls/client.key'),
}

/** An https server that sends its messages compressed, whatever it is asked for, and to clients with a certificate only. */
async function startHistory(t: TestContext): Promise<number> {
  const server = createServer({ ...TLS, rejectUnauthorized: true }, (_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('[{"n":1}]'))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => void server.close())
  return (server.address() as AddressInfo).port
}

function fetchFrom(port: number, props: Props): Promise<string[]> {
  const base = { 'websocket.url': 'ws://feed', 'kafka.topic': 't', 'sequence.field': 'n' }
  const url = `https://127.0.0.1:${port}/trades?token=s3cret`
  const config = parseConfig(websocketSpec, { ...base, 'backfill.url': url, ...props })
  return new Backfill(config).fetch({ from: 1, to: 1 }, null, { signal: AbortSignal.timeout(20_000), bytes: 1000 })
}

describe('a backfill over https', () => {
  test('trusts the CA of the configuration, and shows the certificate', async (t) => {
    assert.deepEqual(await fetchFrom(await startHistory(t), { ...TRUST, ...CLIENT }), ['{"n":1}'])
  })

  test('trusts no other server, and says why without secrets', async (t) => {
    const port = await startHistory(t)
    for (const props of [CLIENT, { ...CLIENT, 'backfill.tls.ca.cert': fixture('tls/other-ca.crt') }]) {
      await assert.rejects(fetchFrom(port, props), (error) => {
        assert.ok(error instanceof ResponseError && error.retriable)
        assert.match(error.message, /certificate/)
        assert.ok(!error.message.includes('s3cret'))
        return true
      })
    }
  })

  test('passes a proxy, which gets its credentials', async (t) => {
    const [port, proxy] = [await startHistory(t), await startConnectProxy(t)]
    const through = { 'backfill.proxy.url': `http://anna:s%40crt@127.0.0.1:${proxy.port}` }
    assert.deepEqual(await fetchFrom(port, { ...TRUST, ...CLIENT, ...through }), ['{"n":1}'])
    const credentials = `Basic ${Buffer.from('anna:s@crt').toString('base64')}`
    assert.deepEqual(proxy.asked, [{ authority: `127.0.0.1:${port}`, credentials }])
  })
})
