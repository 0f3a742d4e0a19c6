import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { sharedKafka } from '@tributary/harness'
import { type Answer, send } from '../../support/rest-call.ts'
import { clusterProps, type Props, type Running, startPlane, publishFilePlugin } from '../../support/control-plane.ts'
import { until } from '../../support/until.ts'

const { brokers } = await sharedKafka()

interface Replica extends Running {
  readonly url: string
}

const config = (more: Props = {}): Props => ({ 'connector.class': 'FileStreamSource', topic: 't', ...more })
const create = (url: string, name: string): Promise<Answer> =>
  send(url, { method: 'POST', path: '/connectors', body: { name, config: config() } })
const put = (url: string, name: string, more?: Props): Promise<Answer> =>
  send(url, { method: 'PUT', path: `/connectors/${name}/config`, body: config(more) })
const get = (url: string, path: string): Promise<Answer> => send(url, { method: 'GET', path })

/** Replicas of one cluster, the leader first. */
async function startReplicas(t: TestContext, count: number, more: Props = {}): Promise<Replica[]> {
  const props = clusterProps(brokers, more)
  await publishFilePlugin(t, brokers, props['cluster']!)
  const replicas: Replica[] = []
  for (let i = 0; i < count; i++) replicas.push(await startPlane(t, props))
  for (const { url } of replicas) {
    await until(`${url} knows the leader`, async () => (await get(url, '/health')).status === 200)
  }
  const leader = await leaderOf(replicas[0]!.url)
  return replicas.sort((a, b) => Number(b.url === leader) - Number(a.url === leader))
}

async function leaderOf(url: string): Promise<string | undefined> {
  const { body } = await get(url, '/cluster')
  const { control_planes: replicas } = body as { control_planes: { address: string; leader: boolean }[] }
  const leader = replicas.find((replica) => replica.leader)
  return leader && `http://${leader.address}`
}

test('each replica takes writes and answers reads, its own writes included', async (t) => {
  const replicas = await startReplicas(t, 3, { 'internal.key': 'shared' })
  for (const [i, { url }] of replicas.entries()) {
    const created = await create(url, `c${i}`)
    assert.equal(created.status, 201)
    assert.equal(created.location, `${url}/connectors/c${i}`, 'the address that the client knows')
    assert.deepEqual((created.body as { tasks: [] }).tasks, [])
    assert.equal((await get(url, `/connectors/c${i}`)).status, 200, 'a read right after the write')
    const changed = await put(url, `c${i}`, { file: `/${i}` })
    assert.equal(changed.status, 200)
    assert.equal(((await get(url, `/connectors/c${i}/config`)).body as Props)['file'], `/${i}`)
    assert.equal((await send(url, { method: 'PUT', path: `/connectors/c${i}/pause` })).status, 202)
  }
  const names = ['c0', 'c1', 'c2']
  for (const { url } of replicas) {
    await until(`${url} lists all`, async () => (await get(url, '/connectors')).body?.toString() === String(names))
  }
  const [leader, follower, other] = replicas.map(({ url }) => url) as [string, string, string]
  assert.equal((await send(follower, { method: 'DELETE', path: '/connectors/c0' })).status, 204)
  assert.equal((await get(follower, '/connectors/c0')).status, 404)
  const { status, contentType, body } = await send(other, { method: 'DELETE', path: '/connectors/c0' })
  assert.deepEqual([status, contentType], [404, 'application/json'], "the leader's answer as it is")
  assert.deepEqual(await send(leader, { method: 'DELETE', path: '/connectors/c0' }).then((answer) => answer.body), body)
})

test('a replica validates, and refuses bodies that are not JSON, without the leader', async (t) => {
  const [, follower] = await startReplicas(t, 2)
  const path = '/connector-plugins/FileStreamSource/config/validate'
  assert.equal((await send(follower!.url, { method: 'PUT', path, body: config() })).status, 200)
  assert.equal((await send(follower!.url, { method: 'POST', path: '/connectors', body: '{' })).status, 400)
})

test('when clients create one name at all replicas, one of them succeeds', async (t) => {
  const replicas = await startReplicas(t, 3)
  const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => create(replicas[i % 3]!.url, 'same')))
  const statuses = answers.map(({ status }) => status).sort()
  assert.deepEqual(statuses, [201, ...Array<number>(29).fill(409)])
})

test('a leader that stops completes its writes and hands over: clients only wait', async (t) => {
  const replicas = await startReplicas(t, 3)
  const [leader, ...followers] = replicas as [Replica, ...Replica[]]
  const stopping = new AbortController()
  let written = 0
  const write = async ({ url }: Replica, name: string): Promise<void> => {
    for (let i = 0; !stopping.signal.aborted; i++) {
      const { status, body } = await put(url, name, { file: `/${i}` })
      assert.ok(status === 200 || status === 201, JSON.stringify(body))
      assert.equal(((await get(url, `/connectors/${name}/config`)).body as Props)['file'], `/${i}`)
      written++
    }
  }
  const clients = followers.flatMap((follower, i) => [write(follower, `a${i}`), write(follower, `b${i}`)])
  const load = Promise.all(clients)
  await until('writes are made', () => written > 20)
  // Writes that are under way at the leader itself when it gets SIGTERM.
  const last = Promise.all(Array.from({ length: 20 }, (_, i) => create(leader.url, `last${i}`)))
  await until('one of them is written', async () => (await get(leader.url, '/connectors/last0')).status === 200)
  await leader.stop()
  for (const { status } of await last) assert.equal(status, 201)
  const before = written
  await until('writes go on', () => written > before + 20)
  stopping.abort()
  await load
  const next = await leaderOf(followers[0]!.url)
  assert.ok(followers.some(({ url }) => url === next))
  for (const { url } of followers) assert.equal((await get(url, '/connectors/last19')).status, 200)
})

test('the last replica that stops completes its writes too', async (t) => {
  const [replica] = await startReplicas(t, 1)
  const { url, stop } = replica!
  const writes = Promise.all(Array.from({ length: 20 }, (_, i) => create(url, `c${i}`)))
  await until('one of them is written', async () => (await get(url, '/connectors')).body?.toString() !== '')
  await stop()
  for (const { status } of await writes) assert.equal(status, 201)
})
