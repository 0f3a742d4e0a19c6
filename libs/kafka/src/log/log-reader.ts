import type { KafkaConnection } from '@tributary/config'
import { listOffsets } from '../admin/admin.ts'
import { Cluster, leadersOf } from '../cluster/cluster.ts'
import { KafkaError } from '../cluster/errors.ts'
import type { LogRecord } from './committed-records.ts'
import { scan } from './read-partition.ts'

/** Where a record is. */
export interface RecordAddress {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
}

/** Records between two wanted ones that are read with them, since another request would cost more. */
const NEAR = 256n
/** Parts of logs that are read at a time. */
const AT_ONCE = 8
/** Bytes of an answer for each wanted record, and the least and the most of an answer. A broker sends one whole batch at least. */
const BYTES_EACH = 4096n
const MIN_BYTES = 16 << 10
const MAX_BYTES = 1 << 20
/** ms for which the leaders of a topic are kept. */
const LEADERS_MS = 10_000

/** Reads records of any topics by their addresses, and logs from an offset on, read_committed, over connections that it keeps. */
export class LogReader {
  readonly #cluster: Cluster
  readonly #leaders = new Map<string, { readonly at: number; readonly found: ReturnType<typeof leadersOf> }>()

  constructor(connection: KafkaConnection) {
    this.#cluster = new Cluster(connection)
  }

  /**
   * The records at the first of the addresses: so many of them, from one on, as have at most `maxBytes` in keys, values and headers
   * together. null: the record is not there (any more). Rejects with a KafkaError when a leader does not answer.
   */
  async read(addresses: readonly RecordAddress[], maxBytes: number): Promise<(LogRecord | null)[]> {
    const found = addresses.map((): LogRecord | null => null)
    const runs = runsOf(addresses)
    let bytes = 0
    const take = (record: LogRecord, indexes: readonly number[]): void => {
      const kept = copyOf(record)
      for (const i of indexes) found[i] = kept
      bytes += sizeOf(record)
    }
    const tooMuch = (): boolean => bytes > maxBytes && addresses.length > 1
    const next = async (): Promise<void> => {
      for (let run = runs.shift(); run !== undefined && !tooMuch(); run = runs.shift()) await this.#readRun(run, take)
    }
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, runs.length) }, next))
    return tooMuch() ? this.read(addresses.slice(0, Math.ceil(addresses.length / 2)), maxBytes) : found
  }

  /** The first offset, the end, or the first offset of a record from a time on, in ms since the epoch; null: none, or no such partition. */
  async offset(topic: string, partition: number, at: 'earliest' | 'latest' | number): Promise<bigint | null> {
    const { offsets } = await listOffsets(this.#cluster, topic, at)
    const offset = offsets.get(partition) ?? -1n
    return offset < 0n ? null : offset
  }

  /**
   * Shows `onRecord` the records from an offset to the present end of the log, one by one, without those that cannot be read, and holds
   * no more than an answer of 1 MiB, or one batch, in memory. Resolves with the offset to go on from.
   */
  async scan(topic: string, partition: number, from: bigint, onRecord: (record: LogRecord) => void): Promise<bigint> {
    return this.#scan({ topic, partition, from }, MAX_BYTES, onRecord)
  }

  close(): Promise<void> {
    return this.#cluster.close()
  }

  async #readRun(
    { topic, partition, wanted }: Run,
    take: (record: LogRecord, indexes: readonly number[]) => void,
  ): Promise<void> {
    const [first, last] = [wanted.keys().next().value!, [...wanted.keys()].at(-1)!]
    const bytes = Math.max(MIN_BYTES, Math.min(MAX_BYTES, Number(BYTES_EACH * (last - first + 1n))))
    const onRecord = (record: LogRecord): void => {
      const indexes = wanted.get(record.offset)
      if (indexes !== undefined) take(record, indexes)
    }
    for (let from = first; from <= last;) {
      try {
        await this.#scan({ topic, partition, from, until: last + 1n }, bytes, onRecord)
        return
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        if (error.code === 'UNKNOWN_TOPIC_OR_PARTITION') return
        if (error.code !== 'OFFSET_OUT_OF_RANGE') throw error
        const earliest = await this.offset(topic, partition, 'earliest')
        // Beyond the end, or deleted from the start of the log.
        if (earliest === null || earliest <= from) return
        from = earliest
      }
    }
  }

  async #scan(
    options: { readonly topic: string; readonly partition: number; readonly from: bigint; readonly until?: bigint },
    bytes: number,
    onRecord: (record: LogRecord) => void,
  ): Promise<bigint> {
    const { topic } = options
    try {
      const known = await this.#leadersOf(topic)
      if (!known.leaders.has(options.partition)) {
        throw new KafkaError(
          'UNKNOWN_TOPIC_OR_PARTITION',
          `topic ${topic} has no partition ${options.partition}`,
          false,
        )
      }
      return await scan(this.#cluster, options, bytes, onRecord, () => undefined, known)
    } catch (error) {
      this.#leaders.delete(topic)
      throw error
    }
  }

  #leadersOf(topic: string): ReturnType<typeof leadersOf> {
    const present = this.#leaders.get(topic)
    const now = performance.now()
    if (present !== undefined && now - present.at < LEADERS_MS) return present.found
    const found = leadersOf(this.#cluster, topic)
    this.#leaders.set(topic, { at: now, found })
    return found
  }
}

/** Wanted records of a partition that are near one another. `wanted`: by ascending offset, the indexes of the addresses. */
interface Run {
  readonly topic: string
  readonly partition: number
  readonly wanted: Map<bigint, number[]>
}

function runsOf(addresses: readonly RecordAddress[]): Run[] {
  const runs: Run[] = []
  const order = addresses.map((_, i) => i).sort((a, b) => compare(addresses[a]!, addresses[b]!) || a - b)
  let [run, last]: [Run | undefined, bigint] = [undefined, 0n]
  for (const index of order) {
    const { topic, partition, offset } = addresses[index]!
    if (run === undefined || run.topic !== topic || run.partition !== partition || offset - last > NEAR) {
      run = { topic, partition, wanted: new Map() }
      runs.push(run)
    }
    const same = run.wanted.get(offset)
    if (same === undefined) run.wanted.set(offset, [index])
    else same.push(index)
    last = offset
  }
  return runs
}

function compare(a: RecordAddress, b: RecordAddress): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1
  if (a.partition !== b.partition) return a.partition - b.partition
  return a.offset < b.offset ? -1 : a.offset > b.offset ? 1 : 0
}

/** The bytes of a record are part of those of a whole answer, which would live as long. */
function copyOf({ key, value, headers, ...rest }: LogRecord): LogRecord {
  const copy = (bytes: Buffer | null): Buffer | null => bytes && Buffer.from(bytes)
  const copied = headers.map(([name, content]) => [copy(name), copy(content)] as const)
  return { ...rest, key: copy(key), value: copy(value), headers: copied }
}

function sizeOf({ key, value, headers }: LogRecord): number {
  let size = (key?.length ?? 0) + (value?.length ?? 0)
  for (const [name, content] of headers) size += (name?.length ?? 0) + (content?.length ?? 0)
  return size
}
