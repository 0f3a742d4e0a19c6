import { setTimeout as pause } from 'node:timers/promises'
import { cpuUs, samplePeakRss } from '../process-usage.ts'
import type { Child } from '../support/child.ts'
import { arrived, missing } from '../support/records.ts'
import type { Rig } from '../support/rig.ts'
import type { Runs } from '../support/in-turn.ts'
import { spread, table } from '../support/table.ts'

const MIB = 1024 * 1024
/** A topic that has not grown for this long has all records. */
const QUIET_MS = 500

/** Figures of one program at the full speed of the source. CPU is that of all threads of its process. */
export interface Speed {
  readonly perSecond: number
  readonly cpuUs: number
  readonly peakMiB: number
  readonly lost: number
}

/** What has to be known of a program that brings `count` messages into a topic. */
export type Measured = Pick<Child, 'pid' | 'stop'>

/** Measures from the first record in the topic to the last, by the topic's end offset. */
export async function fullSpeed(
  rig: Rig,
  start: (topic: string) => Promise<Measured>,
  count: number,
  committedOnly = false,
): Promise<Speed> {
  const topic = await rig.topic()
  const child = await start(topic)
  const rss = samplePeakRss(child.pid)
  const startedAt = await rig.reached(topic, 1)
  const before = cpuUs(child.pid)
  let endedAt = await rig.reached(topic, count)
  let cpu = cpuUs(child.pid) - before
  if (committedOnly) {
    // A transaction's marker counts as a record, so the last messages are still to come.
    for (let end = 0; performance.now() < endedAt + QUIET_MS; await pause(20)) {
      const now = await rig.end(topic)
      if (now === end) continue
      end = now
      endedAt = performance.now()
      cpu = cpuUs(child.pid) - before
    }
  }
  const peak = rss.stop()
  await child.stop()
  const messages = await arrived(rig.connection, topic, { committed: committedOnly })
  return {
    perSecond: (count * 1000) / (endedAt - startedAt),
    cpuUs: cpu / count,
    peakMiB: peak / MIB,
    lost: missing(messages, count),
  }
}

/** A program that only receives measures itself, because there is no topic to watch. */
export async function ownReport(child: Child, count: number): Promise<Speed> {
  const [ms, us, rss] = [await child.value('ms'), await child.value('cpu_us'), await child.value('rss')].map(Number)
  await child.stop()
  return { perSecond: (count * 1000) / ms!, cpuUs: us! / count, peakMiB: rss! / MIB, lost: 0 }
}

export function speedTable(title: string, runs: Runs<Speed>): string {
  const rows = [...runs].map(([name, all]) => [
    name,
    spread(all.map((s) => s.perSecond)),
    spread(all.map((s) => s.cpuUs), 1),
    spread(all.map((s) => s.peakMiB)),
    spread(all.map((s) => s.lost)),
  ]) // prettier-ignore
  return table([title, 'messages a second', 'µs CPU a message', 'peak MiB', 'lost'], rows)
}
