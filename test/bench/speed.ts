import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Child } from './child.ts'
import { cpuUs, samplePeakRss } from './process-usage.ts'
import { missingSequences } from './read-topic.ts'
import type { Rig } from './rig.ts'

const MIB = 1024 * 1024

/** Figures of one program at the full speed of the source. */
export interface Speed {
  readonly name: string
  readonly messagesPerSecond: number
  readonly cpuUsPerMessage: number
  readonly peakRssMiB: number
  readonly lost: number
}

/** The producer alone, in a process of its own (test/bench/producer.ts), at full speed. */
export async function produceOnly(brokers: readonly string[], recordBytes: number): Promise<Speed> {
  const args = [join(import.meta.dirname, 'producer.ts'), '5', 'platformatic', 'full', String(recordBytes)]
  const env = { ...process.env, KAFKA_BROKERS: brokers.join() }
  const { stdout } = await promisify(execFile)(process.execPath, args, { env })
  const row = JSON.parse(stdout) as { messagesPerSecond: number; cpuMicrosPerMessage: number; peakRssMiB: number; lost: number } // prettier-ignore
  const { messagesPerSecond, cpuMicrosPerMessage, peakRssMiB, lost } = row
  return { name: 'produce only', messagesPerSecond, cpuUsPerMessage: cpuMicrosPerMessage, peakRssMiB, lost }
}

/** A program that only receives `count` messages. It measures itself, because there is no topic to watch. */
export async function ownReport(name: string, child: Child, count: number): Promise<Speed> {
  const [ms, us, rss] = [await child.value('ms'), await child.value('cpu_us'), await child.value('rss')].map(Number)
  await child.stop()
  return {
    name,
    messagesPerSecond: Math.round((count * 1000) / ms!),
    cpuUsPerMessage: us! / count,
    peakRssMiB: rss! / MIB,
    lost: 0,
  }
}

export interface Watched {
  readonly name: string
  readonly child: Child
  readonly topic: string
  /** Messages that the source sends. */
  readonly count: number
  readonly committedOnly?: boolean
}

/**
 * Measures from the first record in the topic to the last, by the topic's end offset. Then stops the child and reads
 * the topic.
 */
export async function watchTopic(rig: Rig, { name, child, topic, count, committedOnly }: Watched): Promise<Speed> {
  const rss = samplePeakRss(child.pid)
  const startedAt = await rig.reached(topic, 1)
  const cpuBefore = cpuUs(child.pid)
  const endedAt = await rig.reached(topic, count)
  const cpu = cpuUs(child.pid) - cpuBefore
  const peak = rss.stop()
  await child.stop()
  return {
    name,
    messagesPerSecond: Math.round((count * 1000) / (endedAt - startedAt)),
    cpuUsPerMessage: cpu / count,
    peakRssMiB: peak / MIB,
    lost: await missingSequences(rig.connection, topic, count, committedOnly === true),
  }
}
