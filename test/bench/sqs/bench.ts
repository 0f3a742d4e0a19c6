/**
 * What one queue costs: `npm run bench -- sqs [sections] [options]`. ElasticMQ on this machine is the queue, a program in Go the
 * sender. Needs Java, Go and a quiet machine; uses KAFKA_BROKERS, or starts a broker.
 *
 * Sections: `full` (a full queue: the raw client in lanes, and the pipeline), `profile` (where the raw client's CPU goes), `rate`
 * (an open loop), `idle` (an empty queue).
 */
import { ratios, inTurn, type Subject } from '../support/in-turn.ts'
import { type Speed, speedTable } from '../streams/full-speed.ts'
import { warmUp } from '../streams/subjects.ts'
import { readOptions } from '../support/options.ts'
import { Rig } from '../support/rig.ts'
import { machine, median, spread, table } from '../support/table.ts'
import { trees } from '../support/tree.ts'
import { pipelineSpeed, rawProfile, rawSpeed } from './full-speed.ts'
import { Queues } from './queues.ts'
import { idle, steady } from './steady.ts'

const LANES = [1, 4, 16]
const MOST_LANES = LANES.at(-1)!

const options = readOptions(['full', 'profile', 'rate', 'idle'] as const, [
  'pairs',
  'messages',
  'rate',
  'seconds',
  'idle',
])
const pairs = options.number('pairs', 3)
const count = options.number('messages', 20_000)
const all = await trees(options.folders)
const [rig, queues] = await Promise.all([Rig.create(), Queues.create()])
const print = (text: string): void => console.log(`\n${text}`)
const after = (): Promise<void> => rig.clean()

print(`${machine}; medians of ${pairs}, and the range`)
// The first load is ElasticMQ's and Node's warm-up.
await rawSpeed(queues, 'sdk', MOST_LANES, count)
if (!options.sections.has('profile') || options.sections.size > 1) await warmUp(rig, all, 'sqs-ingest')

if (options.sections.has('full')) {
  const raw = (kind: 'sdk' | 'http', name: string, lanes: number): Subject<Speed> => ({
    name: `${name}, ${lanes} ${lanes === 1 ? 'lane' : 'lanes'}`,
    measure: () => rawSpeed(queues, kind, lanes, count),
  })
  const limits = LANES.map((lanes) => raw('sdk', 'raw client', lanes))
  const ours = all.map((tree) => ({ name: tree.name, measure: () => pipelineSpeed(rig, tree, queues, count) }))
  const subjects = options.alone ? ours : [...limits, raw('http', 'node:http', MOST_LANES), ...ours]
  const runs = await inTurn(pairs, subjects, after)
  print(speedTable('a full queue', runs))
  const speed = (name: string): number => median(runs.get(name)!.map((figures) => figures.perSecond))
  const best = limits.map(({ name }) => name).filter((name) => runs.has(name)).sort((a, b) => speed(b) - speed(a))[0] // prettier-ignore
  for (const limit of ['before', ...(best === undefined ? [] : [best])].filter((name) => runs.has(name))) {
    const rate = spread(ratios(runs, 'Tributary', limit, (s) => s.perSecond), 2) // prettier-ignore
    const cpu = spread(ratios(runs, 'Tributary', limit, (s) => s.cpuUs), 2) // prettier-ignore
    print(`Tributary / ${limit}: ${rate} of the messages a second, ${cpu} of the CPU a message`)
  }
}
if (options.sections.has('profile')) {
  const subjects = (['sdk', 'http'] as const).map((kind) => ({
    name: kind === 'sdk' ? 'raw client' : 'node:http',
    measure: () => rawProfile(queues, kind, MOST_LANES, count),
  }))
  const runs = await inTurn(pairs, subjects, after)
  const percent = (values: readonly number[]): string => `${spread(values.map((value) => value * 100))} %`
  const rows = [...runs].map(([name, shares]) => [
    name,
    percent(shares.map((s) => s.sdk)),
    percent(shares.map((s) => s.node)),
    percent(shares.map((s) => s.gc)),
    percent(shares.map((s) => s.own)),
  ])
  print(table([`CPU of ${MOST_LANES} lanes`, "the SDK's own code", 'Node', 'garbage collection', 'the program'], rows))
}
if (options.sections.has('rate')) {
  const [rate, seconds] = [options.number('rate', 200), options.number('seconds', 8)]
  const subjects = all.map((tree) => ({ name: tree.name, measure: () => steady(rig, tree, queues, rate, seconds) }))
  const rows = [...(await inTurn(pairs, subjects, after))].map(([name, runs]) => [
    name,
    spread(runs.map((s) => s.cpuUs), 1),
    spread(runs.map((s) => s.p50), 1),
    spread(runs.map((s) => s.p99), 1),
    spread(runs.map((s) => s.max), 1),
    spread(runs.map((s) => s.taken.p50), 1),
    spread(runs.map((s) => s.taken.p99), 1),
    spread(runs.map((s) => s.lost)),
    spread(runs.map((s) => Object.values(s.requests).reduce((sum, n) => sum + n, 0)), 2),
  ]) // prettier-ignore
  print(table([`${rate} messages a second`, 'µs CPU a message', 'p50 ms', 'p99 ms', 'max ms', 'p50 ms since SQS took it', 'p99 ms', 'lost', 'requests a message'], rows)) // prettier-ignore
}
if (options.sections.has('idle')) {
  for (const tree of all) {
    const { perDay, cpuMs } = await idle(rig, tree, queues, options.number('idle', 60))
    print(
      `${tree.name}, an empty queue, requests a day: ${JSON.stringify(perDay)}; ${cpuMs.toFixed(1)} ms CPU a second`,
    )
  }
}
await rig.close()
await queues.close()
