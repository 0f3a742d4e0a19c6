import assert from 'node:assert/strict'
import dns from 'node:dns'
import { once } from 'node:events'
import { syncBuiltinESMExports } from 'node:module'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { after, before, describe, test, type TestContext } from 'node:test'
import { DeniedNetworks } from './denied-networks.ts'
import { allowedAddress, checkHost, checkUnixSocket, denyNetworks } from './outgoing.ts'

/** What names are looked up to, one answer for each lookup. */
function answers(t: TestContext, ...lookups: readonly (readonly string[])[]): { count: number } {
  const asked = { count: 0 }
  t.mock.method(dns, 'lookup', ((
    _host: string,
    _options: object,
    callback: (error: null, found: dns.LookupAddress[]) => void,
  ) => {
    const addresses = lookups[asked.count++] ?? []
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  }) as never)
  syncBuiltinESMExports()
  t.after(() => {
    t.mock.restoreAll()
    syncBuiltinESMExports()
  })
  return asked
}

describe('a connection to an allowed address', () => {
  let server: Server
  let port = 0
  let connections = 0
  before(async () => {
    server = createServer((socket) => {
      connections++
      socket.end()
    })
    server.listen(0)
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  })
  after(() => {
    denyNetworks(null)
    server.close()
  })

  async function connectTo(host: string): Promise<void> {
    const socket = connect({ host: host.replace(/^\[(.*)\]$/, '$1'), port, ...allowedAddress(host) })
    await once(socket.resume(), 'connect')
    await once(socket, 'close')
  }

  test('is made to everything where nothing is denied', async () => {
    denyNetworks(null)
    await connectTo('127.0.0.1')
    assert.equal(connections, 1)
    assert.deepEqual(allowedAddress('127.0.0.1'), {})
  })

  for (const host of [
    '127.0.0.1',
    '0x7f.1',
    '0x7f000001',
    '2130706433',
    '0177.0.0.1',
    '127.1',
    '0',
    'localhost',
    '[::1]',
    '::',
    '[::ffff:127.0.0.1]',
    '::ffff:7f00:1',
  ]) {
    test(`is not made to this machine as ${host}`, async () => {
      denyNetworks(new DeniedNetworks(['loopback']))
      const before = connections
      await assert.rejects(
        () => connectTo(host),
        (error: Error & { kind?: string; code?: string }) => {
          assert.deepEqual([error.kind, error.code], ['config', 'ADDRESS_DENIED'])
          assert.match(
            error.message,
            /that connectors may not connect to: connect\.deny\.networks of the worker has loopback\. Name another/,
          )
          return true
        },
      )
      assert.equal(connections, before)
    })
  }

  test('is made to the address that was judged: a second answer of DNS counts for nothing', async (t) => {
    denyNetworks(new DeniedNetworks(['metadata', '127.0.0.2']))
    const asked = answers(t, ['127.0.0.1'], ['127.0.0.2'])
    const before = connections
    await connectTo('rebinding.test')
    assert.deepEqual([asked.count, connections], [1, before + 1])
    await assert.rejects(connectTo('rebinding.test'), { message: /^rebinding\.test has the address 127\.0\.0\.2 that/ })
  })

  test('leaves the denied addresses of a name out', async (t) => {
    denyNetworks(new DeniedNetworks(['private']))
    answers(t, ['10.0.0.1', '127.0.0.1'], ['10.0.0.1', 'fd00::1'])
    await connectTo('mixed.test')
    await assert.rejects(connectTo('mixed.test'), { code: 'ADDRESS_DENIED' })
  })

  test('is asked for before another process connects; a name without an address may have one there', async (t) => {
    denyNetworks(new DeniedNetworks(['loopback']))
    await assert.rejects(checkHost('127.0.0.1'), { code: 'ADDRESS_DENIED' })
    await assert.rejects(checkHost('2130706433'), { code: 'ADDRESS_DENIED' })
    await checkHost('192.0.2.1')
    await checkHost('name.invalid')
    answers(t, ['127.0.0.1'])
    await assert.rejects(checkHost('rebinding.test'), { code: 'ADDRESS_DENIED' })
  })

  test('is none to a Unix socket where this machine is denied', () => {
    denyNetworks(new DeniedNetworks(['private']))
    checkUnixSocket('/run/a.sock')
    denyNetworks(new DeniedNetworks(['127.0.0.0/8']))
    assert.throws(() => checkUnixSocket('\0a'), {
      code: 'ADDRESS_DENIED',
      message: /^@a is a socket of this machine that/,
    })
  })
})
