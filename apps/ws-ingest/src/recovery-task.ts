import { randomUUID } from 'node:crypto'
import {
  commonErrors,
  END_OF_INPUT,
  parseConfig,
  type SourceRecord,
  type SourceTask,
  type TaskContext,
} from '@tributary/connect-api'
import { SpilledMessages } from '@tributary/push-source'
import { sourcePartitionOf, websocketSpec } from './config/config.ts'
import { MessageCodec } from './message/message-codec.ts'
import { type Message, messageDecoder } from './message/message.ts'
import { RecordBuilder } from './record/record-builder.ts'

/** State from start to stop. */
interface Running {
  readonly spilled: SpilledMessages<Message>
  readonly builder: RecordBuilder
  readonly batchSize: number
}

/**
 * Recovery task: delivers the messages that an earlier run of a feed's task spilled to this host, after the task has
 * moved to another host. The records are the same as those of the feed's task. Sequence numbers are not checked,
 * because the feed's task tracks them on the other host.
 */
export class WebSocketRecoveryTask implements SourceTask {
  #running: Running | null = null
  #draining = false

  start(context: TaskContext): Promise<void> {
    const { stats, clock, log, dataDir: dir } = context
    const config = parseConfig(websocketSpec, context.config)
    const codec = new MessageCodec(messageDecoder(config))
    this.#running = {
      spilled: new SpilledMessages({ dir, maxBytes: config['spill.max.bytes'], codec, log, stats, clock }),
      builder: new RecordBuilder({
        config,
        sourcePartition: sourcePartitionOf(config),
        sessionId: randomUUID(),
        lastSequence: 0,
        sequences: null,
      }),
      batchSize: config['max.poll.records'],
    }
    return Promise.resolve()
  }

  connect(): Promise<void> {
    return Promise.resolve()
  }

  async poll(signal: AbortSignal): Promise<SourceRecord[] | typeof END_OF_INPUT> {
    const { spilled, builder, batchSize } = this.#started()
    const messages = this.#draining ? null : await spilled.take(batchSize, signal)
    if (messages === null) return END_OF_INPUT
    const { records } = builder.build(messages)
    spilled.handedOut(records)
    return records
  }

  commitRecord(record: SourceRecord): void {
    this.#running?.spilled.delivered(record)
  }

  async commit(): Promise<void> {
    await this.#running?.spilled.committed()
  }

  /** Messages that are not handed out yet stay on disk. */
  drain(): void {
    this.#draining = true
  }

  async stop(): Promise<void> {
    const running = this.#running
    this.#running = null
    await running?.spilled.close()
  }

  #started(): Running {
    if (this.#running === null) throw commonErrors.TASK_NOT_STARTED('the task was used before start, or after stop')
    return this.#running
  }
}
