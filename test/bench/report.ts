import { cpus } from 'node:os'
import type { Speed } from './speed.ts'
import { STEADY, type Steady } from './steady.ts'
import { table } from './table.ts'

export const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`

export const round = (n: number, digits = 1): number => Number(n.toFixed(digits))

/** Measures one row after the other, and prints each as soon as it is measured. */
export async function measureAll(measures: readonly (() => Promise<Speed>)[]): Promise<Speed[]> {
  const speeds: Speed[] = []
  for (const measure of measures) {
    speeds.push(await measure())
    console.error(JSON.stringify(speeds.at(-1)))
  }
  return speeds
}

/** Messages a second of one row as a share of another's. */
export function ratio(speeds: readonly Speed[], row: string, limit: string): number {
  const speed = (name: string): number => speeds.find((s) => s.name === name)!.messagesPerSecond
  return speed(row) / speed(limit)
}

export function speedTable(speeds: readonly Speed[]): string {
  return table(
    ['', 'msg/s', 'µs CPU', 'peak MiB', 'lost'],
    speeds.map((s) => [s.name, s.messagesPerSecond, round(s.cpuUsPerMessage), round(s.peakRssMiB, 0), s.lost]),
  )
}

export function steadyTable(rows: Readonly<Record<string, Steady>>): string {
  const head = ['', 'p50', 'p99', 'p99.9', 'max', 'peak MiB']
  const cells = Object.entries(rows).map(([name, { p50, p99, p999, max, peakRssMiB }]) => [
    name,
    ...[p50, p99, p999, max].map((n) => round(n)),
    round(peakRssMiB, 0),
  ])
  return `${STEADY.rate.toLocaleString('en')} messages a second, source stamp to broker append, ms\n\n${table(head, cells)}`
}
