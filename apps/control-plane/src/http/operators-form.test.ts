import assert from 'node:assert/strict'
import test from 'node:test'
import { silentLog } from '@tributary/telemetry/testing'
import { operatorResource } from './operator-resource.ts'
import { restError } from './rest-errors.ts'
import { createRestServer } from './server.ts'

function api() {
  const app = createRestServer({ log: silentLog, requestTimeoutMs: 5000, crossOrigin: { origins: '', methods: '' } })
  app.decorateRequest('forwarded', false)
  app.addHook('onRequest', async (request, reply) => {
    if (request.headers['x-too-many'] !== undefined)
      return reply.code(429).send({ error_code: 429, message: 'too many' })
  })
  const schema = { summary: 'x', body: {}, response: { 200: {} } }
  operatorResource(app, '/dlq/replay', {
    POST: {
      right: 'operate',
      schema,
      handler: ({ body }) => {
        if (body === null) throw restError('keyNotFound', 'x').detailed('ALREADY_RESOLVED', { ids: ['a'] })
        return { body }
      },
    },
  })
  return app
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded', 'x-request-id': 'mine-1' }

test('a resource has two paths, and takes JSON whatever the content type says', async () => {
  const app = api()
  for (const url of ['/dlq/replay', '/api/v1/dlq/replay']) {
    for (const headers of [{}, FORM, { 'content-type': 'text/plain' }]) {
      const { statusCode, payload } = await app.inject({ method: 'POST', url, headers, payload: '{"limit":10}' })
      assert.deepEqual([statusCode, payload], [200, '{"body":{"limit":"10"}}'], url)
    }
    assert.equal((await app.inject({ method: 'POST', url, headers: FORM, payload: '{' })).statusCode, 400)
  }
})

test("errors have Kafka Connect's form, and below /api/v1 the operators' as well", async () => {
  const app = api()
  const send = async (url: string, headers: Record<string, string> = {}) => {
    const answer = await app.inject({ method: 'POST', url, headers: { ...FORM, ...headers } })
    return { id: answer.headers['x-request-id'], body: answer.json<Record<string, unknown>>() }
  }
  const own = { error_code: 404, message: 'API key x not found' }
  assert.deepEqual(await send('/dlq/replay'), { id: undefined, body: own })
  const { id, body } = await send('/api/v1/dlq/replay')
  const { timestamp, ...rest } = body
  assert.equal(id, 'mine-1')
  assert.deepEqual(rest, { ...own, error: 'ALREADY_RESOLVED', details: { ids: ['a'] }, request_id: 'mine-1' })
  assert.equal(new Date(String(timestamp)).toISOString(), timestamp)

  const missing = await send('/api/v1/nothing')
  assert.deepEqual([missing.body['error'], missing.body['message']], ['NOT_FOUND', 'HTTP 404 Not Found'])
  const many = await send('/api/v1/dlq/replay', { 'x-too-many': '1' })
  assert.deepEqual([many.body['error'], many.body['request_id']], ['RATE_LIMIT_EXCEEDED', 'mine-1'])
  const undecodable = await send('/api/v1/%zz')
  assert.deepEqual([undecodable.body['error'], undecodable.id], ['INVALID_REQUEST', 'mine-1'])
})

test('an id that cannot stand in a log is replaced', async () => {
  const app = api()
  for (const sent of ['', 'a b', 'x'.repeat(129), '"']) {
    const answer = await app.inject({ method: 'GET', url: '/api/v1/nothing', headers: { 'x-request-id': sent } })
    assert.match(String(answer.headers['x-request-id']), /^[0-9a-f-]{36}$/, sent)
  }
})
