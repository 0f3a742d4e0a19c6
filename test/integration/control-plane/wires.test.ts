import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { makeCertificates, sharedKafka, temporaryFolder } from '@tributary/harness'
import { type AuditEntry, type AuditQuery, KafkaAuditLog } from '@tributary/connect-storage'
import { KafkaAdmin } from '@tributary/kafka'
import { InternalClient, InternalTokens, serviceSettings, Tls } from '@tributary/service'
import { createLogger } from '@tributary/telemetry'
import { clusterProps, type Props, startPlane, startWorker } from '../../support/control-plane.ts'
import { untilKnown } from '../../support/kafka-topic.ts'
import { until } from '../../support/until.ts'

const { brokers } = await sharedKafka()
const folder = temporaryFolder('wires')
const certificates = await makeCertificates(folder)
const log = createLogger({ name: 'test', stream: { write: () => true } })
const KEY = 'a key for tests that is long enough to be one'
const connection = { brokers, clientId: 'wires' }

/** Settings with which alice is an administrator, and bob operates the connectors whose names begin with `a`. */
function access(): Props {
  const [users, grants] = [join(folder, 'users'), join(folder, 'grants')]
  writeFileSync(users, 'alice: alice-secret\nbob: bob-secret\n')
  // Written out, bob's grants are more than a header holds.
  const others = Array.from({ length: 400 }, (_, i) => `viewer:team-${i}-*`)
  writeFileSync(grants, `user.alice=admin\nuser.bob=operator:a*, ${others.join()}\n`)
  return { 'access.authentication': 'basic', 'access.basic.file': users, 'access.grants.file': grants }
}

interface Reply {
  readonly status: number
  readonly body: unknown
}

/** Asks with curl, which trusts the test's CA alone. */
function curl(url: string, user: string, method = 'GET', body?: object): Promise<Reply> {
  const data = body === undefined ? [] : ['-H', 'Content-Type: application/json', '-d', JSON.stringify(body)]
  const login = user === '' ? [] : ['-u', `${user}:${user}-secret`]
  const args = ['-sS', '--max-time', '60', '--cacert', certificates.ca, '-X', method, ...login, ...data]
  return new Promise((resolve, reject) => {
    execFile('curl', [...args, '-w', '\n%{http_code}', url], (error, out, err) => {
      if (error) return reject(new Error(err, { cause: error }))
      const end = out.lastIndexOf('\n')
      const text = out.slice(0, end)
      resolve({ status: Number(out.slice(end + 1)), body: text === '' ? null : (JSON.parse(text) as unknown) })
    })
  })
}

type Page = { entries: (Omit<AuditEntry, 'time'> & { time: string })[]; next: string | null }

