import { randomUUID } from 'node:crypto'
import { inFlightCost, packedCost, parseConfig, type Polled, type TaskContext } from '@tributary/connect-api'
import { bodyReader } from '@tributary/converters/body'
import { RateLimitedLog, type SourceReader, SpilledMessages } from '@tributary/push-source'
import { flow, sourcePartitionOf, websocketSpec } from './config/config.ts'
import { MessageCodec } from './message/message-codec.ts'
import { messageDecoder } from './message/message.ts'
import type { MessageRun } from './message/message-run.ts'
import { notJsonReport } from './record/not-json-report.ts'
import { PackBuilder } from './record/pack-builder.ts'
import { RecordBuilder } from './record/record-builder.ts'

/**
 * Reader of a recovery task: delivers the messages that an earlier run of a feed's task spilled to this host, after the
 * task has moved to another host. The records are the same as those of the feed's task. Sequence numbers are not
 * checked, because the feed's task tracks them on the other host.
 */
export class RecoveryReader implements SourceReader {
  readonly #spilled: SpilledMessages<MessageRun>
  readonly #builder: RecordBuilder
  readonly #packs: PackBuilder | null
  readonly #batchSize: number
  #draining = false

  /** Throws ConfigError. */
  constructor(context: TaskContext) {
    const { stats, memory, clock, log, dataDir: dir } = context
    const config = parseConfig(websocketSpec, context.config)
    const codec = new MessageCodec(messageDecoder(config))
    const maxBytes = config['spill.max.bytes']
    const sourcePartition = sourcePartitionOf(config, context.written)
    const sessionId = randomUUID()
    this.#builder = new RecordBuilder({
      config,
      sourcePartition,
      sessionId,
      lastSequence: 0,
      sequences: null,
      onNotJson: notJsonReport(stats, new RateLimitedLog(log, clock)),
      body: bodyReader(config, context.config),
    })
    const builder = this.#builder
    this.#packs = builder.readsNothing ? new PackBuilder({ config, sourcePartition, sessionId, builder }) : null
    const recordCost = this.#packs === null ? inFlightCost : packedCost
    this.#spilled = new SpilledMessages({ dir, maxBytes, codec, log, stats, memory, clock, recordCost })
    this.#batchSize = flow.options(config).maxPollRecords
  }

  /** The disk needs no connection; a schema registry may. */
  connect(signal: AbortSignal): Promise<void> {
    return this.#builder.connect(signal)
  }

  async read(_waitMs: number, signal: AbortSignal): Promise<Polled[] | null> {
    const runs = this.#draining ? null : await this.#spilled.take(this.#batchSize, signal)
    if (runs === null) return null
    const polled = this.#packs?.build(runs) ?? this.#builder.build(runs.flatMap((run) => run.messages())).records
    this.#spilled.handedOut(polled)
    return polled
  }

  commitBatch(polled: readonly Polled[]): void {
    this.#spilled.delivered(polled)
  }

  commit(): Promise<void> {
    return this.#spilled.committed()
  }

  /** Messages that are not handed out yet stay on disk. */
  drain(): void {
    this.#draining = true
  }

  close(): Promise<void> {
    return this.#spilled.close()
  }
}
