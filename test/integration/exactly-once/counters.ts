import { defineConfig } from '@tributary/config'
import {
  ConfigError,
  type Props,
  type SourcePlugin,
  type SourceRecord,
  type SourceTask,
  type TaskContext,
} from '@tributary/connect-api'

const spec = defineConfig({
  topic: { type: 'string', importance: 'high', doc: 'Where the numbers go.' },
  logs: { type: 'int', importance: 'high', doc: 'How many logs of numbers there are; the tasks share them.' },
  since: { type: 'long', importance: 'high', doc: 'When number 1 came into being, in ms since the epoch.' },
  last: { type: 'long', default: null, importance: 'low', doc: 'The highest number there will ever be.' },
})

/** Numbers that each log gets each second. */
const RATE = 100

export const COUNTERS = 'io.tributary.test.CountersSourceConnector'

/**
 * Logs of numbers 1, 2, 3, … that can be read again from any number. The number of tasks decides which task reads which
 * log.
 */
export const countersSource: SourcePlugin = {
  class: COUNTERS,
  aliases: [],
  version: '1',
  taskClass: 'io.tributary.test.CountersSourceTask',
  connector: {
    spec: spec.data,
    taskConfigs: (config, maxTasks) => {
      const logs = Array.from({ length: Number(config['logs']) }, (_, log) => log)
      const count = Math.min(maxTasks, logs.length)
      return Array.from({ length: count }, (_, task) => {
        return { ...config, assigned: logs.filter((log) => log % count === task).join() }
      })
    },
    exactlyOnce: () => true,
    canDefineTransactionBoundaries: () => true,
    checkOffsets: (config, offsets) => {
      for (const { partition, offset } of offsets) {
        const { log } = partition
        if (!(Number(log) < Number(config['logs']))) {
          throw new ConfigError('COUNTERS', `there is no log ${log}`, { field: 'logs' })
        }
        if (typeof offset?.['number'] === 'bigint') {
          throw new ConfigError('COUNTERS', `log ${log} has no number ${offset['number']}`)
        }
      }
    },
  },
  createTask: () => new CountersTask(),
}

export const OTHERS = 'io.tributary.test.OthersSourceConnector'

/** Another plugin with the same settings. Its values have a prefix. */
export const othersSource: SourcePlugin = {
  ...countersSource,
  class: OTHERS,
  taskClass: 'io.tributary.test.OthersSourceTask',
  createTask: () => new CountersTask('other '),
}

interface Log {
  readonly partition: { readonly log: number }
  next: number
}

class CountersTask implements SourceTask {
  readonly #prefix: string
  #context: TaskContext | null = null
  #logs: Log[] = []

  constructor(prefix = '') {
    this.#prefix = prefix
  }

  start(context: TaskContext): Promise<void> {
    this.#context = context
    this.#logs = (context.config['assigned'] ?? '').split(',').map((log) => {
      const partition = { log: Number(log) }
      return { partition, next: Number(context.offset(partition)?.['number'] ?? 0) + 1 }
    })
    return Promise.resolve()
  }

  connect(): Promise<void> {
    return Promise.resolve()
  }

  async poll(signal: AbortSignal): Promise<SourceRecord[]> {
    const { clock, config } = this.#context!
    await clock.sleep(20, signal)
    const records = this.#logs.flatMap((log) => this.#read(log, headOf(config, clock.now())))
    if (records.length > 0) this.#context!.transaction?.commitTransaction()
    return records
  }

  stop(): Promise<void> {
    return Promise.resolve()
  }

  #read(log: Log, head: number): SourceRecord[] {
    const records: SourceRecord[] = []
    for (; log.next <= head && records.length < 100; log.next++) {
      records.push({
        sourcePartition: log.partition,
        sourceOffset: { number: log.next },
        topic: this.#context!.config['topic']!,
        key: null,
        value: `${this.#prefix}${log.partition.log}:${log.next}`,
        timestamp: null,
      })
    }
    return records
  }
}

export function headOf(config: Props, now: number): number {
  const head = Math.floor(((now - Number(config['since'])) * RATE) / 1000)
  return Math.min(head, Number(config['last'] ?? Infinity))
}

/** The logs' numbers in a topic. */
export interface Counted {
  readonly kept: number
  readonly lost: number
  readonly twice: number
}

export function countNumbers(values: readonly string[], logs: number, last: number): Counted {
  const seen = new Set(values)
  let lost = 0
  for (let log = 0; log < logs; log++) {
    for (let number = 1; number <= last; number++) if (!seen.has(`${log}:${number}`)) lost++
  }
  return { kept: values.length, lost, twice: values.length - seen.size }
}
