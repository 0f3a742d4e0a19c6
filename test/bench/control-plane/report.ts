import { round, table } from '../support/table.ts'
import type { RoundFigures } from './assignment-rounds.ts'
import type { Memory, SizeFigures } from './measure-size.ts'
import type { RequestRate } from './request-rate.ts'

export interface Result {
  readonly machine: string
  readonly figures: readonly SizeFigures[]
  readonly rate: {
    readonly perSecond: number
    readonly seconds: number
    readonly connectors: number
    readonly rates: readonly RequestRate[]
  }
  readonly groups: readonly {
    readonly connectors: number
    readonly tasksEach: number
    readonly rounds: readonly RoundFigures[]
  }[]
}

const KIB = 1024
const MIB = 1024 * KIB

/** All figures as tables. */
export function report({ machine, figures, rate, groups }: Result): string {
  const sections = [
    `${machine}; ×: against the size before, linear is the ratio of the two sizes`,
    times('create all by REST, up to 100 requests at once, ms', figures, {
      '201 for all': (f) => f.created.ms,
      'all RUNNING': (f) => f.runningMs,
      'all streams open': (f) => f.streamsMs,
    }),
    times('CPU until then, ms', figures, {
      'control plane': (f) => f.planeCpuMs,
      'grpc-ingest': (f) => f.workerCpuMs,
    }),
    table(
      ['connectors', 'p99 of one POST, ms', 'refused', 'longest turn: control plane, ms', 'grpc-ingest, ms'],
      figures.map((f) => {
        const ms = [f.created.p99Ms, f.planeTurnMs, f.workerTurnMs].map((n) => round(n))
        return [f.connectors, ms[0]!, f.created.refused, ms[1]!, ms[2]!]
      }),
    ),
    times('GET /connectors?expand=status&expand=info, median of 9, ms', figures, { answer: (f) => f.expand.ms }),
    table(
      ['connectors', 'KiB', 'bytes each'],
      figures.map((f) => [f.connectors, round(f.expand.bytes / KIB), round(f.expand.bytes / f.connectors)]),
    ),
    times('from the start of the process with all of them there, ms', figures, {
      'REST answers': (f) => f.planeStartMs,
      'worker ready': (f) => f.workerReadyMs,
      'all RUNNING': (f) => f.workerRunningMs,
      'all streams open': (f) => f.workerStreamsMs,
      'worker stops': (f) => f.workerStopMs,
    }),
    memory(
      'control plane',
      figures,
      (f) => f.plane,
      (f) => f.planeIdleCpu,
    ),
    memory(
      'grpc-ingest',
      figures,
      (f) => f.worker,
      (f) => f.workerIdleCpu,
    ),
    requestRates(rate),
    ...groups.map(({ connectors, tasksEach, rounds }) => groupRounds(connectors, tasksEach, rounds)),
  ]
  return `\n${sections.join('\n\n')}\n`
}

/** For each size a duration, its share for one connector, and its ratio to the duration of the size before. */
function times(
  title: string,
  figures: readonly SizeFigures[],
  columns: Readonly<Record<string, (figures: SizeFigures) => number>>,
): string {
  const head = ['connectors', ...Object.keys(columns).flatMap((name) => [name, 'each', '×'])]
  const rows = figures.map((f, i) => [
    f.connectors,
    ...Object.values(columns).flatMap((read) => {
      const before = figures[i - 1]
      const ratio = before ? round(read(f) / read(before), 1) : '–'
      return [round(read(f)), round(read(f) / f.connectors, 2), ratio]
    }),
  ])
  return `${title}\n\n${table(head, rows)}`
}

function memory(
  name: string,
  figures: readonly SizeFigures[],
  read: (figures: SizeFigures) => Memory,
  idleCpu: (figures: SizeFigures) => number,
): string {
  const head = ['connectors', 'empty', 'with all', 'KiB each', 'peak', 'after a start', 'KiB each', 'CPU %']
  const rows = figures.map((f) => {
    const { empty, now, peak, restarted } = read(f)
    const each = (bytes: number): number => round((bytes - empty) / f.connectors / KIB)
    const cpu = round(idleCpu(f) * 100, 1)
    return [f.connectors, mib(empty), mib(now), each(now), mib(peak), mib(restarted), each(restarted), cpu]
  })
  return `resident memory of ${name}, MiB, and what it takes of one core while only the streams' messages come\n\n${table(head, rows)}`
}

function requestRates({ perSecond, seconds, connectors, rates }: Result['rate']): string {
  const title = `GET /connectors/{connector} with ${connectors} connectors, ${perSecond} requests a second for ${seconds} s, ms`
  const rows = rates.map(({ name, requests, failed, p50, p99, p999, max }) => [
    name,
    requests,
    failed,
    ...[p50, p99, p999, max].map((ms) => round(ms, 2)),
  ])
  return `${title}\n\n${table(['', 'requests', 'failed', 'p50', 'p99', 'p99.9', 'max'], rows)}`
}

function groupRounds(connectors: number, tasksEach: number, rounds: readonly RoundFigures[]): string {
  const count = (n: number): string => n.toLocaleString('en')
  const title = `rounds of a group, simulated: ${count(connectors)} connectors, ${count(connectors * tasksEach)} tasks`
  const head = ['', 'members', 'placed', 'leader, ms', 'metadata, KiB', 'assignments, KiB', 'largest, KiB']
  const kib = (bytes: number): number => round(bytes / KIB, 1)
  const rows = rounds.map((r) => {
    const bytes = [r.metadataBytes, r.assignmentBytes, r.largestBytes].map(kib)
    return [r.event, r.members, r.placed, round(r.leaderMs, 1), ...bytes]
  })
  return `${title}\n\n${table(head, rows)}`
}

function mib(bytes: number): number {
  return round(bytes / MIB)
}
