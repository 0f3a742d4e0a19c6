import { PackedRecords } from '@tributary/connect-api'
import { PackedProducerRecords, type ProducerRecord, type ProduceResult } from '@tributary/kafka-producer'
import type { Batch } from '../records/batch.ts'
import { KEPT_BYTES, Shown } from '../records/shown.ts'
import type { ShownOutput } from '../records/shown-types.ts'
import { WindowSample } from './window-sample.ts'

/** Windows in a second. In each, a part of the rate is shown. */
const WINDOWS = 10
const WINDOW_MS = 1000 / WINDOWS
/** Bytes that a window keeps, until they are shown. */
const WINDOW_BYTES = 256 * 1024
/** Characters that a window shows, about. */
const WINDOW_LENGTH = 1024 * 1024

export interface TailTerms {
  /** Most records that are shown in a second, 1 to 1,000. */
  readonly rate: number
  /** Only records of this topic; null: all. */
  readonly topic: string | null
}

/** A record as Kafka has it. */
export interface TailRecord extends ShownOutput {
  readonly task: number
  /** null: the broker no longer knows it, as it has answered the same batch before. */
  readonly offset: bigint | null
  readonly source: { readonly partition: unknown; readonly offset: unknown }
}

/** What a tail tells, each as one line of JSON. */
export type TailLine =
  | { readonly record: TailRecord }
  /** A run of a task has begun, or has ended, on this worker. */
  | { readonly task: number; readonly run: 'started' | 'ended' }
  /** In the last window so many records came. */
  | { readonly seen: number }

/** What the records of a task have in common. */
export interface TailedTask {
  readonly task: number
  /** Hides the secrets of its configuration. */
  redact(text: string): string
}

interface Kept {
  readonly of: TailedTask
  readonly record: ProducerRecord
  readonly sizes: { readonly key: number; readonly value: number }
  readonly offset: bigint
  readonly source: TailRecord['source']
  readonly bytes: number
}

/**
 * One look at the records of a connector on this worker. Tasks offer their batches when Kafka has them; what is chosen is copied, since the
 * buffers of a batch may be used again, and shown at the end of the window, outside of the task.
 */
export class Tail {
  readonly #terms: TailTerms
  readonly #tell: (lines: readonly TailLine[]) => void
  readonly #sample: WindowSample<Kept | null>
  readonly #timer: NodeJS.Timeout
  #bytes = 0
  #runs: TailLine[] = []

  /** `tell` is called at the end of each window in which there was something. */
  constructor(terms: TailTerms, tell: (lines: readonly TailLine[]) => void) {
    this.#terms = terms
    this.#tell = tell
    this.#sample = new WindowSample(Math.max(1, Math.round(terms.rate / WINDOWS)))
    // A rate below the number of windows has longer ones.
    this.#timer = setInterval(() => this.endWindow(), Math.max(WINDOW_MS, 1000 / terms.rate)).unref()
  }

  /** Dead letters, and what was filtered out or refused, are not shown. */
  acknowledged(of: TailedTask, { records, encoded, indexes }: Batch, result: ProduceResult): void {
    const { topic } = this.#terms
    let [at, sent] = [0, 0]
    const choose = (i: number, leaves: Kept | null): Kept | null => {
      this.#bytes -= leaves?.bytes ?? 0
      const offset = result.offset(sent + i)
      if (offset === null) return null
      const element = encoded[at]!
      const source = records[indexes[at]!]!
      const record = element instanceof PackedProducerRecords ? element.record(i) : element
      const item = element instanceof PackedProducerRecords ? element.itemOf(i) : 0
      const sourceOffset = source instanceof PackedRecords ? source.offsetOf(item) : source.sourceOffset
      return this.#keep(of, record, offset, { partition: source.sourcePartition, offset: sourceOffset })
    }
    for (; at < indexes.length; at++) {
      const element = encoded[at]!
      const count = element instanceof PackedProducerRecords ? element.count : 1
      if (topic === null || element.topic === topic) this.#sample.offer(count, choose)
      sent += count
    }
  }

  run(task: number, run: 'started' | 'ended'): void {
    this.#runs.push({ task, run })
  }

  endWindow(): void {
    const { seen } = this.#sample
    const runs = this.#runs
    if (seen === 0 && runs.length === 0) return
    this.#runs = []
    this.#bytes = 0
    const kept = this.#sample.take().filter((one) => one !== null)
    const room = { left: WINDOW_LENGTH }
    const records = kept.map((one): TailLine => ({ record: shownOf(one, room) }))
    this.#tell([...runs, ...records, ...(seen > 0 ? [{ seen }] : [])])
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** null: there is no more room. */
  #keep(of: TailedTask, record: ProducerRecord, offset: bigint, source: TailRecord['source']): Kept | null {
    const [key, value] = [copied(record.key), copied(record.value)]
    const headers = record.headers?.map(([name, bytes]) => [name, copied(bytes)] as const)
    const lengths = headers?.reduce((sum, [name, bytes]) => sum + name.length + (bytes?.length ?? 0), 0) ?? 0
    const bytes = (key?.length ?? 0) + (value?.length ?? 0) + lengths
    if (this.#bytes > 0 && this.#bytes + bytes > WINDOW_BYTES) return null
    this.#bytes += bytes
    const sizes = { key: record.key?.length ?? 0, value: record.value?.length ?? 0 }
    return { of, record: { ...record, key, value, headers }, sizes, offset, source, bytes }
  }
}

/** The part that is shown. */
function copied(bytes: Uint8Array | null): Uint8Array | null {
  return bytes === null ? null : Uint8Array.prototype.slice.call(bytes, 0, KEPT_BYTES)
}

function shownOf({ of, record, sizes, offset, source }: Kept, room: { left: number }): TailRecord {
  const shown = new Shown((text) => of.redact(text), room.left)
  const { partition, timestamp } = record
  const output = shown.output(record, { partition, timestamp })
  const line = {
    task: of.task,
    ...output,
    key: shown.bytes(record.key, sizes.key),
    value: shown.bytes(record.value, sizes.value),
    offset: offset < 0n ? null : offset,
    source: { partition: shown.plain(source.partition), offset: shown.plain(source.offset) },
  }
  room.left -= shown.length
  return line
}
