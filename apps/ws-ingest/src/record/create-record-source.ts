import type { TaskContext } from '@tributary/connect-api'
import type { RateLimitedLog } from '@tributary/push-source'
import { Backfill } from '../sequence/backfill.ts'
import { GapFiller } from '../sequence/gap-filler.ts'
import { GapKeeper } from '../sequence/gap-keeper.ts'
import { GapRecords } from '../sequence/gap-records.ts'
import { LostConnections } from '../sequence/lost-connections.ts'
import { SequenceLog } from '../sequence/sequence-log.ts'
import { Sequences } from '../sequence/sequences.ts'
import { shownUrl, sourcePartitionOf } from '../settings.ts'
import type { WebSocketConfig } from '../spec.ts'
import { RecordBuilder } from './record-builder.ts'
import { RecordSource } from './record-source.ts'

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
