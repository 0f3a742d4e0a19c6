import {
  createTaskStats,
  MemoryBudget,
  END_OF_INPUT,
  recordsOf,
  type Props,
  type SourceOffset,
  type SourceRecord,
  type SourceTask,
  type TaskStats,
} from '@tributary/connect-api'
import { systemClock } from '@tributary/connect-runtime'
import { grpcSource } from '@tributary/grpc-ingest'
import { type LogLine, rememberingLog } from '@tributary/telemetry/testing'
import { fixture } from './grpc-ticker.ts'
import { until } from './until.ts'

/** The configuration of a stream of `ticker.v1.Ticker` at a port. */
export function tickerProps(port: number, more: Props = {}): Props {
  return {
    'grpc.server.host': '127.0.0.1',
    'grpc.server.port': String(port),
    'grpc.service.name': 'ticker.v1.Ticker',
    'grpc.method.name': 'Watch',
    'grpc.proto.descriptor': fixture('ticker.desc'),
    'kafka.topic': 'ticks',
    ...more,
  }
}

/** A task without a runtime: the test starts, connects and polls it. */
export interface DrivenTask {
  readonly task: SourceTask
  readonly stats: TaskStats
  readonly log: readonly LogLine[]
  readonly records: readonly SourceRecord[]
  connect(): Promise<void>
  /** Polls once. Returns false at the end of input. */
  poll(): Promise<boolean>
  /** Polls until this many records were returned in total. Returns them. */
  pollTo(count: number): Promise<readonly SourceRecord[]>
  /** Polls until it throws. Returns the error. */
  pollToError(): Promise<unknown>
  /** Polls to the end of input. */
  pollToEnd(): Promise<readonly SourceRecord[]>
  event(name: string): LogLine | undefined
}

export async function driveTask(props: Props, offset: SourceOffset | null = null): Promise<DrivenTask> {
  const task = grpcSource.createTask()
  const stats = createTaskStats()
  const log: LogLine[] = []
  const records: SourceRecord[] = []
  const never = new AbortController().signal
  const poll = async (): Promise<boolean> => {
    const batch = await task.poll(never)
    if (batch === END_OF_INPUT) return false
    records.push(...batch.flatMap(recordsOf))
    return true
  }
  await task.start({
    connector: 'ticks',
    task: 0,
    config: props,
    offset: () => offset,
    log: rememberingLog(log),
    stats,
    memory: new MemoryBudget(Infinity).share(),
    clock: systemClock,
    dataDir: '/nonexistent',
  })
  return {
    task,
    stats,
    log,
    records,
    connect: () => task.connect(never),
    poll,
    async pollTo(count) {
      await until(
        `${count} records`,
        async () => records.length >= count || ((await poll()) && records.length >= count),
      )
      return records
    },
    async pollToError() {
      try {
        while (await poll());
      } catch (error) {
        return error
      }
      throw new Error('the input ended without an error')
    },
    async pollToEnd() {
      while (await poll());
      return records
    },
    event: (name) => log.find((line) => line.event === name),
  }
}

/** The numbers of records, from their resume offsets or their JSON values. */
export function sequences(records: readonly SourceRecord[]): number[] {
  return records.map((record) => Number((JSON.parse(String(record.value)) as { sequence: string }).sequence))
}
