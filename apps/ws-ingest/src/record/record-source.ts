import type { Predecessor, SourceRecord, TaskContext } from '@tributary/connect-api'
import type { RateLimitedLog } from '@tributary/push-source'
import { shownUrl, sourcePartitionOf, type WebSocketConfig } from '../config/config.ts'
import type { ConnectionInfo, Frame } from '../message/message.ts'
import { Backfill, GapFiller } from '../sequence/backfill.ts'
import { GapKeeper } from '../sequence/gap-keeper.ts'
import { type Built, GapRecords, type PlacedGap, SequenceLog } from '../sequence/gap.ts'
import { LostConnections, type PlacedLoss } from '../sequence/lost-connections.ts'
import { Sequences } from '../sequence/sequences.ts'
import { RecordBuilder } from './record-builder.ts'

export interface RecordSourceOptions {
  readonly builder: RecordBuilder
  readonly sequences: Sequences
  readonly keeper: GapKeeper
  readonly lost: LostConnections
}

/**
 * A feed's records, with what is to be said and done of the gaps between them. A batch without a gap goes through at once; one
 * with gaps waits for their backfill, so that order is kept.
 */
export class RecordSource {
  readonly #options: RecordSourceOptions

  constructor(options: RecordSourceOptions) {
    this.#options = options
  }

  /** Number of the last record handed out. */
  get sequence(): number {
    return this.#options.builder.sequence
  }

  /**
   * The records of a batch; to be asked for an empty one, too, as there may be a gap to tell of. Rejects never for a gap's sake;
   * when `signal` aborts the batch comes as it is.
   */
  records(frames: readonly Frame[], signal: AbortSignal): SourceRecord[] | Promise<SourceRecord[]> {
    const { builder, sequences, keeper, lost } = this.#options
    const before = builder.sequence
    const built = lost.pending ? this.#buildAround(lost.take(frames), frames) : builder.build(frames)
    const late = sequences.takeLate()
    if (built.gaps.length === 0 && late.length === 0) return built.records
    const connection = frames.at(-1)?.connection ?? null
    return keeper.complete({ ...built, late, before, connection }, signal)
  }

  /**
   * A connection that replaces one that was lost at `lostAt` (ms since the epoch) streams. Where no numbers tell what did not come
   * in the meantime, it is a gap.
   */
  reconnected(connection: ConnectionInfo, lostAt: number): void {
    this.#options.lost.reconnected(connection, lostAt)
  }

  /** The former run's side of the contract; see SourceTask. */
  handOver(): string {
    const { builder, sequences } = this.#options
    return sequences.memo(builder.sequence)
  }

  /** The next run's side. `overlapped`: its connection was there before the former one went. */
  takeOver(predecessor: Predecessor, overlapped: boolean): void {
    const { builder, sequences, lost } = this.#options
    const memo = sequences.takeOver(predecessor)
    if (memo !== null && overlapped) lost.tookOver()
    const committed = Number(predecessor.offset(sequences.partition)?.['sequence'] ?? 0)
    builder.goOnAfter(Math.max(builder.sequence, memo?.sequence ?? 0, Number.isSafeInteger(committed) ? committed : 0))
  }

  /** Nothing waits for a backfill any more: what is queued is to be handed out in the time that is left. */
  drain(): void {
    this.#options.keeper.drain()
  }

  /** Builds up to each place at which something was lost, and goes on behind it. */
  #buildAround(losses: readonly PlacedLoss[], frames: readonly Frame[]): Built {
    const { builder } = this.#options
    const records: SourceRecord[] = []
    const gaps: PlacedGap[] = []
    const build = (part: readonly Frame[]): void => {
      const built = builder.build(part)
      gaps.push(...built.gaps.map(({ at, gap }) => ({ at: records.length + at, gap })))
      for (const record of built.records) records.push(record)
    }
    let from = 0
    for (const { at, gap } of losses) {
      build(frames.slice(from, at))
      gaps.push({ at: records.length, gap })
      from = at
    }
    build(frames.slice(from))
    return { records, gaps }
  }
}

export interface RecordSourceParts {
  readonly context: TaskContext
  readonly config: WebSocketConfig
  readonly sessionId: string
  /** `sequence` of the last committed record. */
  readonly lastSequence: number
  readonly busyLog: RateLimitedLog
}

/** Puts together what makes records of frames. Throws ConfigError. */
export function createRecordSource(parts: RecordSourceParts): RecordSource {
  const { context, config, sessionId, lastSequence, busyLog } = parts
  const { clock, stats } = context
  const sourcePartition = sourcePartitionOf(config)
  const log = new SequenceLog(stats, busyLog)
  const sequences = new Sequences({ config, sourcePartition, offset: (of) => context.offset(of), clock, log })
  const reads = sequences.readsMessages || sequences.readsElements
  const builder = new RecordBuilder({
    config,
    sourcePartition,
    sessionId,
    lastSequence,
    sequences: reads ? sequences : null,
  })
  const filler = config['backfill.url']
    ? new GapFiller({
        backfill: new Backfill(config),
        build: (frames) => builder.build(frames),
        sequences,
        maxAttempts: config['backfill.max.attempts'],
        clock,
        log,
      })
    : null
  const keeper = new GapKeeper({
    sequences,
    log,
    gapRecords: gapRecordsOf(parts),
    filler,
    timeoutMs: config['backfill.timeout.ms'],
    maxBytes: config['backfill.max.bytes'],
  })
  const lost = new LostConnections({
    numbersTell: sequences.overConnections,
    hadFormerRun: context.offset(sourcePartition) !== null,
    sourcePartition,
    clock,
    log,
  })
  return new RecordSource({ builder, sequences, keeper, lost })
}

function gapRecordsOf({ context, config, sessionId }: RecordSourceParts): GapRecords | null {
  const topic = config['gap.topic']
  if (!topic) return null
  return new GapRecords({
    topic,
    connector: context.connector,
    task: context.task,
    url: shownUrl(config['websocket.url']),
    sessionId,
    now: () => context.clock.now(),
  })
}
