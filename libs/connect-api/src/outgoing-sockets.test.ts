import assert from 'node:assert/strict'
import { once } from 'node:events'
import * as net from 'node:net'
import { it, type TestContext } from 'node:test'
import { DeniedNetworks } from './denied-networks.ts'
import { denyNetworks } from './outgoing.ts'
import { connectTcp, openTunnel } from './outgoing-sockets.ts'

const { signal } = new AbortController()

/** A proxy that gives every request the same answer. `asked`: the requests. */
async function proxy(t: TestContext, answer: string): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = []
  const server = net.createServer((socket) => {
    socket
      .on('error', () => {})
      .once('data', (request) => {
        asked.push(request.toString())
        socket.write(answer)
      })
    t.after(() => socket.destroy())
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => server.close())
  return { port: (server.address() as net.AddressInfo).port, asked }
}

it('a tunnel gives what the server says right behind the answer of the proxy', async (t) => {
  const { port, asked } = await proxy(t, 'HTTP/1.1 200 OK\r\n\r\nhello')
  const socket = await connectTcp({ host: '127.0.0.1', port }, signal)
  t.after(() => socket.destroy())
  const answer = await openTunnel(socket, { host: '::1', port: 7 }, { 'proxy-authorization': 'Basic eDp5' }, signal)
  assert.equal(answer.statusCode, 200)
  assert.equal(String((await once(socket, 'data'))[0]), 'hello')
  assert.match(asked[0]!, /^CONNECT \[::1\]:7 HTTP\/1\.1\r\nhost: \[::1\]:7\r\nproxy-authorization: Basic eDp5\r\n/)
})

it('a connection ends that the proxy makes no tunnel, or whose answer is not waited for', async (t) => {
  const refusing = await proxy(t, 'HTTP/1.1 407 No\r\n\r\n')
  const refused = await connectTcp({ host: '127.0.0.1', port: refusing.port }, signal)
  assert.equal((await openTunnel(refused, { host: 'a', port: 7 }, {}, signal)).statusCode, 407)
  assert.ok(refused.destroyed)

  const silent = await proxy(t, '')
  const waiting = await connectTcp({ host: '127.0.0.1', port: silent.port }, signal)
  const enough = new AbortController()
  const tunnel = openTunnel(waiting, { host: 'a', port: 7 }, {}, enough.signal)
  enough.abort(new Error('enough'))
  await assert.rejects(tunnel, { message: 'enough' })
  assert.ok(waiting.destroyed)
})

it('a connector reaches no denied address, and the worker does', async (t) => {
  const { port } = await proxy(t, '')
  denyNetworks(new DeniedNetworks(['loopback']))
  t.after(() => denyNetworks(null))
  const to = { host: '127.0.0.1', port }
  await assert.rejects(connectTcp(to, signal), { name: 'ConfigError' })
  await assert.rejects(connectTcp({ ...to, path: '/run/socket' }, signal), { name: 'ConfigError' })
  const socket = await connectTcp(to, signal, { ofWorker: true })
  socket.destroy()
})
