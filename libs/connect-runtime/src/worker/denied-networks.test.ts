import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromEnv } from '@tributary/config'
import { allowedAddress, denyNetworks } from '@tributary/connect-api'
import { silentLog } from '@tributary/telemetry/testing'
import { connectWorker } from './connect-worker.ts'

/** Makes a worker, up to its routes: its start has not begun. */
function make(networks: string): Promise<unknown> {
  const service = connectWorker({ name: 'test-ingest', version: '1', plugins: [] })
  const settings = fromEnv(service.settings, {
    KAFKA_BROKERS: '127.0.0.1:1',
    TRIBUTARY_CONNECT_DENY_NETWORKS: networks,
  })
  const route = (): never => {
    throw new Error('the worker is made')
  }
  const signal = new AbortController().signal
  const host = { settings, log: silentLog, address: '127.0.0.1:2', signal, admin: { route }, shutdown() {} }
  return service.start(host)
}

test('connect.deny.networks counts from the start of a worker on, and a wrong network ends the start', async (t) => {
  t.after(() => denyNetworks(null))
  const failure = (networks: string): Promise<string> =>
    Promise.resolve()
      .then(() => make(networks))
      .then(() => assert.fail(), String)
  const wrong = await failure('loopback,localhost')
  assert.match(
    wrong,
    /Invalid value loopback,localhost for configuration connect\.deny\.networks: localhost is no address/,
  )
  assert.deepEqual(allowedAddress('127.0.0.1'), {})
  assert.match(await failure(' link-local, 10.0.0.0/8'), /the worker is made/)
  assert.throws(() => allowedAddress('10.1.2.3'), { code: 'ADDRESS_DENIED' })
  allowedAddress('127.0.0.1')
})
