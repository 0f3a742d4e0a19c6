import { setTimeout as pause } from 'node:timers/promises'
import { TaskStates } from '../control-plane/task-states.ts'
import { cpuUs, residentBytes } from '../process-usage.ts'
import type { Protocol } from '../streams/protocols.ts'
import type { Feed, Source } from '../streams/source.ts'
import { bareSockets } from '../streams/subjects.ts'
import { arrived, latencies, type Arrived } from '../support/records.ts'
import type { Rig } from '../support/rig.ts'
import { connections, segmentsSent } from '../support/sockets.ts'
import { quantile } from '../support/table.ts'
import type { Tree } from '../support/tree.ts'

const MIB = 1024 * 1024
const PARTITIONS = 8
/** From the moment when all tasks are RUNNING, or all sockets are connected. */
const WARM_UP_MS = 3000

export interface ScaleLoad {
  readonly streams: number
  /** Messages a second of each stream. */
  readonly rate: number
  /** Seconds that are measured. */
  readonly seconds: number
}

/** What a number of streams costs one process. The sockets have only CPU and memory. */
export interface Scale {
  /** CPU of all threads, a message that was due. */
  readonly cpuUs: number
  readonly rssMiB: number
  readonly p50?: number
  readonly p99?: number
  /** The largest p99 of one stream. */
  readonly slowestP99?: number
  readonly toSource?: number
  readonly toKafka?: number
  /** TCP segments with data that are sent to Kafka in a second. */
  readonly requests?: number
  /** From the start of the process until all tasks are RUNNING: of new connectors, and again. */
  readonly newRunningMs?: number
  readonly runningMs?: number
  readonly lost?: number
}

/** Streams without an end, numbered from 1. */
const feedsOf = ({ streams, rate }: ScaleLoad): Feed[] =>
  Array.from({ length: streams }, (_, i) => ({ count: rate * 3600, rate, stream: i + 1 }))

export async function measureService(
  rig: Rig,
  tree: Tree,
  protocol: Protocol,
  source: Source,
  load: ScaleLoad,
): Promise<Scale> {
  const topic = await rig.topic({ stamped: true, partitions: PARTITIONS })
  const configs = feedsOf(load).map((feed) =>
    protocol.connector(source, topic, feed, { name: `bench-${String(feed.stream).padStart(4, '0')}` }),
  )
  const cluster = await rig.cluster(configs)
  const states = await TaskStates.follow(rig.connection, cluster)
  const start = async () => {
    const startedAt = performance.now()
    const service = await rig.startService(tree, protocol.app, cluster)
    await states.running(load.streams, service.admin)
    return { service, runningMs: performance.now() - startedAt }
  }
  const first = await start()
  await first.service.stop()
  const { service, runningMs } = await start()
  await states.stop()
  await pause(WARM_UP_MS)

  const { pid } = service
  const kafkaPort = Number(rig.broker.split(':').at(-1))
  const sourcePort = Number(protocol.name === 'grpc' ? source.grpc : source.http)
  const before = { cpu: cpuUs(pid), segments: segmentsSent(pid, kafkaPort), at: Date.now() }
  await pause(load.seconds * 1000)
  const cpu = cpuUs(pid) - before.cpu
  const elapsed = (Date.now() - before.at) / 1000
  const requests = (segmentsSent(pid, kafkaPort) - before.segments) / elapsed
  const rssMiB = residentBytes(pid).now / MIB
  const [toSource, toKafka] = [connections(pid, sourcePort), connections(pid, kafkaPort)]
  await service.stop()

  const all = await arrived(rig.connection, topic, { partitions: PARTITIONS })
  const measured = all.filter(({ at }) => at >= before.at && at < before.at + elapsed * 1000)
  const { p50, p99 } = latencies(measured)
  return {
    cpuUs: cpu / (load.streams * load.rate * elapsed),
    rssMiB,
    p50,
    p99,
    slowestP99: Math.max(...p99s(measured)),
    toSource,
    toKafka,
    requests,
    newRunningMs: first.runningMs,
    runningMs,
    lost: gaps(all),
  }
}

/** As many bare sockets. `pauseMs`: how long all pause after a read. */
export async function measureSockets(
  protocol: Protocol,
  source: Source,
  load: ScaleLoad,
  pauseMs: number,
): Promise<Scale> {
  const child = bareSockets(protocol, source, feedsOf(load), { pauseMs })
  await child.value('started')
  await pause(WARM_UP_MS)
  const before = cpuUs(child.pid)
  const startedAt = performance.now()
  await pause(load.seconds * 1000)
  const cpu = cpuUs(child.pid) - before
  const elapsed = (performance.now() - startedAt) / 1000
  const rssMiB = residentBytes(child.pid).now / MIB
  await child.stop()
  return { cpuUs: cpu / (load.streams * load.rate * elapsed), rssMiB }
}

function p99s(messages: readonly Arrived[]): number[] {
  return [...Map.groupBy(messages, ({ stream }) => stream).values()].map((own) =>
    quantile(own.map(({ lateMs }) => lateMs).sort((a, b) => a - b), 0.99),
  ) // prettier-ignore
}

/** Numbers that are missing below the highest of their stream. */
function gaps(messages: readonly Arrived[]): number {
  let sum = 0
  for (const own of Map.groupBy(messages, ({ stream }) => stream).values()) {
    const numbers = new Set(own.map(({ sequence }) => sequence))
    sum += [...numbers].reduce((most, n) => Math.max(most, n), 0) - numbers.size
  }
  return sum
}
