import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { type Child, sharedKafka, startChild, temporaryFolder } from '@tributary/harness'
import { send } from '../../support/rest-call.ts'
import { until } from '../../support/until.ts'

const main = new URL('../../../apps/control-plane/src/main.ts', import.meta.url).pathname

interface Started {
  readonly child: Child
  log(): Promise<string>
}

async function start(t: TestContext, env: Record<string, string>): Promise<Started> {
  const { brokers } = await sharedKafka()
  const logFile = join(temporaryFolder('control-plane'), 'log')
  const child = await startChild({
    command: process.execPath,
    args: [main],
    logFile,
    env: {
      KAFKA_BROKERS: brokers.join(','),
      TRIBUTARY_CLUSTER: `cp-${randomUUID()}`,
      TRIBUTARY_REST_PORT: '0',
      ...env,
    },
  })
  t.after(() => child.kill())
  return { child, log: () => readFile(logFile, 'utf8') }
}

async function restAddress({ log }: Started): Promise<string> {
  return until('the REST API listens', async () => /event=rest_started.* address=(\S+)/.exec(await log())?.[1])
}

test('the process answers when its log says that it is ready, and stops on SIGTERM', async (t) => {
  const first = await start(t, {})
  const address = await restAddress(first)
  const level = await fetch(`http://${address}/admin/loggers/a`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: '{"level":"debug"}',
  })
  assert.deepEqual(await level.json(), ['a'])
  const health = await fetch(`http://${address}/health`)
  assert.equal(health.status, 200)
  const rebound = await send(`http://${address}`, { method: 'GET', path: '/', headers: { host: 'evil.example' } })
  assert.equal(rebound.status, 421)
  const foreign = { origin: 'http://evil.example' }
  const forged = await send(`http://${address}`, { method: 'POST', path: '/connectors/a/restart', headers: foreign })
  assert.equal(forged.status, 403)
  await first.child.stop()
  assert.deepEqual(first.child.exit, { code: 0, signal: null })
})

test('a taken port gives one clear sentence and exit code 1', async (t) => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const port = String((server.address() as AddressInfo).port)
  const { child, log } = await start(t, { TRIBUTARY_REST_PORT: port })
  assert.deepEqual(await child.exited, { code: 1, signal: null })
  const sentence = `cannot listen on 127.0.0.1: the port is taken; set TRIBUTARY_REST_PORT to a free one`
  assert.ok((await log()).includes(sentence), await log())

  const second = await start(t, { TRIBUTARY_OPERATORS_PORT: port })
  assert.deepEqual(await second.child.exited, { code: 1, signal: null })
  const off = 'set TRIBUTARY_OPERATORS_PORT to a free one, or to -1 to do without this API'
  assert.ok((await second.log()).includes(off), await second.log())
})

test('the REST API listens beyond loopback only with authentication, or with the setting that allows this', async (t) => {
  const refused = await start(t, { TRIBUTARY_REST_HOST: '0.0.0.0' })
  assert.deepEqual(await refused.child.exited, { code: 1, signal: null })
  assert.match(
    await refused.log(),
    /set TRIBUTARY_ACCESS_AUTHENTICATION=keys, or set TRIBUTARY_ADMIN_ALLOW_UNAUTHENTICATED=true/,
  )

  const allowed = await start(t, { TRIBUTARY_REST_HOST: '0.0.0.0', TRIBUTARY_ADMIN_ALLOW_UNAUTHENTICATED: 'true' })
  await restAddress(allowed)
  assert.match(await allowed.log(), /event=unauthenticated_bind/)

  const known = await start(t, { TRIBUTARY_REST_HOST: '0.0.0.0', TRIBUTARY_ACCESS_AUTHENTICATION: 'keys' })
  const port = (await restAddress(known)).split(':').at(-1)
  assert.equal((await fetch(`http://127.0.0.1:${port}/connectors`)).status, 401)
  const log = await known.log()
  assert.match(log, /event=credentials_without_tls/)
  assert.doesNotMatch(log, /event=unauthenticated_bind/)
})
