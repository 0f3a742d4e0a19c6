import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'
import { silentLog } from '@tributary/telemetry/testing'
import { type AdminServer, startAdminServer } from './admin-server.ts'
import { InternalClient, type InternalRequest } from './internal-client.ts'
import { INTERNAL_TOKEN, InternalTokens } from './internal-token.ts'

const tokensOf = (key: string): InternalTokens => new InternalTokens([{ reveal: () => key }])
const TOKENS = tokensOf('a key for tests that is long enough to be one')

async function serve(t: TestContext): Promise<AdminServer & { readonly handled: unknown[] }> {
  const handled: unknown[] = []
  const admin = await startAdminServer({
    host: '127.0.0.1',
    port: 0,
    log: silentLog,
    tokens: TOKENS,
    ready: () => true,
  })
  admin.app.put('/internal/echo', ({ body }) => {
    handled.push(body)
    return { done: true }
  })
  await admin.open()
  t.after(() => admin.close())
  return { ...admin, handled }
}

async function ask(
  t: TestContext,
  { address }: AdminServer,
  request: InternalRequest,
  tokens: InternalTokens | null = TOKENS,
): Promise<{ status: number; message: string }> {
  const client = new InternalClient({ tokens, from: () => 'test' })
  t.after(() => client.close())
  const { status, body } = await client.send({ address, tls: false }, request, AbortSignal.timeout(5000))
  return { status, message: body.toString() }
}

const ECHO: InternalRequest = {
  method: 'PUT',
  path: '/internal/echo',
  headers: { 'content-type': 'application/json' },
  body: '{"offset":1.5}',
}

test("a service's own routes answer requests that are signed with the cluster's key, and no others", async (t) => {
  const admin = await serve(t)
  assert.deepEqual(await ask(t, admin, ECHO), { status: 200, message: '{"done":true}' })
  admin.handled.length = 0
  for (const tokens of [null, tokensOf('another key')]) {
    const { status, message } = await ask(t, admin, ECHO, tokens)
    assert.equal(status, 403)
    assert.match(message, tokens === null ? /x-tributary-token is missing/ : /was not signed with this cluster's/)
  }
  const headers = { ...ECHO.headers, 'x-tributary-key': 'a key for tests that is long enough to be one' }
  assert.equal((await ask(t, admin, { ...ECHO, headers }, null)).status, 403)
  for (const path of ['/health', '/ready', '/metrics'])
    assert.equal((await ask(t, admin, { method: 'GET', path }, null)).status, 200)
  assert.deepEqual(admin.handled, [])
})

test('a body other than the signed one is refused, and so is a request that is sent twice', async (t) => {
  const admin = await serve(t)
  const { method, path, body } = ECHO as Required<typeof ECHO>
  const sign = (): string => TOKENS.sign(ECHO, { from: 'test', to: admin.address }, body)
  const send = async (sent: string, token: string): Promise<number> => {
    const headers = { 'content-type': 'application/json', [INTERNAL_TOKEN]: token }
    return (await fetch(`http://${admin.address}${path}`, { method, headers, body: sent })).status
  }
  const token = sign()
  assert.deepEqual([await send(body, token), await send(body, token)], [200, 403])
  assert.equal(await send('{"offset":1}', sign()), 403)
  assert.equal(await send('', sign()), 403)
  assert.equal(admin.handled.length, 1)
})

test('the body of a request without a right token is not read', async (t) => {
  const admin = await serve(t)
  const socket = connect(admin.port, '127.0.0.1')
  t.after(() => socket.destroy())
  socket.write(
    'PUT /internal/echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{',
  )
  const [answer] = await new Promise<Buffer[]>((resolve) => socket.once('data', (data: Buffer) => resolve([data])))
  assert.match(String(answer), /^HTTP\/1\.1 403 /)
})
