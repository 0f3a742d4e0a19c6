import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryAccessStore } from '../testing/memory-stores.ts'
import { testApi } from '../testing/test-api.ts'

const on = (): ReturnType<typeof testApi> => testApi({ keys: new MemoryAccessStore() })

test('a key is made, shown once, listed without its secret, and revoked', async () => {
  const { call } = on()
  const made = await call('POST', '/admin/keys', {
    name: 'ci',
    grants: ['operator:orders-*', 'viewer'],
    expires: '90d',
  })
  const { key, ...shown } = made.body as { key: string; created: number; expires: number }
  assert.deepEqual([made.status, made.headers['cache-control']], [201, 'no-store'])
  assert.match(key, /^trib_/)
  assert.equal(shown.expires - shown.created, 90 * 86_400_000)
  const listed = await call('GET', '/admin/keys')
  assert.deepEqual(listed.body, [shown])
  assert.ok(!JSON.stringify(listed.body).includes(key))

  assert.equal((await call('DELETE', '/admin/keys/ci')).status, 204)
  const [after] = (await call('GET', '/admin/keys')).body as { state: string; revoked: number }[]
  assert.equal(after?.state, 'revoked')
  // Again: the time stays.
  assert.equal((await call('DELETE', '/admin/keys/ci')).status, 204)
  assert.deepEqual((await call('GET', '/admin/keys')).body, [after])
})

test('an active key is not replaced, a revoked one is', async () => {
  const { call } = on()
  const key = { name: 'ci', grants: 'viewer' }
  assert.equal((await call('POST', '/admin/keys', key)).status, 201)
  assert.equal((await call('POST', '/admin/keys', key)).status, 409)
  await call('DELETE', '/admin/keys/ci')
  assert.equal((await call('POST', '/admin/keys', key)).status, 201)
})

test('a key that cannot be made is refused with the reason', async () => {
  const { call } = on()
  const refused: [unknown, RegExp][] = [
    [{ grants: 'viewer' }, /"name" is missing/],
    [{ name: 'a b', grants: 'viewer' }, /The name "a b" of an API key must begin/],
    [{ name: 'ci' }, /"grants" must be/],
    [{ name: 'ci', grants: [] }, /no grant is given/],
    [{ name: 'ci', grants: 'root' }, /"root" is no role/],
    [{ name: 'ci', grants: [['admin']] }, /"grants" must be/],
    [{ name: 'ci', grants: 'viewer', expires: '1' }, /"1" is no lifetime/],
    [{ name: 'ci', grants: 'viewer', expires: '0d' }, /not in the future/],
    [{ name: 'ci', grants: 'viewer', expires: '2020-01-01' }, /not in the future/],
    [{ name: 'ci', grants: 'viewer', expires: '2031-13-45' }, /is no lifetime/],
    [{ name: 'ci', grants: 'viewer', expires: '2031-02-31' }, /is no lifetime/],
    [{ name: 'ci', grants: 'viewer', expires: '9999-01-01' }, /more than 100 years/],
    [{ name: 'ci', grants: 'viewer', key: 'mine' }, /Unrecognized field "key"/],
    [[], /must be a JSON object/],
  ]
  for (const [body, why] of refused) {
    const answer = await call('POST', '/admin/keys', body)
    assert.equal(answer.status, 400, JSON.stringify(body))
    assert.match((answer.body as { message: string }).message, why)
  }
  assert.equal((await call('DELETE', '/admin/keys/none')).status, 404)
})

test('while keys are off the routes say how to turn them on', async () => {
  const { call } = testApi()
  for (const method of ['GET', 'POST']) {
    const { status, body } = await call(
      method,
      '/admin/keys',
      method === 'POST' ? { name: 'a', grants: 'viewer' } : undefined,
    )
    assert.deepEqual([status, /TRIBUTARY_ACCESS_AUTHENTICATION/.test(JSON.stringify(body))], [404, true])
  }
})
