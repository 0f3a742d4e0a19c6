import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { type CommandLine, freePort, pythonPackages, startChild, temporaryFolder } from '@tributary/harness'
import { until } from '../../support/until.ts'
import { ACCESS_MODES } from '../access-modes.ts'
import { inStates, type States } from '../connector-states.ts'
import { send } from '../../support/rest-call.ts'
import { type ClientSides, type Config, startClientSides } from './client-sides.ts'

const packagesOf = (name: string) => pythonPackages(new URL(`packages/${name}.txt`, import.meta.url).pathname)

async function create(url: string, name: string, config: Config, states: States): Promise<void> {
  await until(`${name} is created`, async () => {
    const { status, body } = await send(url, { method: 'POST', path: '/connectors', body: { name, config } })
    // Connect refuses a creation while it rebalances.
    if (!JSON.stringify(body).includes('rebalance')) assert.equal(status, 201, JSON.stringify(body))
    return status === 201
  })
  await inStates(url, name, states)
}

async function remove(url: string, name: string): Promise<void> {
  assert.equal((await send(url, { method: 'DELETE', path: `/connectors/${name}` })).status, 204)
}

/** Starts a client that works by itself until the test ends. Returns the function that reads the client's log. */
async function startClient(t: TestContext, { command, args, env = {} }: CommandLine): Promise<() => Promise<string>> {
  const logFile = join(temporaryFolder('client'), 'log')
  const child = await startChild({ command, args, env, logFile })
  t.after(() => child.stop())
  return () => readFile(logFile, 'utf8')
}

interface Health {
  readonly healthy: boolean
  readonly failures: readonly { readonly type: string; readonly connector: string; readonly trace?: string }[]
}

async function healthcheckSees(t: TestContext, { connect, ours, config }: ClientSides): Promise<void> {
  const packages = await packagesOf('kafka-connect-healthcheck')
  /** Starts a health check, which is a small server itself, and returns its answer. */
  const watch = async (url: string): Promise<() => Promise<Health>> => {
    const port = String(await freePort())
    const { origin, username, password } = new URL(url)
    const args = [
      '--port',
      port,
      '--connect-url',
      origin,
      ...(username === '' ? [] : ['--basic-auth', `${username}:${password}`]),
    ]
    await startClient(t, packages.command('kafka-connect-healthcheck', args))
    const ask = () => fetch(`http://127.0.0.1:${port}/`).catch(() => null)
    await until('the health check answers', ask)
    return async () => (await (await ask())?.json()) as Health
  }
  const [theirs, own] = [await watch(connect), await watch(ours)]
  const seen = async (): Promise<[unknown, unknown]> => {
    const [there, here] = await Promise.all([theirs(), own()])
    // The worker and the trace differ between the sides. Only the presence of a trace is compared.
    const text = (health: Health) =>
      JSON.stringify(health, (key, value: unknown) =>
        key === 'worker_id' ? '<worker>' : key === 'trace' ? typeof value : value,
      )
    assert.equal(text(here), text(there))
    return [here.healthy, here.failures.map(({ type, connector }) => `${type} ${connector}`)]
  }
  assert.deepEqual(await seen(), [true, []])
  const bad = { ...config, topic: 'no topic' }
  for (const url of [connect, ours]) await create(url, 'checked', bad, ['RUNNING', 'FAILED'])
  assert.deepEqual(await seen(), [false, ['task checked']])
  for (const url of [connect, ours]) {
    await send(url, { method: 'PUT', path: '/connectors/checked/config', body: config })
    await inStates(url, 'checked', ['RUNNING', 'RUNNING'])
  }
  assert.deepEqual(await seen(), [true, []])
  for (const url of [connect, ours]) await remove(url, 'checked')
}

async function watcherHeals(t: TestContext, { ours, config, folder }: ClientSides, action: string): Promise<void> {
  const file = join(folder, `missing-${action}.txt`)
  // The file source fails without its file. Only a restart makes it continue.
  await create(ours, action, { ...config, file }, ['RUNNING', 'FAILED'])
  await writeFile(file, 'one\n')

  const { hostname, port, username, password } = new URL(ours)
  const authentication = username === '' ? {} : { authentication: { username, password } }
  const rule = { include_regex: [action], auto_correct_actions: [{ action, wait_for_status: '5s' }] }
  const settings = join(folder, `watcher-${action}.json`)
  await writeFile(
    settings,
    JSON.stringify({
      watch_interval: '2s',
      clusters: [{ hostname, port: Number(port), ...authentication, evaluation_rules: [rule] }],
    }),
  )
  const packages = await packagesOf('kafka-connect-watcher')
  const line = packages.command('kafka-connect-watcher', ['-c', settings])
  // Each thread of the watcher polls its queue without a pause.
  const log = await startClient(t, { ...line, env: { ...line.env, CONCURRENT_THREADS: '1' } })
  await inStates(ours, action, ['RUNNING', 'RUNNING'])
  await until('the watcher logs its action', async () =>
    (await log()).includes(`Applied corrective action '${action}' to connector ${action}`),
  )
  await remove(ours, action)
}

for (const access of ACCESS_MODES) {
  test(`clients that work by themselves, ${access}`, { timeout: 600_000 }, async (t) => {
    const sides = await startClientSides(t, access)
    await t.test('kafka-connect-healthcheck reports the same health for Tributary and Kafka Connect', (t) =>
      healthcheckSees(t, sides),
    )
    // On Connect this action heals no failed task, because a restart without parameters does not restart tasks.
    await t.test('kafka-connect-watcher heals a failed task with a restart', (t) => watcherHeals(t, sides, 'restart'))
    await t.test('kafka-connect-watcher heals a failed task with its cycle', (t) => watcherHeals(t, sides, 'cycle'))
  })
}