test('two replicas and a worker know each other over TLS by one secret, and the leader knows the caller', async (t) => {
  const { serverCert, serverKey, ca } = certificates
  const values = serviceSettings.parse({ 'tls.cert': serverCert, 'tls.key': serverKey, 'tls.ca': ca })
  const tls = Tls.load(values, log)!
  t.after(() => tls.stop())
  const cluster = clusterProps(brokers, { 'internal.key': KEY })
  const { 'internal.key': _, ...forWorker } = cluster
  await startWorker(t, { ...forWorker, 'internal.key': KEY }, tls)
  const planes = [
    await startPlane(t, { ...cluster, ...access() }, tls),
    await startPlane(t, { ...cluster, ...access() }, tls),
  ]
  const leads = async (url: string): Promise<boolean | null> => {
    const { control_planes: all } = (await curl(`${url}/cluster`, 'alice')).body as {
      control_planes: { address: string; leader: boolean }[]
    }
    return all.find(({ leader }) => leader) === undefined
      ? null
      : all.some((one) => one.leader && url.endsWith(one.address))
  }
  for (const { url } of planes) {
    await until('the leader is known', async () => (await leads(url)) !== null)
    await until(
      'the plugin is listed',
      async () => ((await curl(`${url}/connector-plugins`, 'alice')).body as []).length > 0,
    )
  }
  const [leader, follower] = (await leads(planes[0]!.url)) ? planes : planes.reverse()
  const config = { 'connector.class': 'FileStreamSource', topic: 'wires', file: join(folder, 'grants') }

  const created = await curl(`${follower!.url}/connectors`, 'alice', 'POST', { name: 'a1', config })
  assert.equal(created.status, 201, JSON.stringify(created.body))
  assert.equal((await curl(`${follower!.url}/connectors`, 'bob', 'POST', { name: 'a2', config })).status, 403)
  assert.equal((await curl(`${follower!.url}/connectors/a1/pause`, 'bob', 'PUT')).status, 202)
  assert.equal((await curl(`${follower!.url}/connectors/a1/resume`, 'bob', 'PUT')).status, 202)
  assert.equal((await curl(`${follower!.url}/connectors/a1/resume`, '', 'PUT')).status, 401)
  await until('the worker answers for its task', async () => {
    const { body } = await curl(`${leader!.url}/connectors/a1/health`, 'alice')
    return (body as { tasks: unknown[] }).tasks.length === 1
  })

  for (const { url } of planes) {
    const { entries } = (await curl(`${url}/audit?outcome=done`, 'alice')).body as Page
    const seen = entries.map(({ who, action, connector }) => [who, action, connector])
    assert.deepEqual(seen, [
      ['user:bob', 'PUT /connectors/{connector}/resume', 'a1'],
      ['user:bob', 'PUT /connectors/{connector}/pause', 'a1'],
      ['user:alice', 'POST /connectors', 'a1'],
    ])
    const [, , first] = entries
    assert.equal(`https://${first!.replica}`, leader!.url)
    assert.equal(`https://${first!.via?.replace('control-plane@', '')}`, follower!.url)
    assert.deepEqual([first!.address, first!.changes[0]!.after?.['topic']], ['127.0.0.1', 'wires'])
    // These are written beside their answers.
    await until('the refused right is there, too', async () => {
      const denied = ((await curl(`${url}/audit?outcome=denied`, 'alice')).body as Page).entries
      return denied.some(({ who, action }) => who === 'user:bob' && action === 'POST /connectors')
    })
  }

  // What a replica says is judged again, and whoever has no key is a client like any other.
  const address = leader!.url.replace('https://', '')
  const client = new InternalClient({
    tokens: InternalTokens.from({ reveal: () => KEY }),
    tls: () => tls.clientOptions(),
    from: () => 'control-plane@test',
  })
  t.after(() => client.close())
  const remove = async (caller: unknown): Promise<number> => {
    const request = { method: 'DELETE', path: '/connectors/a1', headers: { host: address }, caller }
    return (await client.send({ address, tls: true }, request, AbortSignal.timeout(30_000))).status
  }
  const caller = { address: '10.0.0.1', id: randomUUID() }
  const bob = { name: 'user:bob', grants: [{ role: 'operator', configs: false, connectors: 'a*' }] }
  assert.equal(await remove({ ...caller, identity: bob }), 403)
  assert.equal(await remove(caller), 401)
  assert.equal((await curl(`${leader!.url}/connectors/a1`, 'alice')).status, 200)
})

function auditLog(t: TestContext, cluster: string, more: { readonly retentionMs?: number } = {}): KafkaAuditLog {
  const audit = new KafkaAuditLog({
    ...{ connection, log, cluster, topic: null, replication: 1, retentionMs: 3_600_000, writeTimeoutMs: 10_000 },
    ...more,
  })
  t.after(() => audit.stop())
  return audit
}

function entry(i: number, time: number): AuditEntry {
  return {
    ...{ id: String(i), time, who: i % 500 === 0 ? 'user:rare' : 'user:often', action: 'PUT /x', path: '/x' },
    ...{ connector: null, address: '127.0.0.1', replica: 'a:1', status: 200, outcome: 'done', count: 1, changes: [] },
  }
}

