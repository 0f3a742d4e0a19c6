import { randomUUID } from 'node:crypto'
import { parseConfig, type SourceRecord, type TaskContext } from '@tributary/connect-api'
import { RateLimitedLog, type SourceReader, SpilledMessages } from '@tributary/push-source'
import { flow, sourcePartitionOf, websocketSpec } from './config/config.ts'
import { MessageCodec } from './message/message-codec.ts'
import { type Message, messageDecoder } from './message/message.ts'
import { notJsonReport } from './record/not-json-report.ts'
import { RecordBuilder } from './record/record-builder.ts'

/**
 * Reader of a recovery task: delivers the messages that an earlier run of a feed's task spilled to this host, after the
 * task has moved to another host. The records are the same as those of the feed's task. Sequence numbers are not
 * checked, because the feed's task tracks them on the other host.
 */
export class RecoveryReader implements SourceReader {
  readonly #spilled: SpilledMessages<Message>
  readonly #builder: RecordBuilder
  readonly #batchSize: number
  #draining = false

  /** Throws ConfigError. */
  constructor(context: TaskContext) {
    const { stats, memory, clock, log, dataDir: dir } = context
    const config = parseConfig(websocketSpec, context.config)
    const codec = new MessageCodec(messageDecoder(config))
    const maxBytes = config['spill.max.bytes']
    this.#spilled = new SpilledMessages({ dir, maxBytes, codec, log, stats, memory, clock })
    this.#builder = new RecordBuilder({
      config,
      sourcePartition: sourcePartitionOf(config),
      sessionId: randomUUID(),
      lastSequence: 0,
      sequences: null,
      onNotJson: notJsonReport(stats, new RateLimitedLog(log, clock)),
    })
    this.#batchSize = flow.options(config).maxPollRecords
  }

  /** The disk needs no connection. */
  connect(): Promise<void> {
    return Promise.resolve()
  }

  async read(_waitMs: number, signal: AbortSignal): Promise<SourceRecord[] | null> {
    const messages = this.#draining ? null : await this.#spilled.take(this.#batchSize, signal)
    if (messages === null) return null
    const { records } = this.#builder.build(messages)
    this.#spilled.handedOut(records)
    return records
  }

  commitRecord(record: SourceRecord): void {
    this.#spilled.delivered(record)
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
