import { joinRuns, PackedRecords, type Polled, type SourcePartition } from '@tributary/connect-api'
import type { WebSocketConfig } from '../config/config.ts'
import type { MessageRun } from '../message/message-run.ts'
import { BINARY } from './received.ts'
import type { RecordBuilder } from './record-builder.ts'

/** Runs with fewer bytes are copied together, so that few packs are made of them. */
const SMALL_BYTES = 16 * 1024
/** Most bytes of a copy. */
const COPY_BYTES = 64 * 1024

export interface PackBuilderOptions {
  readonly config: WebSocketConfig
  readonly sourcePartition: SourcePartition
  readonly sessionId: string
  /** Numbers the records, and makes those of messages that cannot be packed. */
  readonly builder: RecordBuilder
}

/** Turns runs of messages into packs of records, where no configured feature reads the content of a message. */
export class PackBuilder {
  readonly #options: PackBuilderOptions
  readonly #decodesBinary: boolean

  constructor(options: PackBuilderOptions) {
    this.#options = options
    this.#decodesBinary = options.config['websocket.binary.decode'] !== 'none'
  }

  build(runs: readonly MessageRun[]): Polled[] {
    const [only] = runs
    if (runs.length === 1 && this.#packs(only!)) return [this.#packOf(only!)]
    const polled: Polled[] = []
    for (let i = 0; i < runs.length;) {
      const run = runs[i]!
      if (!this.#packs(run)) {
        for (const record of this.#options.builder.build(run.messages()).records) polled.push(record)
        i++
        continue
      }
      const to = this.#endOfSmall(runs, i)
      polled.push(this.#packOf(to > i + 1 ? joined(runs.slice(i, to)) : run))
      i = to
    }
    return polled
  }

  #packs(run: MessageRun): boolean {
    return run.binary ? !this.#decodesBinary : run.validText
  }

  /** The end of the small runs from index `from` on that may be in one pack; from + 1 if the first one stands alone. */
  #endOfSmall(runs: readonly MessageRun[], from: number): number {
    const first = runs[from]!
    const { builder } = this.#options
    let bytes = 0
    let to = from
    for (let run = runs[to]; run !== undefined && run.heldBytes < SMALL_BYTES; run = runs[++to]) {
      if (run.binary !== first.binary || run.validText !== first.validText || !builder.sameHeaders(run, first)) break
      if ((bytes += run.heldBytes) > COPY_BYTES) break
    }
    return Math.max(to, from + 1)
  }

  #packOf(run: MessageRun): PackedRecords {
    const { config, sourcePartition, sessionId, builder } = this.#options
    const before = builder.sequence
    builder.continueAfter(before + run.count)
    return new PackedRecords({
      count: run.count,
      topic: config['kafka.topic'],
      sourcePartition,
      offsetOf: (index) => ({ session_id: sessionId, sequence: before + 1 + index }),
      values: run,
      valueType: run.binary ? 'bytes' : 'text',
      headers: builder.headersOf(run),
      received: run.binary ? BINARY : undefined,
    })
  }
}

/** The messages of runs that differ in their bytes only, as one run. */
function joined(runs: readonly MessageRun[]): MessageRun {
  return runs[0]!.with(joinRuns(runs))
}
