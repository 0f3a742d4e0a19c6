import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { openHttpStream } from '@tributary/push-source'
import { fixture } from '../../support/grpc-ticker.ts'

const pem = (name: string): Buffer => readFileSync(fixture(`tls/${name}`))
const ca = pem('ca.crt')

/** A server that asks for a client certificate, and answers 200 or a redirect to `next`. `shown`: subjects of its clients. */
async function secureServer(t: TestContext, next?: string): Promise<{ url: string; shown: unknown[] }> {
  const shown: unknown[] = []
  const options = { key: pem('server.key'), cert: pem('server.crt'), ca, requestCert: true, rejectUnauthorized: false }
  const server: Server = createServer(options, (request, response) => {
    shown.push((request.socket as TLSSocket).getPeerCertificate().subject?.CN)
    response.writeHead(next === undefined ? 200 : 307, next === undefined ? {} : { location: next }).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/`, shown }
}

test('a redirect to another host does not show it the client certificate', async (t) => {
  const last = await secureServer(t)
  const first = await secureServer(t, last.url)
  const tls = { ca, cert: pem('client.crt'), key: pem('client.key') }
  const { response, host } = await openHttpStream(
    { url: first.url, headers: {}, publicHeaders: {}, tls },
    AbortSignal.timeout(5000),
  )
  response.destroy()
  assert.equal(host, new URL(last.url).host)
  assert.equal(typeof first.shown[0], 'string')
  assert.deepEqual(last.shown, [undefined])
})
