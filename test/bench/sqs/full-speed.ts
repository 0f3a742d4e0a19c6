import { cpuUs, samplePeakRss } from '../process-usage.ts'
import { ownReport, type Speed } from '../streams/full-speed.ts'
import { startScript } from '../support/child.ts'
import { arrived, missing } from '../support/records.ts'
import type { Rig } from '../support/rig.ts'
import type { Tree } from '../support/tree.ts'
import { connector, type Queues } from './queues.ts'

const MIB = 1024 * 1024

/** Where a program's CPU went, in parts of 1, the waiting left out. */
export interface Shares {
  readonly sdk: number
  readonly node: number
  readonly gc: number
  readonly own: number
}

/** A full queue, read and emptied by `raw-client.ts`. */
export async function rawSpeed(queues: Queues, kind: 'sdk' | 'http', lanes: number, count: number): Promise<Speed> {
  const queue = await queues.queue()
  await queues.send(queue, count)
  const speed = await ownReport(startScript('sqs/raw-client.ts', [kind, queue, String(lanes), String(count)]), count)
  await queues.remove(queue)
  return speed
}

/** The same under the profiler of the process itself. */
export async function rawProfile(queues: Queues, kind: 'sdk' | 'http', lanes: number, count: number): Promise<Shares> {
  const queue = await queues.queue()
  await queues.send(queue, count)
  const child = startScript('sqs/raw-client.ts', [kind, queue, String(lanes), String(count), 'profile'])
  const [sdk, node, gc, own] = (await Promise.all(['sdk', 'node', 'gc', 'own'].map((part) => child.value(part)))).map(Number) // prettier-ignore
  await child.stop()
  await queues.remove(queue)
  const all = sdk! + node! + gc! + own!
  return { sdk: sdk! / all, node: node! / all, gc: gc! / all, own: own! / all }
}

/** From the first record in the topic to the moment when the topic has all and the queue is empty. */
export async function pipelineSpeed(
  rig: Rig,
  tree: Tree,
  queues: Queues,
  count: number,
  extra: Readonly<Record<string, string>> = {},
): Promise<Speed> {
  const [topic, queue] = await Promise.all([rig.topic(), queues.queue()])
  await queues.send(queue, count)
  const cluster = await rig.cluster([connector(queue, topic, extra)])
  const child = await rig.startService(tree, 'sqs-ingest', cluster)
  const rss = samplePeakRss(child.pid)
  const startedAt = await rig.reached(topic, 1)
  const before = cpuUs(child.pid)
  const hasAll = await rig.reached(topic, count)
  const endedAt = Math.max(hasAll, await queues.emptied(queue))
  const cpu = cpuUs(child.pid) - before
  const peak = rss.stop()
  await child.stop()
  const messages = await arrived(rig.connection, topic)
  await queues.remove(queue)
  return {
    perSecond: (count * 1000) / (endedAt - startedAt),
    cpuUs: cpu / count,
    peakMiB: peak / MIB,
    lost: missing(messages, count),
  }
}