test('the audit topic deletes by age, keeps the order, and is read page by page from its end', async (t) => {
  const cluster = `wires-${randomUUID().slice(0, 8)}`
  const audit = auditLog(t, cluster)
  const admin = new KafkaAdmin(connection)
  t.after(() => admin.close())
  await audit.start(t.signal)
  const began = Date.now() - 1_000_000
  await Promise.all(Array.from({ length: 900 }, (_, i) => audit.append(entry(i, began + i * 100))))
  for (const from of [900, 1800]) {
    await Promise.all(Array.from({ length: 900 }, (_, i) => audit.append(entry(from + i, began + (from + i) * 100))))
  }
  const all: AuditQuery = { before: null, from: null, to: null, limit: 3, matches: () => true }
  const ids = async (query: Partial<AuditQuery>): Promise<string[]> =>
    (await audit.read({ ...all, ...query })).entries.map(({ id }) => id)
  assert.deepEqual(await ids({}), ['2699', '2698', '2697'])
  const rare = { ...all, matches: ({ who }: AuditEntry) => who === 'user:rare' }
  const page = await audit.read({ ...rare, limit: 4 })
  assert.deepEqual(
    page.entries.map(({ id }) => id),
    ['2500', '2000', '1500', '1000'],
  )
  const rest = await audit.read({ ...rare, before: page.next })
  assert.deepEqual([rest.entries.map(({ id }) => id), rest.next], [['500', '0'], null])
  assert.deepEqual(await ids({ to: began + 100_050 }), ['1000', '999', '998'])
  // A sum of refused requests is written after entries that are younger.
  await audit.append(entry(9999, began + 100_040))
  assert.deepEqual(await ids({ to: began + 100_050 }), ['9999', '1000', '999'])
  const late = { from: began + 269_800, limit: 10 }
  assert.deepEqual(await ids(late), ['2699', '2698'])
  const kept = await admin.topicConfig(audit.topic, ['cleanup.policy', 'retention.ms'])
  assert.deepEqual([...kept.values()].sort(), ['3600000', 'delete'])
  const longer = auditLog(t, cluster, { retentionMs: 7_200_000 })
  await longer.start(t.signal)
  assert.equal((await admin.topicConfig(audit.topic, ['retention.ms'])).get('retention.ms'), '7200000')

  // Whoever deletes the topic loses what it had, and nothing else: it is made again.
  await admin.deleteTopics([audit.topic])
  await audit.append(entry(1, Date.now())).catch(() => undefined)
  await until('it is written again', async () => {
    await audit.append(entry(2, Date.now())).catch(() => undefined)
    return audit.trouble === null && (await ids({})).includes('2')
  })
})

test('changes are refused while the audit topic would forget them, and go on once it is right', async (t) => {
  const cluster = clusterProps(brokers, { 'audit.enabled': 'true' })
  const admin = new KafkaAdmin(connection)
  t.after(() => admin.close())
  const name = `${cluster['cluster']}-connect-audit`
  const configs = { 'cleanup.policy': 'compact' }
  await admin.createTopic({ name, partitions: 1, replicationFactor: 1, configs })
  await untilKnown(brokers, name, 1)
  const { url } = await startPlane(t, cluster)
  const put = (): Promise<Reply> => curl(`${url}/admin/loggers/io.tributary.wires`, '', 'PUT', { level: 'INFO' })
  const refused = await put()
  assert.equal(refused.status, 503)
  assert.match(
    (refused.body as { message: string }).message,
    /Nothing was changed.*has cleanup\.policy=compact.*set cleanup\.policy=delete/,
  )
  const health = await curl(`${url}/health`, '')
  assert.deepEqual([health.status, /cannot be written/.test(JSON.stringify(health.body))], [500, true])
  await admin.alterTopicConfig(name, { 'cleanup.policy': 'delete' })
  await until('changes are made', async () => (await put()).status < 300)
  const { entries } = (await curl(`${url}/audit`, '')).body as Page
  assert.equal(entries[0]!.action, 'PUT /admin/loggers/{logger}')
})
