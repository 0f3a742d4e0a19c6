import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { test, type TestContext } from 'node:test'
import { silentLog } from '@tributary/telemetry/testing'
import { operatorResource } from '../http/operator-resource.ts'
import { resource } from '../http/resource.ts'
import { createRestServer } from '../http/server.ts'
import { OperatorsListener } from './operators-listener.ts'

const OPTIONS = { host: '127.0.0.1', port: 0, tls: null, idleMs: 60_000 }

async function scene(t: TestContext) {
  const app = createRestServer({ log: silentLog, requestTimeoutMs: 5000, crossOrigin: { origins: '', methods: '' } })
  app.decorateRequest('forwarded', false)
  const schema = { summary: 'x', response: { 200: {} } }
  const { promise: finished, resolve: finish } = Promise.withResolvers<void>()
  const { promise: started, resolve: start } = Promise.withResolvers<void>()
  resource(app, '/health', { GET: { right: 'open', schema, handler: () => ({ from: 'connect' }) } })
  resource(app, '/connectors', { GET: { right: 'open', schema, handler: () => [] } })
  const slow = async (): Promise<object> => {
    start()
    await finished
    return { done: true }
  }
  resource(app, '/slow', { GET: { right: 'open', schema, handler: slow } })
  const own = { GET: { right: 'open', schema, handler: () => ({ from: 'operators' }) } } as const
  for (const path of ['/health', '/metrics']) operatorResource(app, path, own, { listener: 'operators' })
  const listener = await OperatorsListener.listen(app, OPTIONS)
  t.after(() => Promise.all([listener.close(0), app.close()]))
  const url = `http://${listener.address}`
  const get = async (path: string, init: RequestInit = {}) => {
    const answer = await fetch(`${url}${path}`, init)
    return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Record<string, unknown> }
  }
  return { app, listener, get, finish, started }
}

test('the port has paths of its own, all others, and its own form of errors', async (t) => {
  const { app, get } = await scene(t)
  for (const path of ['/health', '/api/v1/health', '/metrics', '/api/v1/metrics']) {
    assert.deepEqual((await get(path)).body, { from: 'operators' }, path)
  }
  assert.equal((await get('/connectors')).status, 200)
  const { status, headers, body } = await get('/nothing', { headers: { 'x-request-id': 'one' } })
  const { timestamp: _, ...rest } = body
  const message = 'HTTP 404 Not Found'
  assert.deepEqual(rest, { error: 'NOT_FOUND', error_code: 404, message, request_id: 'one' })
  assert.deepEqual([status, headers.get('x-request-id')], [404, 'one'])
  assert.equal((await get('/health', { method: 'POST' })).body['error'], 'METHOD_NOT_ALLOWED')

  // Kafka Connect's port answers as before.
  const ofConnect = async (path: string) => (await app.inject({ url: path })).json<unknown>()
  assert.deepEqual(await ofConnect('/health'), { from: 'connect' })
  assert.deepEqual(await ofConnect('/metrics'), { error_code: 404, message })
  assert.equal((await app.inject('/connectors')).headers['x-request-id'], undefined)
})

test('bytes that are not HTTP get the form of the port', async (t) => {
  const { listener } = await scene(t)
  const socket = connect(Number(listener.address.split(':')[1]), '127.0.0.1')
  socket.setEncoding('utf8').end('no http\r\n\r\n')
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  assert.match(answer, /^HTTP\/1\.1 400 .*"error":"INVALID_REQUEST","error_code":400/s)
})

test('a request under way is answered while the port closes', async (t) => {
  const { app, listener, get, finish, started } = await scene(t)
  const answer = get('/slow')
  await started
  const closed = Promise.all([listener.close(60_000), app.close()])
  finish()
  assert.deepEqual((await answer).body, { done: true })
  await closed
  await assert.rejects(get('/health'))
})

test('a taken port is an error of Node', async (t) => {
  const { app } = await scene(t)
  const holder = createServer().listen(0, '127.0.0.1')
  t.after(() => holder.close())
  await once(holder, 'listening')
  const { port } = holder.address() as AddressInfo
  await assert.rejects(OperatorsListener.listen(app, { ...OPTIONS, port }), { code: 'EADDRINUSE' })
})
