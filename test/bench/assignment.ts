import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { sharedKafka } from '@tributary/harness'
import { overlaps, UnitWorker, type Tick } from '../support/unit-worker.ts'
import { until } from '../support/until.ts'

/**
 * Measures what a rebalance costs: three members with a session of 10 s run 12 units, each of which ticks every 20 ms.
 * Prints for each event how long the moved units paused, and the longest gap of the units that did not move, beside a
 * control run without an event.
 *
 * npx node test/bench/assignment.ts
 */
const { brokers } = await sharedKafka()
const groupId = `bench-${randomUUID()}`
const units = Array.from({ length: 12 }, (_, n) => `u${n}`)
const sessionTimeoutMs = 10_000
let ticks: Tick[] = []

function worker(name: string): UnitWorker {
  const onTick = (tick: Tick): void => void ticks.push(tick)
  return new UnitWorker({ brokers, groupId, name, units: () => units, sessionTimeoutMs, onTick })
}
const shares = (count: number, ...workers: UnitWorker[]): (() => boolean) => {
  return () => workers.every((w) => w.running.size === count)
}
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

interface Row {
  readonly event: string
  readonly moved: number
  readonly movedPauseMs: string
  readonly unmovedGapMs: string
}
const rows: Row[] = []

/** Longest gap of each unit while `act` runs and a second after it. A unit moved when its epoch changed. */
async function measure(event: string, act: () => Promise<void>): Promise<void> {
  await pause(1000)
  // The last ticks before the event show where a unit was.
  const from = Date.now() - 200
  ticks = ticks.filter((tick) => tick.at > from)
  await act()
  await pause(1000)
  const found = overlaps(ticks)
  if (found.length > 0) throw new Error(`${event}: two members had one unit: ${found.join('; ')}`)
  const moved: number[] = []
  const unmoved: number[] = []
  for (const own of Map.groupBy(
    [...ticks].sort((a, b) => a.at - b.at),
    (tick) => tick.unit,
  ).values()) {
    const gaps = own.slice(1).map((tick, i) => tick.at - own[i]!.at)
    const list = new Set(own.map((tick) => tick.epoch)).size > 1 ? moved : unmoved
    list.push(Math.max(...gaps))
  }
  const range = (list: number[]): string => (list.length ? `${Math.min(...list)}-${Math.max(...list)}` : '–')
  rows.push({ event, moved: moved.length, movedPauseMs: range(moved), unmovedGapMs: range(unmoved) })
}

const a = worker('a')
await a.start()
await until('all units run', shares(12, a))
await measure('control run, nothing happens', () => pause(3000))

const [b, c] = [worker('b'), worker('c')]
await measure('1 → 3 members', async () => {
  await Promise.all([b.start(), c.start()])
  await until('shared by three', shares(4, a, b, c))
})
await measure('a member leaves', async () => {
  await c.leave()
  await until('shared by two', shares(6, a, b))
})
await measure('the leader leaves', async () => {
  const [leader, other] = a.member.isLeader ? [a, b] : [b, a]
  await leader.leave()
  await until('run by one', shares(12, other))
})

const survivor = a.running.size === 12 ? a : b
const file = new URL('../support/unit-worker-process.ts', import.meta.url).pathname
const args = [file, brokers.join(','), groupId, 'victim', units.join(','), String(sessionTimeoutMs)]
const victim = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
createInterface({ input: victim.stdout }).on('line', (line) => ticks.push(JSON.parse(line) as Tick))
await until('the victim has its share', () => ticks.some((tick) => tick.worker === 'victim'))
await measure('kill -9 of one of two', async () => {
  victim.kill('SIGKILL')
  await until('run by one', shares(12, survivor), 30_000)
})

console.log(JSON.stringify({ bench: 'assignment', sessionTimeoutMs, rows }))
console.table(rows)
await survivor.close()
process.exit(0)
