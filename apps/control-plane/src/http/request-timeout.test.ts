import assert from 'node:assert/strict'
import test from 'node:test'
import { silentLog } from '@tributary/telemetry/testing'
import { createRestServer } from './server.ts'

test('a request that takes too long is answered with 500, with and without a body', async (t) => {
  const app = createRestServer({ log: silentLog, requestTimeoutMs: 50, crossOrigin: { origins: '', methods: '' } })
  t.after(() => app.close())
  const release = Promise.withResolvers<void>()
  app.route({
    method: ['GET', 'POST'],
    url: '/',
    handler: async (_request, reply) => {
      await release.promise
      return reply.code(201).send({})
    },
  })
  for (const method of ['GET', 'POST'] as const) {
    const body = method === 'GET' ? {} : { payload: '{}', headers: { 'content-type': 'application/json' } }
    const answer = await app.inject({ method, url: '/', ...body })
    assert.deepEqual([answer.statusCode, answer.json()], [500, { error_code: 500, message: 'Request timed out' }])
  }
  release.resolve()
})
