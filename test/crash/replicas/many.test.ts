import assert from 'node:assert/strict'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sharedKafka } from '@tributary/harness'
import { until } from '../../support/until.ts'
import { Fleet, type Flow, type Replica } from './fleet.ts'
import { long } from '../ingest/rig.ts'
import { type Gaps, longestGaps, summary } from './streams-delivered.ts'

const CONNECTORS = long ? 200 : 40
const SESSION_MS = 6000
/** Messages a second of each stream: so many connectors stand for many quiet streams, not for one busy stream. */
const LOAD = { rate: 10 }
/** How long the control run and a run with a fault are observed, in ms. Only the diagnostics compare the two. */
const WINDOW_MS = long ? SESSION_MS + 4000 : 2000

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
const text = ({ max, median }: Gaps): string => `${max} ms (median ${median} ms)`

interface State {
  readonly state: string
  readonly worker_id: string
}
interface Status {
  readonly connector: State
  readonly tasks: readonly State[]
}

/** The statuses of all connectors according to REST. */
async function statuses(fleet: Fleet): Promise<Map<string, Status>> {
  const { status, body } = await fleet.rest('GET', '/connectors?expand=status')
  assert.equal(status, 200)
  return new Map(Object.entries(body as Record<string, { status: Status }>).map(([name, { status }]) => [name, status]))
}

/**
 * Waits until REST says that every connector and its task run on live replicas. REST may have read less of the topic
 * than the test.
 */
async function restSaysAllRun(fleet: Fleet): Promise<void> {
  const live = new Set(fleet.replicas.map(({ address }) => address))
  const runs = ({ state, worker_id }: State): boolean => state === 'RUNNING' && live.has(worker_id)
  await until('REST says that all run', async () => {
    const all = [...(await statuses(fleet)).values()]
    return all.every(({ connector, tasks }) => runs(connector) && tasks.length === 1 && tasks.every(runs))
  })
}

/**
 * Makes every kind of change to one connector, each after the one before is carried out. Returns the statuses of the
 * requests.
 */
async function changeOne(fleet: Fleet, name: string): Promise<number[]> {
  const flow = { name, delivery: 'at-least-once' } as const
  fleet.source.add(name, LOAD)
  const config = fleet.config(flow)
  const path = `/connectors/${name}`
  const open = (): boolean => fleet.source.callsOf(name).some((call) => call.open)
  const runs = (calls: number) => () => fleet.source.callsOf(name).length === calls && open() && fleet.owner(name)
  const answers: number[] = []
  const ask = async (method: string, way: string, body?: unknown): Promise<void> => {
    answers.push((await fleet.rest(method, way, body)).status)
  }
  await ask('POST', '/connectors', { name, config })
  await until('it runs', runs(1))
  await ask('PUT', `${path}/config`, { ...config, 'max.poll.records': '7' })
  await until('it runs with its new configuration', runs(2))
  await ask('PUT', `${path}/pause`)
  await until('it is paused', () => fleet.owner(name) === null)
  await ask('PUT', `${path}/resume`)
  await until('it goes on', () => fleet.owner(name))
  await ask('POST', `${path}/restart?includeTasks=true`)
  await until('it was restarted', runs(3))
  await ask('PUT', `${path}/stop`)
  await until('it is stopped', () => !open())
  await ask('PUT', `${path}/resume`)
  await until('it runs again', runs(4))
  await ask('DELETE', path)
  await until('it is gone', () => !open())
  return answers
}

interface Kill {
  /** Streams of the killed replica. */
  readonly moved: string[]
  /** The longest time without a record in each of these streams, in ms. */
  readonly pauses: Gaps
  /** The same for all other streams, within a window as long as the control run's. */
  readonly others: Gaps
  /** The longest pause of the source itself in the window, in ms. */
  readonly sourcePause: number
}

/**
 * Kills a replica with kill -9, and checks that its tasks start once on other replicas, and that no other task starts
 * again.
 */
async function killReplica(fleet: Fleet, replica: Replica): Promise<Kill> {
  const moved = fleet.ownedBy(replica)
  const stayed = fleet.names().filter((name) => !moved.includes(name))
  const before = fleet.callCounts()
  fleet.source.takeLongestPause()
  const from = Date.now()
  await fleet.endReplica(replica, (child) => child.kill())
  await fleet.allRunning('after the kill')
  await fleet.caughtUp('after the kill')
  // The topic is read only after the window, because reading holds up this process, which is also the source.
  await sleep(Math.max(0, from + WINDOW_MS - Date.now()))
  const sourcePause = fleet.source.takeLongestPause()
  const after = fleet.callCounts()
  for (const name of stayed) assert.equal(after.get(name), before.get(name), `${name} was not touched`)
  for (const name of moved) assert.equal(after.get(name), before.get(name)! + 1, `${name} was moved once`)
  const to = Date.now()
  const items = await fleet.items()
  const gaps = (names: readonly string[]): Gaps => longestGaps(items, names, from, to)
  return { moved, pauses: gaps(moved), others: gaps(stayed), sourcePause }
}

