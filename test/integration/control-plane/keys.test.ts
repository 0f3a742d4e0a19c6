import { sharedKafka } from '@tributary/harness'
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import test from 'node:test'
import { clusterProps, type Props, startPlane } from '../../support/control-plane.ts'
import { send } from '../../support/rest-call.ts'
import { until } from '../../support/until.ts'

const { brokers } = await sharedKafka()
const main = new URL('../../../apps/control-plane/src/main.ts', import.meta.url).pathname

interface Ended {
  readonly code: number
  readonly out: string
  readonly error: string
}

/** Runs `main.ts keys …` as an operator does. */
function keys(props: Props, ...args: string[]): Promise<Ended> {
  const env = { ...process.env, KAFKA_BROKERS: brokers.join(','), TRIBUTARY_CLUSTER: props['cluster']! }
  return new Promise((resolve) => {
    execFile(process.execPath, [main, 'keys', ...args], { env }, (error, out, text) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, error: text }),
    )
  })
}

const status = async (url: string, key?: string): Promise<number> =>
  (await send(url, { method: 'GET', path: '/connectors', headers: key === undefined ? {} : { 'x-api-key': key } }))
    .status

test('the command makes a key before any control plane runs; every replica takes it, and refuses it soon after it is revoked', async (t) => {
  const props = { ...clusterProps(brokers), 'access.authentication': 'keys' }
  const made = await keys(props, 'create', 'ops', '--grant', 'admin', '--expires', '90d')
  assert.equal(made.code, 0, made.error)
  const key = made.out.trim()
  assert.match(key, /^trib_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/)
  assert.match(made.error, /^ops {2}active {2}admin {2}made .*It is not shown again/s)

  const [one, other] = [await startPlane(t, props), await startPlane(t, props)]
  for (const { url } of [one, other]) assert.deepEqual([await status(url), await status(url, key)], [401, 200])

  const headers = { authorization: `Bearer ${key}` }
  const body = { name: 'ci', grants: 'viewer' }
  const byRest = await send(other.url, { method: 'POST', path: '/admin/keys', body, headers })
  assert.equal(byRest.status, 201, JSON.stringify(byRest.body))
  const { key: second } = byRest.body as { key: string }
  await until('the first replica knows the key', async () => (await status(one.url, second)) === 200)

  const listed = await keys(props, 'list')
  assert.deepEqual(
    listed.out
      .trim()
      .split('\n')
      .map((line) => line.split('  ').slice(0, 3).join()),
    ['ci,active,viewer', 'ops,active,admin'],
  )
  assert.match(listed.out, /^ci .* by key:ops {2}does not expire$/m)
  assert.ok(!listed.out.includes(key.split('_').slice(2).join('_')))

  const started = performance.now()
  assert.equal((await keys(props, 'revoke', 'ci')).code, 0)
  for (const { url } of [one, other]) await until('the key is refused', async () => (await status(url, second)) === 401)
  t.diagnostic(`refused ${Math.round(performance.now() - started)} ms after the start of the command`)
  assert.equal((await send(one.url, { method: 'DELETE', path: '/admin/keys/ops', headers })).status, 204)
  assert.equal(await status(one.url, key), 401)

  // By whom is as the machine says; REST's changes are recorded by the caller's key.
  const reader = (await keys(props, 'create', 'reader', '--grant', 'admin')).out.trim()
  await until('the second replica knows the key', async () => (await status(other.url, reader)) === 200)
  const audit = await send(other.url, {
    method: 'GET',
    path: '/audit?outcome=done',
    headers: { 'x-api-key': reader },
  })
  const { entries } = audit.body as { entries: { who: string; action: string; path: string; about?: string }[] }
  assert.deepEqual(
    entries.map(({ who, action, path }) =>
      [who.replace(/@.*/, ''), action, path].join(' ').replace(/^command:\S+/, 'command'),
    ),
    [
      'command keys create reader',
      'key:ops DELETE /admin/keys/{key} /admin/keys/ops',
      'command keys revoke ci',
      'key:ops POST /admin/keys /admin/keys',
      'command keys create ops',
    ],
  )

  assert.equal(entries[0]?.about, 'API key reader: admin; does not expire')

  await one.stop()
  const third = await startPlane(t, props)
  assert.deepEqual([await status(third.url, key), await status(third.url, second)], [401, 401])
})

test('the command says in one sentence what is wrong', async () => {
  const props = clusterProps(brokers)
  const wrong: [string[], number, RegExp][] = [
    [['revoke', 'none'], 1, /^API key none not found\n$/],
    [['create', 'a b', '--grant', 'admin'], 1, /^The name "a b" of an API key must begin/],
    [['create', 'a', '--grant', 'root'], 1, /^The API key cannot be made: .*"root" is no role/],
    [['create', 'a'], 2, /^create needs --grant/],
    [['list', '--all'], 2, /^Unknown option '--all'.*Usage: keys create/s],
    [['drop', 'a'], 2, /^keys has no command drop/],
  ]
  const ended = await Promise.all(wrong.map(([args]) => keys(props, ...args)))
  for (const [i, [args, code, error]] of wrong.entries()) {
    assert.equal(ended[i]?.code, code, args.join(' '))
    assert.match(ended[i]?.error ?? '', error)
  }
})
