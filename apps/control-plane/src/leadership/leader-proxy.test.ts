import assert from 'node:assert/strict'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type TestContext } from 'node:test'
import { InternalClient } from '@tributary/service'
import { TEST_TOKENS } from '../testing/test-api.ts'
import { LeaderProxy } from './leader-proxy.ts'

/** The headers that the leader gets of a client's request. */
async function forwarded(t: TestContext, headers: IncomingHttpHeaders, caller?: unknown): Promise<IncomingHttpHeaders> {
  const { promise, resolve } = Promise.withResolvers<IncomingHttpHeaders>()
  const leader = createServer((request, response) => {
    resolve(request.headers)
    response.end()
  })
  await new Promise<void>((done) => leader.listen(0, '127.0.0.1', done))
  const client = new InternalClient({ tokens: caller === undefined ? null : TEST_TOKENS, from: () => 'b:1' })
  t.after(() => client.close())
  t.after(() => leader.close())
  const rest = `127.0.0.1:${(leader.address() as AddressInfo).port}`
  const write = { method: 'PUT', url: '/x', headers, body: '', caller }
  await new LeaderProxy(client).forward({ id: 'a', rest }, write, t.signal)
  return promise
}

const SENT = {
  authorization: 'Bearer t',
  'x-api-key': 'trib_k',
  cookie: 'c=1',
  'x-tributary-forged': '1',
  accept: '*/*',
}

test('who sends a request on in the name of a caller keeps the credentials of the caller, whatever header has them', async (t) => {
  const headers = await forwarded(t, SENT, { identity: { name: 'key:a', grants: [] }, address: '10.0.0.1', id: '1' })
  const passed = Object.keys(SENT).filter((name) => name in headers)
  assert.deepEqual(passed, ['accept'])
})

test('without a key the leader judges the credentials, so they are sent on', async (t) => {
  const headers = await forwarded(t, SENT)
  const passed = Object.keys(SENT).filter((name) => name in headers)
  assert.deepEqual(passed, ['authorization', 'x-api-key', 'accept'])
})
