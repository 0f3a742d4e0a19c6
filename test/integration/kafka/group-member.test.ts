import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { sharedKafka } from '@tributary/harness'
import { GroupMember, KafkaAdmin } from '@tributary/kafka'
import { overlaps, quietLogger, UnitWorker, type Tick } from '../../support/unit-worker.ts'
import { until } from '../../support/until.ts'

const { brokers } = await sharedKafka()
const units = Array.from({ length: 12 }, (_, n) => `u${n}`)

interface Setup {
  readonly groupId: string
  readonly ticks: Tick[]
  worker(name: string, sessionTimeoutMs?: number): UnitWorker
  process(name: string): ChildProcess
}

function setup(t: TestContext): Setup {
  const groupId = `group-${randomUUID()}`
  const ticks: Tick[] = []
  return {
    groupId,
    ticks,
    worker(name, sessionTimeoutMs = 6000) {
      const onTick = (tick: Tick): void => void ticks.push(tick)
      const worker = new UnitWorker({ brokers, groupId, name, units: () => units, sessionTimeoutMs, onTick })
      t.after(() => worker.close())
      return worker
    },
    process(name) {
      const file = new URL('../../support/unit-worker-process.ts', import.meta.url).pathname
      const child = spawn(process.execPath, [file, brokers.join(','), groupId, name, units.join(',')], {
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      t.after(() => child.kill('SIGKILL'))
      createInterface({ input: child.stdout }).on('line', (line) => ticks.push(JSON.parse(line) as Tick))
      return child
    },
  }
}

const sizes = (workers: readonly UnitWorker[]): number[] => workers.map((worker) => worker.running.size)
const balanced = (workers: readonly UnitWorker[]) => (): boolean =>
  sizes(workers).every((size) => size === units.length / workers.length)

/** Whether the worker ticks for its share of two. */
const runs = (ticks: readonly Tick[], worker: string) => (): boolean =>
  new Set(ticks.filter((tick) => tick.worker === worker).map((tick) => tick.unit)).size === units.length / 2

test('joining members share the units, no unit is ever run by two members, and a unit that does not move is not stopped', async (t) => {
  const { worker, ticks } = setup(t)
  const first = worker('w1')
  await first.start()
  await until('the only member runs all', balanced([first]))
  const others = [worker('w2'), worker('w3')]
  await Promise.all(others.map((w) => w.start()))
  const all = [first, ...others]
  await until('each runs its share', balanced(all))
  assert.deepEqual(overlaps(ticks), [])
  assert.deepEqual(all.flatMap((w) => [...w.running.keys()]).sort(), [...units].sort())
  assert.equal(first.starts.length, units.length, 'the first member never started a unit a second time')
})

test('a member that leaves hands its units over without waiting for its session to end', async (t) => {
  const { worker, ticks } = setup(t)
  const [stays, leaves] = [worker('stays', 60_000), worker('leaves', 60_000)]
  await stays.start()
  await leaves.start()
  await until('each runs its share', balanced([stays, leaves]))
  await leaves.leave()
  await until('the other runs all', balanced([stays]))
  assert.deepEqual(overlaps(ticks), [])
})

test('a leaving member continues until an assignment takes all its units away', async (t) => {
  const assigned: string[] = []
  const left = ['u0 u1', 'u1', '']
  const member = new GroupMember<object, { run: string; followup?: boolean }>({
    connection: { brokers, clientId: 'leaves' },
    groupId: `group-${randomUUID()}`,
    log: quietLogger,
    metadata: () => ({}),
    assign: (members) =>
      new Map(members.map(({ memberId, leaving }) => [memberId, { run: leaving ? left.shift()! : 'u0 u1' }])),
    onAssignment: ({ run }) => {
      assigned.push(run)
      if (assigned.length > 1 && run !== '') member.rejoin()
    },
    onLost: assert.fail,
  })
  t.after(() => member.close())
  await member.start(t.signal)
  await member.drain(AbortSignal.timeout(20_000), ({ run }) => run === '')
  assert.deepEqual(assigned, ['u0 u1', 'u0 u1', 'u1', ''])
  await member.leave()
})

test('when the leader leaves, another takes the lead and its units', async (t) => {
  const { worker, ticks } = setup(t)
  const [a, b] = [worker('a', 60_000), worker('b', 60_000)]
  await a.start()
  await b.start()
  await until('each runs its share', balanced([a, b]))
  const [leader, other] = a.member.isLeader ? [a, b] : [b, a]
  await leader.leave()
  await until('the other runs all', balanced([other]))
  assert.equal(other.member.isLeader, true)
  assert.deepEqual(overlaps(ticks), [])
})

test('other members run the units of a killed process when its session is over, never two at once', async (t) => {
  const { worker, process, ticks } = setup(t)
  const survivor = worker('survivor')
  await survivor.start()
  const victim = process('victim')
  await until(
    'the victim ticks',
    () => new Set(ticks.filter((k) => k.worker === 'victim').map((k) => k.unit)).size === 6,
  )
  victim.kill('SIGKILL')
  await until('the survivor runs all', balanced([survivor]))
  assert.deepEqual(overlaps(ticks), [])
})

test('a process that was stopped beyond its session does nothing without a lease, and gets its share back', async (t) => {
  const { worker, process, ticks } = setup(t)
  const steady = worker('steady')
  await steady.start()
  const frozen = process('frozen')
  await until('it ticks', runs(ticks, 'frozen'))
  frozen.kill('SIGSTOP')
  await until('the other runs all', balanced([steady]))
  const before = ticks.length
  frozen.kill('SIGCONT')
  await until('it runs its share again', () => runs(ticks.slice(before), 'frozen')())
  assert.deepEqual(overlaps(ticks), [])
})

test('describing the group lists its members with their metadata', async (t) => {
  const { worker, groupId } = setup(t)
  const [a, b] = [worker('host-a:1'), worker('host-b:2')]
  await Promise.all([a.start(), b.start()])
  const admin = new KafkaAdmin({ brokers, clientId: 'test' })
  t.after(() => admin.close())
  const names = async (): Promise<unknown[]> => {
    const group = await admin.describeGroup(groupId)
    return group.members.map((m) => (m.metadata as { worker?: unknown } | null)?.worker).sort()
  }
  await until('both are described', async () => (await names()).join() === 'host-a:1,host-b:2')
})

test('a session timeout that the broker refuses is an error at the start', async (t) => {
  const { worker } = setup(t)
  await assert.rejects(worker('impatient', 10).start(), { code: 'INVALID_SESSION_TIMEOUT' })
})

test('a follower can ask for a round although its metadata has not changed', async (t) => {
  const { worker } = setup(t)
  const [a, b] = [worker('a'), worker('b')]
  await a.start()
  await b.start()
  await until('each runs its share', balanced([a, b]))
  const follower = a.member.isLeader ? b : a
  // The metadata of the first round names the owned units. The metadata of the second round is the same.
  for (let round = 0; round < 2; round++) {
    const before = follower.member.generation
    follower.member.rejoin()
    await until('the next round', () => follower.member.generation > before)
  }
})
