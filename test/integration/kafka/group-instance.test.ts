import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { sharedKafka } from '@tributary/harness'
import { overlaps, UnitWorker, type Tick } from '../../support/unit-worker.ts'
import { until } from '../../support/until.ts'

const { brokers } = await sharedKafka()
const units = Array.from({ length: 6 }, (_, n) => `u${n}`)
/** Longer than any wait of these tests: nothing here happens because a session ended. */
const SESSION_MS = 300_000

interface Setup {
  readonly ticks: Tick[]
  worker(name: string, instance?: string, ended?: boolean): UnitWorker
  /** A worker in a process of its own. */
  process(name: string, instance: string, ended?: boolean): ChildProcess
  /** Whether the worker has ticked for this many units since the call. */
  ticksFor(worker: string, count: number): () => boolean
}

function setup(t: TestContext): Setup {
  const groupId = `group-${randomUUID()}`
  const ticks: Tick[] = []
  return {
    ticks,
    worker(name, instance, ended = true) {
      const onTick = (tick: Tick): void => void ticks.push(tick)
      const worker = new UnitWorker({
        ...{ brokers, groupId, name, units: () => units, sessionTimeoutMs: SESSION_MS, onTick },
        ...(instance !== undefined && { instance: { id: instance, ended } }),
      })
      t.after(() => worker.close())
      return worker
    },
    process(name, instance, ended = true) {
      const file = new URL('../../support/unit-worker-process.ts', import.meta.url).pathname
      const args = [brokers.join(','), groupId, name, units.join(','), String(SESSION_MS), instance]
      const child = spawn(process.execPath, [file, ...args, ended ? 'ended' : 'unknown'], {
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      t.after(() => child.kill('SIGKILL'))
      createInterface({ input: child.stdout }).on('line', (line) => ticks.push(JSON.parse(line) as Tick))
      return child
    },
    ticksFor(worker, count) {
      const from = ticks.length
      return () => new Set(ticks.slice(from).flatMap((k) => (k.worker === worker ? [k.unit] : []))).size === count
    },
  }
}

const killed = (child: ChildProcess): Promise<unknown> => {
  child.kill('SIGKILL')
  return new Promise((resolve) => child.once('exit', resolve))
}

/** Ticks of two workers of one unit in turn: both ran it. */
function interleaved(ticks: readonly Tick[]): string[] {
  const found: string[] = []
  const ended = new Map<string, Set<string>>()
  const last = new Map<string, string>()
  for (const { unit, worker } of [...ticks].sort((a, b) => a.at - b.at)) {
    const before = last.get(unit)
    if (before === worker) continue
    const over = ended.get(unit) ?? new Set()
    if (over.has(worker)) found.push(`${unit}: ${worker} ran on after ${before}`)
    if (before !== undefined) ended.set(unit, over.add(before))
    last.set(unit, worker)
  }
  return found
}

for (const others of [0, 2]) {
  test(`a killed process that returns under its id gets its units back, beside ${others} others that notice nothing`, async (t) => {
    const { worker, process, ticksFor, ticks } = setup(t)
    const survivors = Array.from({ length: others }, (_, n) => worker(`other-${n}`, `other-${n}`))
    for (const survivor of survivors) await survivor.start()
    const share = units.length / (others + 1)
    const victim = process('victim', 'a')
    await until('the victim runs its share', ticksFor('victim', share))
    const starts = survivors.map((s) => s.starts.length)
    await killed(victim)
    process('successor', 'a')
    await until('the successor runs the share', ticksFor('successor', share))
    await until('all goes on', ticksFor('successor', share))
    assert.deepEqual(
      survivors.map((s) => s.starts.length),
      starts,
      'the survivors took over nothing',
    )
    assert.deepEqual(overlaps(ticks), [])
  })
}

test('a leader that returns under its id leads on: a member that joins afterwards gets its share', async (t) => {
  const { worker, process, ticksFor } = setup(t)
  const leader = process('leader', 'a')
  await until('the leader runs all', ticksFor('leader', 6))
  await killed(leader)
  process('successor', 'a')
  await until('the successor runs all', ticksFor('successor', 6))
  const second = worker('second', 'b')
  await second.start()
  await until('the second has its share', () => second.running.size === 3)
})

test('of two running processes with one id the newer goes on: the older stops at once, and stays out', async (t) => {
  const { worker, ticks, ticksFor } = setup(t)
  const older = worker('older', 'a', false)
  await older.start()
  await until('the older runs all', ticksFor('older', 6))
  const newer = worker('newer', 'a', false)
  await newer.start()
  await until('the newer runs all', ticksFor('newer', 6))
  assert.equal(older.fenced, 'FENCED_INSTANCE_ID')
  assert.equal(older.member.leaseValid(), false)
  assert.equal(older.running.size, 0)
  assert.deepEqual(interleaved(ticks), [])
  older.member.rejoin()
  await until('the newer runs on', ticksFor('newer', 6))
  assert.equal(newer.fenced, null)
  // A leave of the older process must not take the place from the newer one.
  await older.member.leave()
  await until('the newer still runs', ticksFor('newer', 6))
  assert.equal(newer.fenced, null)
  assert.equal(newer.lost, 0)
})

test('a suspended process that wakes while its successor runs does nothing before it hears that it is fenced', async (t) => {
  const { process, ticks, ticksFor } = setup(t)
  const frozen = process('frozen', 'a', false)
  await until('it runs all', ticksFor('frozen', 6))
  frozen.kill('SIGSTOP')
  process('successor', 'a', false)
  await until('the successor runs all', ticksFor('successor', 6))
  frozen.kill('SIGCONT')
  await until('the successor runs on', ticksFor('successor', 6))
  await new Promise((resolve) => setTimeout(resolve, 700))
  assert.deepEqual(interleaved(ticks), [])
})

test('an id that is taken during a round: nobody gets the units while the older process may still run', async (t) => {
  const { worker, ticks, ticksFor } = setup(t)
  const [older, other] = [worker('older', 'a', false), worker('other', 'b')]
  await older.start()
  await until('the older runs all', ticksFor('older', 6))
  const newer = worker('newer', 'a', false)
  await Promise.all([other.start(), newer.start()])
  await until('both run their share', () => newer.running.size === 3 && other.running.size === 3)
  await until('both tick', ticksFor('newer', 3))
  assert.equal(older.fenced, 'FENCED_INSTANCE_ID')
  assert.deepEqual(interleaved(ticks), [])
})

test('a static member that leaves hands its units over at once', async (t) => {
  const { worker, ticks, ticksFor } = setup(t)
  const [leaves, stays] = [worker('leaves', 'a'), worker('stays', 'b')]
  await leaves.start()
  await stays.start()
  await until('each runs its share', () => leaves.running.size === 3 && stays.running.size === 3)
  await leaves.leave()
  await until('the other runs all', ticksFor('stays', 6))
  assert.deepEqual(overlaps(ticks), [])
})