test(`${CONNECTORS} connectors on three replicas`, async (t) => {
  const fleet = await Fleet.start(t, 3, { brokers: (await sharedKafka()).brokers, sessionMs: SESSION_MS })
  let control: Gaps

  await t.test('created in parallel: no 409, no 500, all tasks run, and none starts twice', async (t) => {
    const startedAt = performance.now()
    const flows = Array.from({ length: CONNECTORS }, (_, i): Flow => ({ name: `c${i}`, delivery: 'at-least-once' }))
    const answers = await Promise.all(flows.map((flow) => fleet.create(flow, LOAD)))
    const answered = performance.now() - startedAt
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [201], JSON.stringify(answers))
    await fleet.allRunning('after the creation')
    t.diagnostic(`all 201 after ${seconds(answered)}, all run after ${seconds(performance.now() - startedAt)}`)
    await fleet.balanced('after the creation')
    t.diagnostic(`tasks by replica: ${fleet.replicas.map((replica) => fleet.ownedBy(replica).length).join(', ')}`)
    await restSaysAllRun(fleet)
    assert.equal(fleet.source.calls.length, CONNECTORS)
  })

  await t.test('a control run without a fault', async (t) => {
    fleet.source.takeLongestPause()
    const from = Date.now()
    await sleep(WINDOW_MS)
    control = longestGaps(await fleet.items(), fleet.names(), from, from + WINDOW_MS)
    t.diagnostic(`longest time without a record in ${seconds(WINDOW_MS)}: ${text(control)}`)
    t.diagnostic(`the source itself paused for at most ${fleet.source.takeLongestPause()} ms`)
  })

  await t.test('changes of one connector do not affect another one', async (t) => {
    const calls = fleet.source.calls.length
    const before = await statuses(fleet)
    fleet.source.takeLongestPause()
    const from = Date.now()
    const answers = await changeOne(fleet, 'changing')
    const to = Date.now()
    assert.deepEqual(answers, [201, 200, 202, 202, 202, 204, 202, 204])
    assert.equal(fleet.source.calls.length, calls + 4, 'no other task was started anew')
    assert.deepEqual(await statuses(fleet), before, 'nothing else has moved')
    await fleet.caughtUp('after the changes')
    const gaps = longestGaps(await fleet.items(), fleet.names(), from, to)
    t.diagnostic(`longest time without a record of the others, in ${seconds(to - from)}: ${text(gaps)}`)
    t.diagnostic(`the source itself paused for at most ${fleet.source.takeLongestPause()} ms`)
  })

  await t.test('kill -9 of a replica: its tasks run on other replicas, and other tasks are not affected', async (t) => {
    const { moved, pauses, others, sourcePause } = await killReplica(fleet, fleet.replicas[0]!)
    await restSaysAllRun(fleet)
    t.diagnostic(`${moved.length} tasks moved, without a record for at most ${text(pauses)}`)
    t.diagnostic(`promised: the session timeout + 1 s, ${SESSION_MS + 1000} ms`)
    t.diagnostic(`the others, without a record for at most ${text(others)}`)
    t.diagnostic(`promised: as the control run + 200 ms, ${control.max + 200} ms (median ${control.median + 200} ms)`)
    t.diagnostic(`the source itself paused for at most ${sourcePause} ms`)
  })

  await t.test('a replica joins: its tasks move once, and other tasks are not affected', async (t) => {
    const before = fleet.callCounts()
    const from = Date.now()
    const joined = await fleet.startReplica()
    await fleet.balanced('after the join')
    const moved = fleet.ownedBy(joined)
    const to = Date.now()
    await fleet.caughtUp('after the join')
    const stayed = fleet.names().filter((name) => !moved.includes(name))
    for (const name of stayed) assert.equal(fleet.callCounts().get(name), before.get(name), `${name} was not touched`)
    for (const name of moved) assert.equal(fleet.callCounts().get(name), before.get(name)! + 1, `${name} moved once`)
    const items = await fleet.items()
    t.diagnostic(`${moved.length} moved, at most ${text(longestGaps(items, moved, from, to))} without a record`)
    t.diagnostic(`${stayed.length} stayed, at most ${text(longestGaps(items, stayed, from, to))}`)
  })

  await t.test('without the control plane tasks continue, fail over, and write offsets and statuses', async (t) => {
    await fleet.plane!.child.kill()
    const { moved, pauses } = await killReplica(fleet, fleet.replicas[0]!)
    t.diagnostic(`${moved.length} tasks moved without a control plane: at most ${text(pauses)} without a record`)
    const [one] = moved
    await fleet.startPlane()
    await restSaysAllRun(fleet)
    const offsets = await fleet.rest('GET', `/connectors/${one}/offsets`)
    assert.equal(offsets.status, 200)
    const { status } = await fleet.rest('PUT', `/connectors/${one}/pause`)
    assert.equal(status, 202)
    await until('a change is carried out again', () => fleet.owner(one!) === null)
    await fleet.rest('PUT', `/connectors/${one}/resume`)
    await fleet.allRunning('after the resume')
  })

  await t.test('nothing was lost, and only kills caused duplicates', async (t) => {
    const { delivered, items } = await fleet.finish()
    t.diagnostic(summary(delivered))
    assert.deepEqual(
      delivered.filter(({ lost, byZombie, inOrder }) => lost > 0 || byZombie > 0 || !inOrder),
      [],
    )
    assert.ok(items.size === CONNECTORS + 1)
    fleet.assertHealthy()
  })
})
