import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type AclRight, listedRights, rightsOf, runScript, startStrictKafka, textOf, USERS } from './rights.ts'
import { Scene } from './scene.ts'

const LONG = process.env['TRIBUTARY_TEST_LONG'] === '1'

/** The rights that a short run takes away. */
const SHORT = ['Read CLUSTER-connect-configs', 'Write CLUSTER-out', 'Write CLUSTER-counters-']

/** Rights for dead letters, of which the scene has none; test/integration/dead-letters has some. */
const unplayed = ({ name, operation }: AclRight): boolean =>
  operation === 'Read'
    ? /-(out|counters-)$/.test(name)
    : operation === 'Write' && name.endsWith('-connect-dead-letters')

/** What a right includes (KIP-11). It is left when the right is taken away. */
const IMPLIED: Readonly<Record<string, string>> = {
  Read: 'Describe',
  Write: 'Describe',
  AlterConfigs: 'DescribeConfigs',
}

const RESOURCES = { topic: 'Topic', group: 'Group', 'transactional-id': 'TransactionalId' } as const

function patternOf({ principal, operation, resource, pattern, name }: AclRight): RegExp {
  const rest = pattern === 'prefixed' ? '' : '\\\\?"'
  return new RegExp(`${principal} lacks the right ${operation} on ${RESOURCES[resource]} \\\\?"${name}${rest}`)
}

describe('on a Kafka that allows nothing else', () => {
  /** The control plane keeps an audit log. */
  let hasAudit = false
  let broker: Awaited<ReturnType<typeof startStrictKafka>>
  before(async () => (broker = await startStrictKafka()))
  after(() => broker.stop())

  test('the rights of acls.sh are enough for all that a cluster does', async (t) => {
    const cluster = `acl-${randomUUID().slice(0, 8)}`
    await broker.grant(await rightsOf(cluster))
    const scene = new Scene(broker, cluster)
    t.after(() => scene.stop())
    await scene.play('plane', `${cluster}-connect-status`)
    hasAudit = await scene.hasTopic(`${cluster}-connect-audit`)
    assert.doesNotMatch(scene.said, /AUTHORIZATION_FAILED|lacks the right/)
  })

  if (LONG)
    test("acls.sh gives these rights with Kafka's own tool, and takes them away", async () => {
      const cluster = `acl-${randomUUID().slice(0, 8)}`
      const wanted = (await rightsOf(cluster)).map(textOf).sort()
      await runScript(broker.brokers, cluster)
      assert.deepEqual(await listedRights(broker.brokers, cluster), wanted)
      await runScript(broker.brokers, cluster, '--remove')
      assert.deepEqual(await listedRights(broker.brokers, cluster), [])
    })

  test(
    'without any one of them, something says who lacks which right on what',
    { concurrency: LONG ? 3 : 2 },
    async (t) => {
      const all = await rightsOf('CLUSTER')
      const some = LONG
        ? all.filter((right) => (right.name !== 'CLUSTER-connect-audit' || hasAudit) && !unplayed(right))
        : all.filter(({ name, operation }) => SHORT.includes(`${operation} ${name}`))
      assert.ok(some.length >= SHORT.length)
      await Promise.all(some.map((right) => t.test(textOf(right), () => playWithout(right))))
    },
  )

  async function playWithout(right: AclRight): Promise<void> {
    const cluster = `acl-${randomUUID().slice(0, 8)}`
    const all = await rightsOf(cluster)
    const missing = { ...right, name: right.name.replace('CLUSTER', cluster) }
    const granted = all.filter((each) => textOf(each) !== textOf(missing))
    assert.equal(granted.length, all.length - 1)
    const implied = IMPLIED[right.operation]
    await broker.grant([...granted, ...(implied === undefined ? [] : [{ ...missing, operation: implied }])])
    const isPlane = right.principal === `User:${USERS.plane}`
    const deletes =
      right.resource === 'topic' && right.pattern === 'literal' ? missing.name : `${cluster}-connect-status`
    const scene = new Scene(broker, cluster)
    const over = new AbortController()
    try {
      const heard = scene.hears(patternOf(missing), over.signal).then(() => 'heard')
      const played = scene.play(isPlane ? 'plane' : 'worker', deletes, true).then(
        () => 'nothing failed',
        (error: unknown) => `${String(error)}, and nobody said why`,
      )
      // What failed may be told a moment later.
      const outcome = await Promise.race([heard, played.then(async (end) => (await sleep(2000), end))])
      const told = scene.said.split('\n').filter((line) => /AUTHORIZATION|lacks|start_failed/.test(line))
      assert.equal(outcome, 'heard', told.slice(-5).join('\n'))
    } finally {
      over.abort()
      // A service waits for the right even when it stops, as what it holds would be lost.
      await broker.grant(all)
      await scene.stop()
    }
  }
})
