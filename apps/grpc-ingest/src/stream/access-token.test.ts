import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { inspect } from 'node:util'
import type { ConnectError, Props } from '@tributary/connect-api'
import { type LogLine, rememberingLog } from '@tributary/telemetry/testing'
import { tokenProxyOf } from '../config/settings.ts'
import { configWith } from '../config/testing.ts'
import { AccessToken } from './access-token.ts'

const never = new AbortController().signal

interface Endpoint {
  readonly token: AccessToken
  /** The forms that the endpoint received, with the Authorization header. */
  readonly asked: (readonly [string, string | undefined])[]
  readonly log: LogLine[]
  clock: number
  /** null: the endpoint says nothing. */
  answer: { status: number; body: unknown; headers?: Readonly<Record<string, string>> } | null
}

async function endpoint(t: TestContext, props: Props = {}): Promise<Endpoint> {
  const asked: Endpoint['asked'] = []
  const log: LogLine[] = []
  const server = createServer((request, response) => {
    let form = ''
    request.on('data', (chunk) => (form += String(chunk)))
    request.on('end', () => {
      asked.push([form, request.headers.authorization])
      if (made.answer === null) return
      const { status, body, headers = {} } = made.answer
      response.writeHead(status, headers)
      response.end(typeof body === 'string' ? body : JSON.stringify(body))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close().closeAllConnections())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token?tenant=unseen`
  const config = configWith({
    'grpc.oauth.token.url': url,
    'grpc.oauth.client.id': 'me:x',
    'grpc.oauth.client.secret': 's3cret&',
    ...props,
  })
  const made: Endpoint = {
    asked,
    log,
    clock: 0,
    answer: { status: 200, body: { access_token: 'one', token_type: 'Bearer', expires_in: 3600 } },
    token: new AccessToken({
      ...{ config, url, environment: {}, answerMs: 300, log: rememberingLog(log) },
      tls: () => Promise.resolve({}),
      now: () => made.clock,
    }),
  }
  return made
}

const authorization = async ({ token }: Endpoint) => (await token.addTo({ a: 'b' }, never))['authorization']
const failure = (e: Endpoint): Promise<ConnectError> =>
  e.token.addTo({}, never).then(
    () => assert.fail('a token came'),
    (error: unknown) => error as ConnectError,
  )

test('a token is asked for with the client credentials, and kept until a minute before its end', async (t) => {
  const e = await endpoint(t, { 'grpc.oauth.scope': 'read more' })
  assert.equal(await authorization(e), 'Bearer one')
  const basic = `Basic ${Buffer.from('me%3Ax:s3cret%26').toString('base64')}`
  assert.deepEqual(e.asked, [['grant_type=client_credentials&scope=read+more', basic]])
  e.answer = { status: 200, body: { access_token: 'two', expires_in: 10 } }
  e.clock = 3_539_000
  assert.equal(await authorization(e), 'Bearer one')
  e.clock = 3_540_000
  assert.equal(await authorization(e), 'Bearer two')
  e.answer = { status: 200, body: { access_token: 'three' } }
  e.clock += 8999
  assert.equal(await authorization(e), 'Bearer two')
  e.clock += 1
  assert.equal(await authorization(e), 'Bearer three')
  e.token.forget()
  assert.equal(await authorization(e), 'Bearer three')
  assert.equal(e.asked.length, 4)
})

test('a refresh token is replaced by the one that the endpoint sends', async (t) => {
  const e = await endpoint(t, { 'grpc.oauth.refresh.token': 'r1', 'grpc.oauth.client.auth': 'post' })
  e.answer = { status: 200, body: { access_token: 'one', refresh_token: 'r2' } }
  await authorization(e)
  e.token.forget()
  await authorization(e)
  const client = 'client_id=me%3Ax&client_secret=s3cret%26'
  assert.deepEqual(
    e.asked.map(([form]) => form),
    ['r1', 'r2'].map((token) => `grant_type=refresh_token&refresh_token=${token}&${client}`),
  )
})

test('refused credentials are an error of the configuration at the third time, and no secret is told', async (t) => {
  const e = await endpoint(t)
  e.answer = { status: 401, body: { error: 'invalid_client', error_description: 's3cret& is not\nknown' } }
  assert.deepEqual([(await failure(e)).kind, (await failure(e)).kind], ['retriable', 'retriable'])
  const { kind, message } = await failure(e)
  assert.equal(kind, 'config')
  assert.match(message, /3 times in a row: HTTP 401, invalid_client$/)
  const lines = e.log.filter(({ event }) => event === 'grpc_oauth_refused')
  assert.deepEqual(
    [lines.length, lines[0]?.level, lines[0]?.fields],
    [3, 'debug', { status: 401, description: '[hidden] is not known' }],
  )
})

test('no error has words of a server that is no token endpoint', async (t) => {
  const e = await endpoint(t)
  for (const status of [200, 400, 401, 500]) {
    for (const body of [
      { error: 'hush' },
      { error: 'hush', error_description: 'hush' },
      { access_token: 'a b', token_type: 'hush' },
      { token_type: 'hush', access_token: 'x' },
      'hush',
    ]) {
      e.answer = { status, body }
      const error = await e.token.addTo({}, never).catch((error: unknown) => error)
      assert.doesNotMatch(inspect(error, { depth: 9 }), /hush/)
      e.token.forget()
    }
  }
})

test('an outage of the endpoint is retried, however often, after the wait that it asks for', async (t) => {
  const e = await endpoint(t)
  e.answer = { status: 503, body: '<html>busy</html>', headers: { 'retry-after': '7' } }
  for (let i = 0; i < 4; i++) {
    const { kind, message, retryAfterMs } = await failure(e)
    assert.deepEqual([kind, retryAfterMs], ['retriable', 7000])
    assert.match(message, /^No access token from 127\.0\.0\.1:\d+: HTTP 503$/)
  }
})

test('an endpoint that says nothing is given up, and asked again', async (t) => {
  const e = await endpoint(t)
  e.answer = null
  const { kind, message } = await failure(e)
  assert.equal(kind, 'retriable')
  assert.match(message, /: no answer within 300 ms$/)
  e.answer = { status: 200, body: { access_token: 'one' } }
  assert.equal(await authorization(e), 'Bearer one')
})

test('a redirect, which would lead a secret to another server, is not followed', async (t) => {
  const e = await endpoint(t)
  e.answer = { status: 307, body: '', headers: { location: '/other' } }
  assert.match((await failure(e)).message, /: HTTP 307$/)
  assert.equal(e.asked.length, 1)
})

for (const [what, props, environment, expected] of [
  ['of the environment', {}, { https_proxy: 'http://env' }, 'env'],
  ['of the connector', { 'grpc.proxy.url': 'http://own' }, { grpc_proxy: 'http://env' }, 'own'],
  ['of neither, as no_proxy lists its host', { 'grpc.proxy.url': 'http://own' }, { no_proxy: '.test' }, undefined],
] as const) {
  test(`the token endpoint is asked through the proxy ${what}`, () => {
    const config = configWith(props)
    const to = { host: 'login.test', port: 443, secure: true }
    assert.equal(tokenProxyOf(config, to, environment)?.url.hostname, expected)
  })
}

for (const [what, body, reason] of [
  ['without a token', {}, /has no access_token/],
  ['with a token that no header can hold', { access_token: 'a\nb' }, /has no access_token/],
  ['of another type', { access_token: 'a', token_type: 'mac' }, /of another type than Bearer$/],
  ['without end', 'x'.repeat(70_000), /larger than/],
] as const) {
  test(`an answer ${what} is an error that is retried`, async (t) => {
    const e = await endpoint(t)
    e.answer = { status: 200, body }
    const { kind, message } = await failure(e)
    assert.equal(kind, 'retriable')
    assert.match(message, reason)
  })
}
