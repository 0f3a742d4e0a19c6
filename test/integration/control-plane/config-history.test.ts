import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { sharedKafka } from '@tributary/harness'
import { KafkaAdmin } from '@tributary/kafka'
import { type Answer, send } from '../../support/rest-call.ts'
import { makeApiKey, withKey } from '../../support/api-key.ts'
import { clusterProps, type Props, publishFilePlugin, type Running, startPlane } from '../../support/control-plane.ts'
import { until } from '../../support/until.ts'

const { brokers } = await sharedKafka()

interface Version {
  readonly version: number
  readonly author: string | null
  readonly cause: string
  readonly changed: readonly string[]
}

interface Replica extends Running {
  readonly url: string
}

const config = (more: Props = {}): Props => ({ 'connector.class': 'FileStreamSource', topic: 't', ...more })
const put = (url: string, name: string, more?: Props): Promise<Answer> =>
  send(url, { method: 'PUT', path: `/connectors/${name}/config`, body: config(more) })
const get = (url: string, path: string): Promise<Answer> => send(url, { method: 'GET', path: `/connectors/${path}` })

async function historyOf(url: string, name: string): Promise<readonly Version[]> {
  const { status, body } = await get(url, `${name}/config/history?limit=1000`)
  return status === 404 ? [] : (body as { versions: Version[] }).versions.toReversed()
}

/** The file of each version, which the tests change. */
async function filesOf(url: string, name: string): Promise<(string | undefined)[]> {
  const versions = await historyOf(url, name)
  return Promise.all(
    versions.map(async ({ version }) => {
      const { body } = await get(url, `${name}/config/history/${version}`)
      return (body as { config: Props }).config['file']
    }),
  )
}

async function cluster(t: TestContext, more: Props = {}): Promise<Props> {
  const props = clusterProps(brokers, { 'session.timeout.ms': '6000', ...more })
  await publishFilePlugin(t, brokers, props['cluster']!)
  return props
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1)

test('two replicas and a change of the leader: no version is lost or doubled, and the order is that of the writes', async (t) => {
  const props = await cluster(t, { 'internal.key': 'shared' })
  const replicas: [Replica, Replica] = [await startPlane(t, props), await startPlane(t, props)]
  for (const { url } of replicas) await until('a write is possible', async () => (await put(url, 'first')).status < 300)
  const stopping = new AbortController()
  const written = new Map<string, string[]>()
  const client = async (url: string, name: string): Promise<void> => {
    const files = written.set(name, []).get(name)!
    for (let n = 1; !stopping.signal.aborted; n++) {
      const { status, body } = await put(url, name, { file: `/${n}` })
      assert.ok(status === 200 || status === 201, JSON.stringify(body))
      files.push(`/${n}`)
    }
  }
  const [first, second] = replicas
  const count = (): number => [...written.values()].flat().length
  // The first replica leads, and goes.
  const clients = [client(second.url, 'a'), client(second.url, 'b')]
  const load = Promise.all(clients)
  load.catch(() => stopping.abort())
  await until('changes are made', () => count() > 20 || stopping.signal.aborted)
  await first.stop()
  const before = count()
  await until('changes go on', () => count() > before + 10 || stopping.signal.aborted)
  stopping.abort()
  await load
  for (const [name, files] of written) {
    assert.deepEqual(await filesOf(second.url, name), files.slice(-100), name)
    const versions = await historyOf(second.url, name)
    assert.deepEqual(versions.map(({ version }) => version), upTo(files.length).slice(-100), name) // prettier-ignore
    assert.equal(versions.some(({ cause }) => cause === 'found'), false) // prettier-ignore
  }
})

test('versions beyond the bound go, parallel changes have an order, and a new process reads the same', async (t) => {
  const props = await cluster(t, { 'config.history.versions': '5' })
  const plane = await startPlane(t, props)
  await until('a write is possible', async () => (await put(plane.url, 'c', { file: '/0' })).status < 300)
  const answers = await Promise.all(upTo(8).map((n) => put(plane.url, 'c', { file: `/${n}` })))
  for (const { status } of answers) assert.equal(status, 200)
  const versions = await historyOf(plane.url, 'c')
  assert.deepEqual(versions.map(({ version }) => version), [5, 6, 7, 8, 9]) // prettier-ignore
  const files = await filesOf(plane.url, 'c')
  assert.equal(files.at(-1), ((await get(plane.url, 'c/config')).body as Props)['file'])
  assert.equal(new Set(files).size, 5)
  await plane.stop()
  const next = await startPlane(t, props)
  assert.deepEqual(await filesOf(next.url, 'c'), files)
  const { status, body } = await send(next.url, {
    ...{ method: 'POST', path: '/connectors/c/config/rollback' },
    body: { version: 5 },
  })
  assert.deepEqual([status, (body as { version: number }).version], [200, 10], JSON.stringify(body))
  assert.equal((await get(next.url, 'c/config/history/5')).status, 404)
})

