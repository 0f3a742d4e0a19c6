import assert from 'node:assert/strict'
import test from 'node:test'
import { testApi } from '../testing/test-api.ts'

test('a level is set in this process and sent to the workers in both scopes; only the answers differ', async () => {
  const { call, configs } = testApi()
  assert.deepEqual((await call('PUT', '/admin/loggers/a.b', { level: 'debug' })).body, ['a.b'])
  assert.deepEqual((await call('PUT', '/admin/loggers/a.b.c?scope=worker', { level: 'INFO' })).body, ['a.b.c'])
  const cluster = await call('PUT', '/admin/loggers/a.b?scope=CLUSTER', { level: 'warn' })
  assert.deepEqual([cluster.status, cluster.body], [204, undefined])
  assert.deepEqual(configs.levels, [
    ['a.b', 'DEBUG'],
    ['a.b.c', 'INFO'],
    ['a.b', 'WARN'],
  ])
  const all = (await call('GET', '/admin/loggers')).body as Record<string, { level: string; last_modified: unknown }>
  assert.deepEqual(
    Object.entries(all).map(([name, { level }]) => [name, level]),
    [
      ['a.b', 'WARN'],
      ['a.b.c', 'WARN'],
      ['root', 'INFO'],
    ],
  )
  assert.equal(all['root']?.last_modified, null)
  assert.equal(typeof all['a.b']?.last_modified, 'number')
  assert.deepEqual((await call('GET', '/admin/loggers/a.b')).body, all['a.b'])
})

test('an unknown logger or level is answered with 404, a missing level with 400', async () => {
  const { call } = testApi()
  const put = (body: unknown): ReturnType<typeof call> => call('PUT', '/admin/loggers/a', body)
  assert.deepEqual((await call('GET', '/admin/loggers/nix')).body, {
    error_code: 404,
    message: 'Logger nix not found.',
  })
  assert.deepEqual((await put({ level: 'bogus' })).body, { error_code: 404, message: "invalid log level 'bogus'." })
  const missing = { error_code: 400, message: "Desired 'level' parameter was not specified in request." }
  assert.deepEqual((await put({})).body, missing)
  assert.deepEqual((await put({ level: null })).body, missing)
})

test('a name that is longer than any logger has is answered with 400 and sent to nobody', async () => {
  const { call, configs } = testApi()
  const { status, body } = await call('PUT', `/admin/loggers/${'x'.repeat(1001)}`, { level: 'INFO' })
  assert.equal(status, 400)
  assert.match((body as { message: string }).message, /has 1001 characters; at most 1000 are allowed/)
  assert.deepEqual(configs.levels, [])
})
