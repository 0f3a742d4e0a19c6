import type { Child } from './child.ts'
import { latencies, type Latencies } from './latency.ts'
import { samplePeakRss } from './process-usage.ts'
import type { ConnectorConfig, Rig } from './rig.ts'

const MIB = 1024 * 1024

/** Messages a second, open loop, and the seconds of a run. The first seconds are warm-up. */
export const STEADY = { rate: 10_000, seconds: 20, warmUpSeconds: 3 } as const

export interface Steady extends Latencies {
  readonly peakRssMiB: number
}

/** Measures what a child does with a steady load into a topic with LogAppendTime, and stops the child. */
export async function watchSteady(rig: Rig, child: Child, topic: string): Promise<Steady> {
  const messages = STEADY.rate * STEADY.seconds
  const rss = samplePeakRss(child.pid)
  await rig.reached(topic, messages)
  const peakRssMiB = rss.stop() / MIB
  await child.stop()
  return { ...(await latencies(rig.connection, topic, messages, STEADY.warmUpSeconds * STEADY.rate)), peakRssMiB }
}

/**
 * Time from the start of a service's process to its first record, in ms: the median of five starts with an existing
 * connector.
 */
export async function startUp(rig: Rig, app: string, configOf: (topic: string) => ConnectorConfig): Promise<number> {
  const topic = await rig.topic()
  const cluster = `${rig.run}-${topic}`
  await rig.configure(cluster, configOf(topic))
  const first = rig.startIngest(app, cluster)
  await rig.reached(topic, 1000)
  await first.stop()
  const times: number[] = []
  for (let i = 0; i < 5; i++) {
    const before = await rig.end(topic)
    const startedAt = performance.now()
    const child = rig.startIngest(app, cluster)
    times.push((await rig.reached(topic, before + 1)) - startedAt)
    await child.stop()
  }
  return times.sort((a, b) => a - b)[2]!
}
