import {
  type DeadLetter,
  inFlightCost,
  packedCost,
  type Polled,
  type Predecessor,
  type SourceRecord,
  type TaskContext,
} from '@tributary/connect-api'
import { bodyReader } from '@tributary/converters/body'
import type { RateLimitedLog } from '@tributary/push-source'
import { offsetsOf, shownUrl, sourcePartitionOf, type WebSocketConfig, writtenUrl } from '../config/config.ts'
import { type ConnectionInfo, type Message, messageDecoder } from '../message/message.ts'
import type { MessageRun } from '../message/message-run.ts'
import { Backfill, GapFiller } from '../sequence/backfill.ts'
import { GapTracker } from '../sequence/gap-tracker.ts'
import { type BuiltBatch, GapRecords, type PlacedGap, SequenceLog } from '../sequence/gap.ts'
import { ConnectionGaps } from '../sequence/connection-gaps.ts'
import { Sequences } from '../sequence/sequences.ts'
import { notJsonReport } from './not-json-report.ts'
import { PackBuilder } from './pack-builder.ts'
import { redeliver, type Redelivery } from './redeliver.ts'
import { RecordBuilder } from './record-builder.ts'

export interface RecordSourceOptions {
  readonly builder: RecordBuilder
  /** null: the content of messages is read. */
  readonly packs: PackBuilder | null
  readonly sequences: Sequences
  /** Messages are numbered, or have ids: there may be a gap between any two. */
  readonly checksSequences: boolean
  readonly gaps: GapTracker
  readonly connectionGaps: ConnectionGaps
  readonly redelivery: Omit<Redelivery, 'builder'>
}

/**
 * Turns the messages of a feed into records, and handles the gaps between them. A batch without a gap passes
 * synchronously; a batch with gaps waits for their backfill, so that order is kept.
 */
export class RecordSource {
  readonly #options: RecordSourceOptions

  constructor(options: RecordSourceOptions) {
    this.#options = options
  }

  /** Makes ready to read messages. Call it on each connect. Rejects with NotConnectedError or ConfigError. */
  connect(signal: AbortSignal): Promise<void> {
    return this.#options.builder.connect(signal)
  }

  /** `sequence` of the last record. */
  get sequence(): number {
    return this.#options.builder.sequence
  }

  /** What records cost of the memory budget. */
  get recordCost(): typeof inFlightCost {
    return this.#options.packs === null ? inFlightCost : packedCost
  }

  /**
   * The records of a batch. Call it for an empty batch too, as there may be a gap to report. A gap never makes it
   * reject; if `signal` aborts, the batch is returned with its gaps unfilled.
   */
  records(runs: readonly MessageRun[], signal: AbortSignal): Polled[] | Promise<Polled[]> {
    const { builder, packs, sequences, gaps, connectionGaps } = this.#options
    if (packs !== null && !connectionGaps.pending) return packs.build(runs)
    const messages = runs.flatMap((run) => run.messages())
    const before = builder.sequence
    const built = connectionGaps.pending
      ? this.#buildAround(connectionGaps.take(messages), messages)
      : builder.build(messages)
    const fills = sequences.takeGapFills()
    if (built.gaps.length === 0 && fills.length === 0) return built.records
    const connection = messages.at(-1)?.connection ?? null
    return gaps.complete({ ...built, fills, before, connection }, signal)
  }

  /** See SourceTask. */
  redeliver(letter: DeadLetter): SourceRecord | null {
    const { redelivery, builder } = this.#options
    return redeliver(letter, { ...redelivery, builder })
  }

  /** Whether the next messages need no `records`, since no gap is known and none will be found between them. */
  get expectsNoGap(): boolean {
    const { checksSequences, connectionGaps } = this.#options
    return !checksSequences && !connectionGaps.pending
  }

  /** The records of a batch while `expectsNoGap`. */
  recordsNow(runs: readonly MessageRun[]): Polled[] {
    const { builder, packs } = this.#options
    return packs?.build(runs) ?? builder.build(runs.flatMap((run) => run.messages())).records
  }

  /**
   * A connection is initialized that replaces one lost at `lostAt` (ms since the epoch). If no sequence numbers show
   * what was missed in the meantime, this is a gap.
   */
  reconnected(connection: ConnectionInfo, lostAt: number): void {
    this.#options.connectionGaps.reconnected(connection, lostAt)
  }

