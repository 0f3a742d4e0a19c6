import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import * as https from 'node:https'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { startConnectProxy } from '../../support/connect-proxy.ts'
import { builtGoProgram, type ForeignServer, startForeignServer } from '../../support/foreign-server.ts'
import { driveTask, tickerProps } from '../../support/grpc-task.ts'
import { fixture } from '../../support/grpc-ticker.ts'

/** UNAUTHENTICATED */
const CODE = '16'
const CLIENT = { 'grpc.oauth.client.id': 'me', 'grpc.oauth.client.secret': 's3cret' }

/** A token endpoint that gives out `token1`, `token2` …; its port. `tls`: options of https. */
async function tokenEndpoint(t: TestContext, tls?: https.ServerOptions): Promise<number> {
  let tokens = 0
  const endpoint = (tls ? https.createServer(tls) : createServer())
    .on('request', (_request, response) => {
      response.end(JSON.stringify({ access_token: `token${++tokens}`, token_type: 'bearer', expires_in: 3600 }))
    })
    .listen(0, '127.0.0.1')
  await once(endpoint, 'listening')
  t.after(() => endpoint.close())
  return (endpoint.address() as AddressInfo).port
}

async function serverOfGo(t: TestContext, ...args: string[]): Promise<ForeignServer> {
  const server = await startForeignServer({ command: await builtGoProgram('grpc-go'), args: ['-count', '1', ...args] })
  t.after(() => server.stop())
  return server
}

test('calls to a server of grpc-go carry an access token, and a new one after the server refused it', async (t) => {
  const url = `http://127.0.0.1:${await tokenEndpoint(t)}/token`
  const server = await serverOfGo(t, '-code', CODE)
  const driven = await driveTask(tickerProps(server.port, { 'grpc.oauth.token.url': url, ...CLIENT }))
  for (const number of [1, 2]) {
    await driven.connect()
    await driven.pollTo(number)
    assert.match(String(await driven.pollToError()), /UNAUTHENTICATED/)
  }
  await driven.task.stop()
  assert.deepEqual((await server.output()).match(/token\d/g), ['token1', 'token2'])
  assert.doesNotMatch(JSON.stringify(driven.log), /s3cret|token1|token2/)
})

test('the token comes through the proxy of the environment, and through that of the connector', async (t) => {
  const proxy = await startConnectProxy(t, () => 'connect', { 'login.test': '127.0.0.1' })
  const port = await tokenEndpoint(t)
  const server = await serverOfGo(t)
  const oauth = { 'grpc.oauth.token.url': `http://login.test:${port}/token`, ...CLIENT }
  process.env['https_proxy'] = `http://user:pass@127.0.0.1:${proxy.port}`
  t.after(() => delete process.env['https_proxy'])
  for (const own of [{}, { 'grpc.proxy.url': `http://127.0.0.1:${proxy.port}` }]) {
    const driven = await driveTask(tickerProps(server.port, { ...oauth, ...own }))
    await driven.connect()
    await driven.pollTo(1)
    await driven.task.stop()
  }
  const credentials = `Basic ${Buffer.from('user:pass').toString('base64')}`
  assert.deepEqual(proxy.asked, [
    { authority: `login.test:${port}`, credentials },
    { authority: `login.test:${port}`, credentials: undefined },
    { authority: `127.0.0.1:${server.port}`, credentials: undefined },
  ])
})

test('the token endpoint is trusted by grpc.oauth.tls.ca.cert alone', async (t) => {
  const pem = (name: string): Buffer => readFileSync(fixture(`tls/${name}`))
  const port = await tokenEndpoint(t, { cert: pem('server.crt'), key: pem('server.key') })
  const server = await serverOfGo(t)
  const oauth = { 'grpc.oauth.token.url': `https://127.0.0.1:${port}/token`, ...CLIENT }
  const untrusting = await driveTask(tickerProps(server.port, { ...oauth, 'grpc.tls.ca.cert': fixture('tls/ca.crt') }))
  await assert.rejects(untrusting.connect(), { code: 'GRPC_OAUTH', message: /certificate/ })
  await untrusting.task.stop()
  const driven = await driveTask(
    tickerProps(server.port, { ...oauth, 'grpc.oauth.tls.ca.cert': fixture('tls/ca.crt') }),
  )
  await driven.connect()
  await driven.pollTo(1)
  await driven.task.stop()
})
