import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { KafkaConnection } from '@tributary/config'
import { grpc } from '../streams/protocols.ts'
import { cpuUs, residentBytes } from '../process-usage.ts'
import { Installation, type Started } from './installation.ts'
import { createAll, type Created, timeGet } from './rest-load.ts'
import { TaskStates } from './task-states.ts'

/** Memory of one process, in bytes. */
export interface Memory {
  /** Before the first connector. */
  readonly empty: number
  /** Some seconds after all connectors were RUNNING. */
  readonly now: number
  readonly peak: number
  /** Some seconds after a start of the process while all connectors exist. */
  readonly restarted: number
}

/** The cost of a number of connectors. Times are in ms. */
export interface SizeFigures {
  readonly connectors: number
  readonly created: Created
  /** From the first POST until every task is RUNNING, and until the source has every stream. */
  readonly runningMs: number
  readonly streamsMs: number
  /** CPU time of each of the two processes until then, in ms. */
  readonly planeCpuMs: number
  readonly workerCpuMs: number
  /** Longest turn of their event loops until then, in ms. */
  readonly planeTurnMs: number
  readonly workerTurnMs: number
  readonly plane: Memory
  readonly worker: Memory
  /** Share of one core that each process takes while only the streams' messages arrive. */
  readonly planeIdleCpu: number
  readonly workerIdleCpu: number
  readonly expand: { readonly ms: number; readonly bytes: number }
  /** From the start of the process while all connectors exist: until REST answers; until ready, RUNNING, streaming. */
  readonly planeStartMs: number
  readonly workerReadyMs: number
  readonly workerRunningMs: number
  readonly workerStreamsMs: number
  readonly workerStopMs: number
}

export interface SizeOptions {
  readonly connection: KafkaConnection
  readonly cluster: string
  readonly logs: string
  readonly topic: string
  readonly source: { readonly port: string; openStreams(): Promise<number> }
  readonly connectors: number
  /** Makes more measurements while all connectors run. Gets host:port of the REST API. */
  readonly whileRunning?: (rest: string, connector: string) => Promise<void>
}

const SETTLE_MS = 3000
const STREAMS_TIMEOUT_MS = 180_000

/**
 * Measures one control plane and one grpc-ingest in a cluster of their own, with that many connectors of one stream
 * each.
 */
export async function measureSize(options: SizeOptions): Promise<SizeFigures> {
  const { connection, cluster, source, connectors, topic } = options
  const installation = new Installation(options)
  const states = await TaskStates.follow(connection, cluster)
  let [plane, worker] = await Promise.all([installation.startControlPlane(), installation.startWorker()])
  await pluginListed(plane.address)
  await pause(SETTLE_MS)
  const empty = { plane: residentBytes(plane.pid).now, worker: residentBytes(worker.pid).now }

  const configs = Array.from({ length: connectors }, (_, i) => {
    const name = `orders-of-region-${String(i).padStart(4, '0')}`
    // Each connector has a secret, which no log line may contain.
    const secret = { 'grpc.metadata': `authorization:Bearer ${randomUUID()}` }
    return grpc.connector({ grpc: source.port, http: '' }, topic, { count: 0 }, { name, ...secret })
  })
  const cpuMs = (): [number, number] => [cpuUs(plane.pid) / 1000, cpuUs(worker.pid) / 1000]
  const before = cpuMs()
  await Promise.all([plane.longestTurnMs(), worker.longestTurnMs()])
  const startedAt = performance.now()
  const since = async (done: Promise<void>): Promise<number> => {
    await done
    return performance.now() - startedAt
  }
  const [created, runningMs, streamsMs] = await Promise.all([
    createAll(plane.address, configs),
    since(states.running(connectors, worker.address)),
    since(streaming(source, connectors)),
  ])
  const [planeCpuMs, workerCpuMs] = cpuMs().map((ms, i) => ms - before[i]!) as [number, number]
  const [planeTurnMs, workerTurnMs] = await Promise.all([plane.longestTurnMs(), worker.longestTurnMs()])
  await pause(SETTLE_MS)
  const [planeIdleCpu, workerIdleCpu] = await cpuShares([plane, worker])
  const grown = { plane: residentBytes(plane.pid), worker: residentBytes(worker.pid) }
  const expand = await timeGet(plane.address, '/connectors?expand=status&expand=info')
  if (Object.keys(JSON.parse(expand.body) as object).length !== connectors) throw new Error('not all are in the answer')
  await options.whileRunning?.(plane.address, configs[Math.floor(connectors / 2)]!.name)

  await plane.stop()
  plane = await installation.startControlPlane()
  const workerStopMs = await worker.stop()
  const restartedAt = performance.now()
  const running = async (started: Promise<Started>): Promise<number> => {
    await states.running(connectors, (await started).address)
    return performance.now() - restartedAt
  }
  await streaming(source, 0)
  const starting = installation.startWorker()
  const [workerRunningMs, workerStreamsMs] = await Promise.all([
    running(starting),
    streaming(source, connectors).then(() => performance.now() - restartedAt),
  ])
  worker = await starting
  await pause(SETTLE_MS)
  const restarted = { plane: residentBytes(plane.pid).now, worker: residentBytes(worker.pid).now }
  await Promise.all([plane.stop(), worker.stop(), states.stop()])
  return {
    connectors,
    created,
    runningMs,
    streamsMs,
    planeCpuMs,
    workerCpuMs,
    planeTurnMs,
    workerTurnMs,
    plane: { empty: empty.plane, ...grown.plane, restarted: restarted.plane },
    worker: { empty: empty.worker, ...grown.worker, restarted: restarted.worker },
    planeIdleCpu,
    workerIdleCpu,
    expand: { ms: expand.ms, bytes: Buffer.byteLength(expand.body) },
    planeStartMs: plane.startMs,
    workerReadyMs: worker.startMs,
    workerRunningMs,
    workerStreamsMs,
    workerStopMs,
  }
}

/** Waits for the worker's plugin: before it is published no connector can be created. */
async function pluginListed(rest: string): Promise<void> {
  while ((await (await fetch(`http://${rest}/connector-plugins`)).text()) === '[]') await pause(20)
}

async function streaming(source: SizeOptions['source'], count: number): Promise<void> {
  const deadline = performance.now() + STREAMS_TIMEOUT_MS
  for (;;) {
    const open = await source.openStreams()
    if (open === count) return
    if (performance.now() > deadline) throw new Error(`the source has ${open} streams instead of ${count}`)
    await pause(10)
  }
}

/** Measures over 4 s, in which each stream has one message. */
async function cpuShares(processes: readonly [Started, Started]): Promise<[number, number]> {
  const before = processes.map(({ pid }) => cpuUs(pid))
  const startedAt = performance.now()
  await pause(4000)
  const us = (performance.now() - startedAt) * 1000
  const share = (i: 0 | 1): number => (cpuUs(processes[i].pid) - before[i]!) / us
  return [share(0), share(1)]
}