  /** Hand-over state for the next run; see SourceTask. `endedAt`: end of the last connection, in ms since the epoch. */
  handOver(endedAt: number): string {
    const { builder, sequences } = this.#options
    return sequences.handOverState(builder.sequence, endedAt)
  }

  /** Continues after the predecessor; see SourceTask. `overlapped`: both runs were connected at the same time. */
  takeOver(predecessor: Predecessor, overlapped: boolean): void {
    const { builder, sequences, connectionGaps } = this.#options
    const state = sequences.takeOver(predecessor)
    if (state !== null && overlapped) connectionGaps.overlapped()
    const committed = Number(predecessor.offset(sequences.partition)?.['sequence'] ?? 0)
    builder.continueAfter(
      Math.max(builder.sequence, state?.sequence ?? 0, Number.isSafeInteger(committed) ? committed : 0),
    )
  }

  /** Stops all backfills, so that queued messages are handed out in the time that is left. */
  drain(): void {
    this.#options.gaps.drain()
  }

  /** Builds the records and inserts the gaps; `lost` holds indexes of messages. */
  #buildAround(lost: readonly PlacedGap[], messages: readonly Message[]): BuiltBatch {
    const { builder } = this.#options
    const records: SourceRecord[] = []
    const gaps: PlacedGap[] = []
    const build = (part: readonly Message[]): void => {
      const built = builder.build(part)
      gaps.push(...built.gaps.map(({ at, gap }) => ({ at: records.length + at, gap })))
      for (const record of built.records) records.push(record)
    }
    let from = 0
    for (const { at, gap } of lost) {
      build(messages.slice(from, at))
      gaps.push({ at: records.length, gap })
      from = at
    }
    build(messages.slice(from))
    return { records, gaps }
  }
}

export interface RecordSourceContext {
  readonly context: TaskContext
  readonly config: WebSocketConfig
  readonly sessionId: string
  /** `sequence` of the last committed record. */
  readonly lastSequence: number
  readonly busyLog: RateLimitedLog
}

/** Creates the record source of a feed from its configuration. Throws ConfigError. */
export function createRecordSource(parts: RecordSourceContext): RecordSource {
  const { context, config, sessionId, lastSequence, busyLog } = parts
  const { clock, stats } = context
  const sourcePartition = sourcePartitionOf(config, context.written)
  const offset = offsetsOf(config, context, context.written)
  const log = new SequenceLog(stats, busyLog)
  const sequences = new Sequences({
    config,
    sourcePartition,
    offset,
    offsets: () => context.offsets?.() ?? [],
    removeOffsets: (of) => context.removeOffsets?.(of),
    clock,
    log,
  })
  const reads = sequences.readsMessages || sequences.readsElements
  const builder = new RecordBuilder({
    config,
    sourcePartition,
    sessionId,
    lastSequence,
    sequences: reads ? sequences : null,
    onNotJson: notJsonReport(stats, busyLog),
    body: bodyReader(config, context.config),
  })
  const filler = config['backfill.url']
    ? new GapFiller({
        backfill: new Backfill(config),
        build: (messages) => builder.build(messages),
        sequences,
        maxAttempts: config['backfill.max.attempts'],
        clock,
        log,
      })
    : null
  const gaps = new GapTracker({
    sequences,
    log,
    gapRecords: gapRecordsOf(parts),
    filler,
    timeoutMs: config['backfill.timeout.ms'],
    maxBytes: config['backfill.max.bytes'],
  })
  const connectionGaps = new ConnectionGaps({
    numbersSpanConnections: sequences.numbersSpanConnections,
    hasPredecessor: offset(sourcePartition) !== null,
    sourcePartition,
    clock,
    log,
  })
  const packs = builder.readsNothing ? new PackBuilder({ config, sourcePartition, sessionId, builder }) : null
  const redelivery = { config, sourcePartition, decode: messageDecoder(config) }
  return new RecordSource({ builder, packs, sequences, checksSequences: reads, gaps, connectionGaps, redelivery })
}

function gapRecordsOf({ context, config, sessionId }: RecordSourceContext): GapRecords | null {
  const topic = config['gap.topic']
  if (!topic) return null
  return new GapRecords({
    topic,
    connector: context.connector,
    task: context.task,
    url: shownUrl(writtenUrl(config, context.written)),
    sessionId,
    now: () => context.clock.now(),
  })
}
