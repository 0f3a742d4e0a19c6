import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sharedKafka } from '@tributary/harness'
import { until } from '../../support/until.ts'
import { long } from '../ingest/rig.ts'
import { FeedsSource } from './feeds-source.ts'
import { countItems } from './streams-delivered.ts'
import { StreamsSource } from './streams-source.ts'
import { SupervisedReplicas } from './supervised.ts'

const KILLS = long ? 10 : 1
/** Longer than any wait of these tests, in which nothing may depend on the end of a session. */
const SESSION_MS = 300_000
/** The supervisor starts a process at once if it has run for 10 s. */
const PAUSE_MS = long ? 11_000 : 0
const STREAMS = ['s1', 's2', 's3']

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!

interface Case {
  readonly name: string
  readonly listen: () => Promise<FeedsSource | StreamsSource>
  readonly live: boolean
  readonly replicas: number
}

const cases: Case[] = [1, 3].flatMap((replicas) => [
  { name: 'WebSocket', listen: () => FeedsSource.listen(), live: true, replicas },
  { name: 'gRPC', listen: () => StreamsSource.listen(), live: false, replicas },
])

async function start(t: TestContext, { listen, live, replicas }: Case) {
  const { brokers } = await sharedKafka()
  const source = await listen()
  t.after(() => source.close())
  const options = { brokers, source, replicas, sessionMs: SESSION_MS, streams: STREAMS, live }
  return { source, service: await SupervisedReplicas.start(t, options) }
}

// The gap: from kill -9 to the first record of the new process in the topic, of the slowest of its streams.
for (const each of long ? cases : cases.slice(2, 3)) {
  const title = `kill -9 of one of ${each.replicas} replicas (${each.name}): its new process goes on, the others notice nothing`
  test(title, async (t) => {
    const { source, service } = await start(t, each)
    const gaps: number[] = []
    /** The part of each gap that a process of Node needs before any of our code talks to Kafka: the machine's speed. */
    const starts: number[] = []
    for (let kill = 0; kill < KILLS; kill++) {
      await sleep(PAUSE_MS)
      await service.settled()
      const victim = service.replicas[kill % each.replicas]!
      const owned = service.ownedBy(victim)
      assert.ok(owned.length > 0)
      const others = STREAMS.filter((stream) => !owned.includes(stream))
      const calls = new Map(STREAMS.map((stream) => [stream, source.callsOf(stream).length]))
      const address = victim.process.address
      const lastCall = source.calls.length
      const killedAt = Date.now()
      process.kill(service.started(victim).pid, 'SIGKILL')
      await until('the new process has the streams', () => {
        const { address: now } = victim.process
        return now !== undefined && now !== address && service.ownedBy(victim).length === owned.length
      })
      await service.allRunning()
      const first = async (): Promise<number[] | null> => {
        const items = await service.items()
        const times = owned.map((stream) => items.get(stream)?.find(({ call }) => call > lastCall)?.at)
        return times.every((at) => at !== undefined) ? times : null
      }
      gaps.push(Math.max(...(await until('records of the new process', first))) - killedAt)
      starts.push(service.started(victim).startMs)
      for (const stream of others)
        assert.equal(source.callsOf(stream).length, calls.get(stream), `${stream} was left alone`)
    }
    source.end()
    await sleep(1000)
    const items = await service.items()
    for (const stream of STREAMS) {
      const { lost, byZombie, inOrder } = countItems(
        stream,
        items.get(stream) ?? [],
        each.live ? 0 : source.head(stream),
      )
      assert.deepEqual({ stream, lost, byZombie, inOrder }, { stream, lost: 0, byZombie: 0, inOrder: true })
    }
    const after = gaps.map((gap, n) => gap - starts[n]!)
    const line = (what: string, ms: readonly number[]): string =>
      `${what}: median ${median(ms)} ms, worst ${Math.max(...ms)} ms (${ms.join(' ')})`
    t.diagnostic(line(`${each.name}, ${each.replicas} replicas, kill to first record`, gaps))
    t.diagnostic(line('without the start of the process', after))
  })
}

test('a second process with the instance id of a running one takes its place: the first stops its tasks and says so', async (t) => {
  const { source, service } = await start(t, { ...cases[0]! })
  const older = service.replicas[0]!
  const calls = source.callsOf('s1')
  const newer = service.startReplica(t, older.name, 'newer')
  await newer.process.ready()
  await until('the newer has the tasks', () => service.ownedBy(newer).length === STREAMS.length)
  await until('the older has closed its connections', () => calls.every(({ open }) => !open))
  const ready = await fetch(`http://${older.process.address}/ready`)
  assert.equal(ready.status, 503)
  assert.match(await ready.text(), /Another process has joined the group .* under the instance id replica-1/)
  assert.equal(service.logged(older, 'group_instance_fenced'), 1)
  await sleep(2000)
  assert.equal(service.ownedBy(newer).length, STREAMS.length, 'the older one does not fight back')
  source.end()
  await sleep(500)
  for (const [stream, items] of await service.items()) {
    const { byZombie } = countItems(stream, items, 0)
    assert.deepEqual({ stream, byZombie }, { stream, byZombie: 0 })
  }
})
