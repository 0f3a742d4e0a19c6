import assert from 'node:assert/strict'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { limitConnections } from '@tributary/service'
import { silentLog } from '@tributary/telemetry/testing'
import { fastify } from 'fastify'
import { createRestServer } from './server.ts'

interface Server {
  readonly handled: string[]
  /** Sends pieces on one connection, a function again and again, and returns what comes until the server closes it. */
  exchange(...pieces: readonly (string | ((answered: boolean) => string))[]): Promise<string>
}

async function listen(t: TestContext, requestMs = 300): Promise<Server> {
  const app = createRestServer({
    log: silentLog,
    requestTimeoutMs: 5000,
    crossOrigin: { origins: '', methods: '' },
    receive: { headersMs: 100, requestMs },
  })
  const handled: string[] = []
  app.route({
    method: ['GET', 'PUT'],
    url: '/',
    handler: (request) => {
      handled.push(request.method)
      return {}
    },
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.after(() => app.close())
  const { port } = app.server.address() as AddressInfo
  return {
    handled,
    async exchange(...pieces) {
      const socket = connect(port, '127.0.0.1')
      // The server may close while a piece is written.
      socket.on('error', () => {})
      const received: Buffer[] = []
      socket.on('data', (chunk) => received.push(chunk))
      const writing = setInterval(() => {
        const piece = pieces[0]
        if (piece === undefined || socket.destroyed) return
        if (typeof piece === 'string') pieces = pieces.slice(1)
        socket.write(typeof piece === 'string' ? piece : piece(received.length > 0))
      }, 10)
      await new Promise((resolve) => socket.on('close', resolve))
      clearInterval(writing)
      return Buffer.concat(received).toString()
    },
  }
}

const HEAD = 'PUT / HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n'

test('headers that do not end are cut with 408, and a connection without a request is closed', async (t) => {
  const { exchange, handled } = await listen(t)
  const [slow, silent] = await Promise.all([
    exchange('GET / HTTP/1.1\r\n', () => `x-${Math.random()}: 1\r\n`),
    exchange(),
  ])
  assert.match(
    slow,
    /^HTTP\/1\.1 408 Request Timeout\r\n[^]*\{"error_code":408,"message":"HTTP 408 Request Timeout"\}$/,
  )
  assert.match(silent, /^HTTP\/1\.1 408 /)
  assert.deepEqual(handled, [])
})

test('a body that does not end is cut with 408, with a length or chunked, after 100 Continue too', async (t) => {
  const { exchange, handled } = await listen(t)
  const answers = await Promise.all([
    exchange(`${HEAD}content-length: 100000\r\n\r\n{`, () => ' '),
    exchange(`${HEAD}transfer-encoding: chunked\r\n\r\n`, () => '1\r\n \r\n'),
    exchange(`${HEAD}expect: 100-continue\r\ncontent-length: 100\r\n\r\n`, () => ' '),
  ])
  assert.match(answers[0], /^HTTP\/1\.1 408 /)
  assert.match(answers[1], /^HTTP\/1\.1 408 /)
  assert.match(answers[2], /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 408 /)
  assert.deepEqual(handled, [])
})

test('a body that goes on after its refusal closes the connection', async (t) => {
  const { exchange, handled } = await listen(t, 60_000)
  const chunk = `80000\r\n${' '.repeat(0x80000)}\r\n`
  const [long, text] = await Promise.all([
    exchange(`${HEAD}transfer-encoding: chunked\r\n\r\n`, (answered) => (answered ? '' : chunk)),
    exchange(HEAD.replace('application/json', 'text/plain'), 'transfer-encoding: chunked\r\n\r\n', () => chunk),
  ])
  assert.match(long, /^HTTP\/1\.1 413 Payload Too Large\r\n[^]*"HTTP 413 Payload Too Large"/)
  assert.match(text, /^HTTP\/1\.1 415 /)
  assert.deepEqual(handled, [])
})

test('headers above 16 KiB are answered with 431, and many small ones are answered', async (t) => {
  const { exchange } = await listen(t)
  const headers = (count: number): string => Array.from({ length: count }, (_, i) => `x${i}: 1\r\n`).join('')
  const answers = await Promise.all([
    exchange(`GET / HTTP/1.1\r\nhost: a\r\n${headers(3000)}\r\n`),
    exchange(`GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${headers(500)}\r\n`),
  ])
  assert.match(answers[0], /^HTTP\/1\.1 431 [^]*\{"error_code":431,/)
  assert.match(answers[1], /^HTTP\/1\.1 200 /)
})

test('pipelined requests are answered in order', async (t) => {
  const { exchange, handled } = await listen(t)
  const get = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'
  const answer = await exchange(get.repeat(500) + get.replace('host', 'connection: close\r\nhost'))
  assert.equal(answer.match(/HTTP\/1\.1 200 OK/g)?.length, 501)
  assert.equal(handled.length, 501)
})

test('requests beyond those that may be under way are answered with 503, and answered again once others have ended', async () => {
  const app = fastify()
  limitConnections(app, { maxUnderWay: 2 })
  const release = Promise.withResolvers<void>()
  app.get('/', async () => {
    await release.promise
    return {}
  })
  const waiting = [app.inject('/'), app.inject('/')]
  await new Promise(setImmediate)
  const refused = await app.inject('/')
  assert.deepEqual([refused.statusCode, refused.headers['retry-after']], [503, '1'])
  release.resolve()
  assert.deepEqual(
    (await Promise.all(waiting)).map(({ statusCode }) => statusCode),
    [200, 200],
  )
  assert.equal((await app.inject('/')).statusCode, 200)
})

test('a client that does not read its answer is cut', async (t) => {
  const app = fastify()
  limitConnections(app, { idleMs: 100 })
  app.get('/', () => 'x'.repeat(32 * 1024 * 1024))
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.after(() => app.close())
  const { port } = app.server.address() as AddressInfo
  const connected = new Promise<Socket>((resolve) => app.server.once('connection', resolve))
  const client = connect(port, '127.0.0.1').pause()
  t.after(() => client.destroy())
  client.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
  const socket = await connected
  await new Promise((resolve) => socket.once('close', resolve))
})
