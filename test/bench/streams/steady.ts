import { setTimeout as pause } from 'node:timers/promises'
import { cpuUs, residentBytes } from '../process-usage.ts'
import type { Child } from '../support/child.ts'
import type { Runs } from '../support/in-turn.ts'
import { arrived, latencies, type Latencies, missing } from '../support/records.ts'
import type { Rig } from '../support/rig.ts'
import { spread, table } from '../support/table.ts'
import type { Protocol } from './protocols.ts'
import type { Feed, Source } from './source.ts'
import { bareSockets, type Pipe } from './subjects.ts'

const MIB = 1024 * 1024

/** A steady load, open loop. */
export interface Load {
  /** Messages a second. */
  readonly rate: number
  /** Seconds that are measured after the first two. */
  readonly seconds: number
  /** Seconds of silence after these, before one more second of messages; 0: none. */
  readonly idleSeconds: number
}

/** Seconds before the measured ones, of which the first is shown apart. */
const FIRST = 1
const WARM_UP = 2

/** A part of a run. CPU is that of all threads of the process, a message. */
export interface Phase extends Partial<Latencies> {
  readonly cpuUs: number
}

export interface Steady {
  readonly steady: Phase
  readonly first: Phase
  /** The first second after the silence. */
  readonly again: Phase | undefined
  /** Memory at the end of the steady part, and its peak. */
  readonly rssMiB: number
  readonly peakMiB: number
  readonly lost: number
  /** Full collections in the steady part. */
  readonly collections: number
}

export function feedOf({ rate, seconds, idleSeconds }: Load): Feed {
  const again = idleSeconds > 0 ? { idleMs: idleSeconds * 1000, again: rate } : {}
  return { count: rate * (WARM_UP + seconds), rate, ...again }
}

/** Measures what a pipe does with a steady load into a topic with the broker's time stamps, and stops the pipe. */
export async function steady(rig: Rig, pipe: Pipe, source: Source, load: Load): Promise<Steady> {
  const feed = feedOf(load)
  const topic = await rig.topic({ stamped: true })
  const child = await pipe.start(source, topic, feed)
  await rig.reached(topic, 1)
  // The first record may be late, and the source does not wait for it.
  const { at, lateMs } = (await arrived(rig.connection, topic))[0]!
  const used = await cpuOfPhases(child, load, at - lateMs)
  const total = feed.count + (feed.again ?? 0)
  await rig.reached(topic, total, 15_000)
  await child.stop()
  const messages = await arrived(rig.connection, topic)
  const part = (from: number, to: number): Latencies =>
    latencies(messages.filter(({ sequence }) => sequence > from && sequence <= to))
  return {
    steady: { ...part(load.rate * WARM_UP, feed.count), cpuUs: used.steady },
    first: { ...part(0, load.rate * FIRST), cpuUs: used.first },
    again: load.idleSeconds > 0 ? { ...part(feed.count, total), cpuUs: used.again } : undefined,
    rssMiB: used.rssMiB,
    peakMiB: used.peakMiB,
    lost: missing(messages, total),
    collections: used.collections,
  }
}

/** The same of a socket that only counts bytes, and pauses for 1 ms after each read. */
export async function steadySocket(protocol: Protocol, source: Source, load: Load): Promise<Steady> {
  const child = bareSockets(protocol, source, [feedOf(load)], { pauseMs: 1 })
  await child.value('started')
  const { first, steady, again, ...memory } = await cpuOfPhases(child, load, Date.now())
  await child.stop()
  const apart = load.idleSeconds > 0 ? { cpuUs: again } : undefined
  return { steady: { cpuUs: steady }, first: { cpuUs: first }, again: apart, ...memory, lost: 0 }
}

/** CPU of each phase. `origin`: when the first message was due, in ms since the epoch. */
async function cpuOfPhases({ pid, fullCollections }: Child, { rate, seconds, idleSeconds }: Load, origin: number) {
  const at = async (second: number): Promise<number> => {
    await pause(Math.max(0, origin + second * 1000 - Date.now()))
    return cpuUs(pid)
  }
  const begin = cpuUs(pid)
  const late = Math.max(0, Date.now() - origin) / 1000
  const first = ((await at(late + FIRST)) - begin) / (rate * (late + FIRST))
  const warm = await at(WARM_UP)
  const collectedBefore = fullCollections()
  const steady = ((await at(WARM_UP + seconds)) - warm) / (rate * seconds)
  const collections = fullCollections() - collectedBefore
  const { now, peak } = residentBytes(pid)
  let again = NaN
  if (idleSeconds > 0) {
    const silent = await at(WARM_UP + seconds + idleSeconds)
    again = ((await at(WARM_UP + seconds + idleSeconds + 1)) - silent) / rate
  }
  return { first, steady, again, rssMiB: now / MIB, peakMiB: peak / MIB, collections }
}

export function steadyTable(title: string, runs: Runs<Steady>, { idleSeconds }: Load): string {
  const rows = [...runs].flatMap(([name, all]) => {
    const row = (label: string, phases: readonly Phase[], memory: readonly string[]): string[] => {
      const ms = (value: (phase: Phase) => number | undefined): string =>
        value(phases[0]!) === undefined ? '–' : spread(phases.map((phase) => value(phase)!), 1) // prettier-ignore
      const cpu = spread(phases.map((phase) => phase.cpuUs), 1) // prettier-ignore
      return [label, cpu, ms((p) => p.p50), ms((p) => p.p99), ms((p) => p.p999), ms((p) => p.max), ...memory]
    }
    const memory = (['rssMiB', 'collections', 'lost'] as const).map((column) => spread(all.map((s) => s[column])))
    const again = all.flatMap((s) => s.again ?? [])
    return [
      row(name, all.map((s) => s.steady), memory),
      row(`${name}, first second`, all.map((s) => s.first), ['', '', '']),
      ...(again.length > 0 ? [row(`${name}, second after ${idleSeconds} s of silence`, again, ['', '', ''])] : []),
    ] // prettier-ignore
  })
  return table(
    [title, 'µs CPU a message', 'p50 ms', 'p99 ms', 'p99.9 ms', 'max ms', 'MiB', 'full collections', 'lost'],
    rows,
  )
}
