import { apiKeys, startProxiedKafka, type Held, type ProxiedKafka } from '@tributary/harness'
import assert from 'node:assert/strict'
import test, { after, before, type TestContext } from 'node:test'
import { type Answer, send } from '../../support/rest-call.ts'
import { readPartition } from '../../support/kafka-topic.ts'
import { until } from '../../support/until.ts'
import { type ReplicaProcess, type Replicas, startReplicas } from './processes.ts'
import { SHORT_SESSIONS } from '../../support/own-broker.ts'

/**
 * A leader is suspended in the middle of a write (its virtual machine may be paused, for instance), and wakes when
 * another leader has written. A proxy stops its connection at a chosen request of the write, so that the window is hit
 * each time.
 */
let broker: ProxiedKafka
before(async () => {
  broker = await startProxiedKafka(SHORT_SESSIONS)
})
after(() => broker.stop())

const SESSION = { TRIBUTARY_SESSION_TIMEOUT_MS: '4000', TRIBUTARY_HEARTBEAT_INTERVAL_MS: '200' }

const put = ({ url }: ReplicaProcess, value: string): Promise<Answer> =>
  send(url, {
    method: 'PUT',
    path: '/connectors/c/config',
    body: { 'connector.class': 'FileStreamSource', topic: 't', value },
  })

/** The written values in order, for a read_committed reader. */
async function committedValues({ configTopic }: Replicas): Promise<(string | undefined)[]> {
  const records = await readPartition(broker.brokers, configTopic, 0, { committed: true })
  return records
    .filter(({ key }) => key?.toString() === 'connector-c')
    .map(({ value }) => (JSON.parse(String(value)) as { properties: { value?: string } }).properties.value)
}

interface Suspension {
  /** The answer that the client of the suspended leader got in the end. */
  readonly answer: Answer
  /** The written values in order. */
  readonly values: readonly (string | undefined)[]
}

/**
 * Suspends the leader while its write of `old` is held. Another leader then writes `new`, and after the wake-up the
 * first one takes the write of `newer`.
 */
async function suspendWhile(t: TestContext, held: (topic: string) => Held): Promise<Suspension> {
  const replicas = await startReplicas(t, broker.brokers, 3, SESSION)
  const suspended = await replicas.leader()
  const others = replicas.all.filter((replica) => replica !== suspended)
  assert.equal((await put(suspended, 'first')).status, 201)

  const holding = broker.proxy.hold(held(replicas.configTopic))
  const old = put(suspended, 'old')
  await holding
  process.kill(suspended.pid, 'SIGSTOP')
  const onTheWay = put(others[0]!, 'on the way')
  const next = await until('another replica leads', async () => {
    const leader = await others[1]!.leader()
    return leader !== suspended.url && others.find(({ url }) => url === leader)
  })
  const written = await put(next, 'new')
  assert.equal(written.status, 200, JSON.stringify(written.body))
  process.kill(suspended.pid, 'SIGCONT')
  // The connections of the suspended leader break, and it tries again on new ones.
  broker.proxy.thaw()
  const answer = await old
  const { status } = await onTheWay

  // The suspended leader is now a replica like the others.
  await replicas.leader()
  assert.equal((await put(suspended, 'newer')).status, 200)
  for (const { url } of replicas.all) {
    await until(`${url} shows the last write`, async () => {
      const { body } = await send(url, { method: 'GET', path: '/connectors/c/config' })
      return (body as { value: string }).value === 'newer'
    })
  }
  const values = await committedValues(replicas)
  const { body } = await send(next.url, { method: 'GET', path: '/connectors/c/config/history' })
  const { versions } = body as { versions: { version: number; cause: string }[] }
  const causes = values.map((_, i) => [i + 1, i === 0 ? 'create' : 'update'])
  assert.deepEqual(versions.toReversed().map(({ version, cause }) => [version, cause]), causes, 'each write is a version') // prettier-ignore
  // The suspended leader refused the write when it woke, and the next leader made it; or the next leader had been
  // elected before.
  assert.equal(values.filter((value) => value === 'on the way').length, status === 200 ? 1 : 0, `${status}`)
  return { answer, values: values.filter((value) => value !== 'on the way') }
}

function assertInDoubt({ status, body }: Answer): void {
  assert.equal(status, 503, JSON.stringify(body))
  const { error_code: code, message } = body as { error_code: number; message: string }
  assert.equal(code, 503)
  assert.match(message, /^Whether the change was made is not known/)
}

test('a leader is suspended before the broker has its write: the write is never made', async (t) => {
  const { answer, values } = await suspendWhile(t, (topic) => ({
    apiKey: apiKeys.produce,
    naming: topic,
    what: 'request',
  }))
  assertInDoubt(answer)
  assert.deepEqual(values, ['first', 'new', 'newer'])
})

test('a leader is suspended before the broker has its commit: the write is never made', async (t) => {
  const { answer, values } = await suspendWhile(t, (topic) => ({
    apiKey: apiKeys.endTxn,
    naming: topic.replace(/-connect-configs$/, '-control-plane'),
    what: 'request',
  }))
  assertInDoubt(answer)
  assert.deepEqual(values, ['first', 'new', 'newer'])
})

test('a leader is suspended before it has the answer to its commit: the write is made once, before the writes of the next leader', async (t) => {
  const { answer, values } = await suspendWhile(t, (topic) => ({
    apiKey: apiKeys.endTxn,
    naming: topic.replace(/-connect-configs$/, '-control-plane'),
    what: 'answer',
  }))
  assertInDoubt(answer)
  assert.deepEqual(values, ['first', 'old', 'new', 'newer'])
})