test('a history that was deleted comes back, and a new leader finds what is not in it', async (t) => {
  const props = await cluster(t)
  const plane = await startPlane(t, props)
  await until('a write is possible', async () => (await put(plane.url, 'c')).status < 300)
  await put(plane.url, 'c', { file: '/1' })
  const topic = `${props['cluster']}-connect-history`
  const admin = new KafkaAdmin({ brokers, clientId: 'test' })
  t.after(() => admin.close())
  const idOf = async (): Promise<string | undefined> => (await admin.describeTopics([topic])).get(topic)?.id
  const id = await idOf()
  await admin.deleteTopics([topic])
  await until('a change is taken', async () => (await put(plane.url, 'c', { file: '/2' })).status === 200)
  assert.notEqual(await idOf(), id)
  assert.deepEqual(await filesOf(plane.url, 'c'), [undefined, '/1', '/2'])
  await plane.stop()
  // As of an installation that had no history yet.
  await admin.deleteTopics([topic])
  await until('the topic is gone', async () => (await idOf()) === undefined)
  const next = await startPlane(t, props)
  await until('the configuration is found', async () => (await historyOf(next.url, 'c')).length > 0)
  const [found] = await historyOf(next.url, 'c')
  assert.deepEqual(
    { ...found, time: undefined },
    { ...found, time: undefined, version: 1, author: null, cause: 'found', request_id: null },
  )
})

test('ten changes by several identities and a rollback to the first: each version has its author, and the audit its request', async (t) => {
  const props = await cluster(t, { 'access.authentication': 'keys' })
  const plane = await startPlane(t, props)
  const admin = await makeApiKey(brokers, props['cluster']!)
  const as = (key: string, method: string, path: string, body?: unknown): Promise<Answer> =>
    send(withKey(plane.url, key), { method, path, ...(body !== undefined && { body }) })
  const keys = new Map([['key:test-admin', admin]])
  await until('the key counts', async () => (await as(admin, 'GET', '/connectors')).status === 200)
  for (const name of ['ann', 'ci']) {
    const made = await as(admin, 'POST', '/admin/keys', { name, grants: 'admin:orders' })
    keys.set(`key:${name}`, (made.body as { key: string }).key)
  }
  const authors = [...keys.keys()]
  const path = '/connectors/orders/config'
  const by: string[] = []
  for (const n of upTo(11)) {
    const author = authors[n % authors.length]!
    const change = { file: `/${n}`, 'api.password': `secret-${n}` }
    const { status, body } = await as(keys.get(author)!, 'PUT', path, config(change))
    assert.ok(status < 300, JSON.stringify(body))
    by.push(author)
  }
  const back = await as(keys.get('key:ci')!, 'POST', `${path}/rollback`, { version: 1 })
  assert.equal(back.status, 200, JSON.stringify(back.body))
  const present = (await as(admin, 'GET', path)).body
  assert.deepEqual(present, { name: 'orders', ...config({ file: '/1', 'api.password': 'secret-11' }) })
  const { body } = await as(admin, 'GET', `${path}/history`)
  const { versions } = body as { versions: (Version & { readonly request_id: string })[] }
  assert.deepEqual(versions.map(({ author }) => author).toReversed(), [...by, 'key:ci']) // prettier-ignore
  assert.deepEqual(versions.map(({ cause }) => cause), ['rollback', ...Array<string>(10).fill('update'), 'create']) // prettier-ignore
  assert.deepEqual(versions[0]!.changed, ['file'])
  const audit = await as(admin, 'GET', '/audit?connector=orders&limit=100')
  const { entries } = audit.body as { entries: { id: string; who: string }[] }
  const who = new Map(entries.map((entry) => [entry.id, entry.who]))
  for (const version of versions) assert.equal(who.get(version.request_id), version.author)
  const shown = await Promise.all(versions.map(({ version }) => as(admin, 'GET', `${path}/history/${version}`)))
  assert.doesNotMatch(JSON.stringify([versions, shown]), /secret-/)
})
