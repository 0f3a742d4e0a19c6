/**
 * What each service holds: `npm run bench -- memory [grpc|ws|sse|control-plane] [--against PATH]`. Memory is read some
 * seconds after the load began, without a forced collection. Uses KAFKA_BROKERS, or starts a broker.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { requestRate } from '../control-plane/request-rate.ts'
import { residentBytes } from '../process-usage.ts'
import { inTurn, type Runs, type Subject } from '../support/in-turn.ts'
import { readOptions } from '../support/options.ts'
import { type Protocol, protocols } from '../streams/protocols.ts'
import { type Feed, startSource } from '../streams/source.ts'
import { warmUp } from '../streams/subjects.ts'
import { Rig, type Service } from '../support/rig.ts'
import { spread, table } from '../support/table.ts'
import { type Tree, trees } from '../support/tree.ts'

const MIB = 1024 * 1024
const PLANE = 'control-plane'

/** In MiB. */
interface Memory {
  readonly rss: number
  readonly peak: number
  readonly heapUsed: number
  readonly heapTotal: number
  readonly external: number
}

const options = readOptions(['grpc', 'ws', 'sse', PLANE] as const, ['pairs', 'seconds'])
const pairs = options.number('pairs', 2)
const seconds = options.number('seconds', 10)
const rig = await Rig.create()
const all = await trees(options.folders)
const source = await startSource()
const endless = 1_000_000_000
/** Feeds that last as long as the measurement. */
const LOADS: Readonly<Record<string, Feed | null>> = {
  idle: null,
  'a stream at 10,000 a second': { count: endless, rate: 10_000 },
  'a stream at full speed': { count: endless },
}

async function memoryOf({ pid, admin }: Service): Promise<Memory> {
  const { now, peak } = residentBytes(pid)
  const metrics = await (await fetch(`http://${admin}/metrics`)).text()
  const mib = (kind: string): number => {
    const line = new RegExp(`^tributary_process_memory_bytes\\{[^}]*kind="${kind}"[^}]*\\} (\\S+)`, 'm').exec(metrics)
    return Number(line?.[1]) / MIB
  }
  const [heapUsed, heapTotal, external] = [mib('heap_used'), mib('heap_total'), mib('external')]
  return { rss: now / MIB, peak: peak / MIB, heapUsed, heapTotal, external }
}

/** A service with one connector, or without. */
async function measureIngest(tree: Tree, protocol: Protocol, feed: Feed | null): Promise<Memory> {
  const topic = await rig.topic()
  const cluster = await rig.cluster(feed === null ? [] : [protocol.connector(source, topic, feed)])
  const service = await rig.startService(tree, protocol.app, cluster)
  await service.value('address')
  if (feed !== null) await rig.reached(topic, 1)
  await pause(seconds * 1000)
  const memory = await memoryOf(service)
  await service.stop()
  return memory
}

/** A control plane beside a service with one connector, and `requests` a second of its status. */
async function measurePlane(tree: Tree, connectors: number, requests: number): Promise<Memory> {
  const topic = await rig.topic()
  const feed = { count: endless, rate: 10 }
  const configs = connectors === 0 ? [] : [protocols.grpc.connector(source, topic, feed)]
  const cluster = await rig.cluster(configs)
  const worker = connectors === 0 ? null : await rig.startService(tree, 'grpc-ingest', cluster)
  if (worker) await rig.reached(topic, 1)
  const plane = await rig.startService(tree, PLANE, cluster)
  await plane.value('address')
  const url = `http://${plane.rest}/connectors/bench/status`
  if (requests > 0) await requestRate({ name: '', url, rate: requests, seconds })
  else await pause(seconds * 1000)
  const memory = await memoryOf(plane)
  await plane.stop()
  await worker?.stop()
  return memory
}

function memoryTable(title: string, runs: Runs<Memory>): string {
  const columns = ['rss', 'peak', 'heapUsed', 'heapTotal', 'external'] as const
  const rows = [...runs].map(([name, all]) => [name, ...columns.map((column) => spread(all.map((m) => m[column])))])
  return table([`${title}, MiB`, 'resident', 'peak', 'heap used', 'heap', 'external'], rows)
}

async function print(title: string, subjects: readonly Subject<Memory>[]): Promise<void> {
  console.log(`\n${memoryTable(title, await inTurn(pairs, subjects, () => rig.clean()))}`)
}

const named = (tree: Tree, what: string): string => (all.length === 1 ? what : `${what}, ${tree.name}`)
for (const section of options.sections) {
  if (section === PLANE) continue
  const protocol = protocols[section]
  await warmUp(rig, all, protocol.app)
  const subjects = Object.entries(LOADS).flatMap(([what, feed]) =>
    all.map((tree) => ({ name: named(tree, what), measure: () => measureIngest(tree, protocol, feed) })),
  )
  await print(protocol.app, subjects)
}
if (options.sections.has(PLANE)) {
  await warmUp(rig, all, PLANE)
  const loads = { idle: [0, 0], 'one connector': [1, 0], '500 requests a second': [1, 500] } as const
  const subjects = Object.entries(loads).flatMap(([what, [connectors, requests]]) =>
    all.map((tree) => ({ name: named(tree, what), measure: () => measurePlane(tree, connectors, requests) })),
  )
  await print(PLANE, subjects)
}
await source.process.stop()
await rig.close()
