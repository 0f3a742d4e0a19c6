import { randomUUID } from 'node:crypto'
import { END_OF_INPUT, FatalError, type SourceRecord, type SourceTask, type TaskContext } from '@tributary/connect-api'
import { SpilledMessages } from '@tributary/push-source'
import { parseConfig, sourcePartitionOf } from './config/config.ts'
import { FrameCodec } from './message/message-codec.ts'
import { type Frame, messageDecoder } from './message/message.ts'
import { RecordBuilder } from './record/record-builder.ts'

/** What lives from start to stop. */
interface Running {
  readonly messages: SpilledMessages<Frame>
  readonly builder: RecordBuilder
  readonly batchSize: number
}

/**
 * What a feed's task spilled here before it became another host's: the same records as that task would have made of it, without
 * a look at sequences, as those are being followed elsewhere.
 */
export class LateWebSocketTask implements SourceTask {
  #running: Running | null = null
  #draining = false

  start(context: TaskContext): Promise<void> {
    const { stats, clock, log, dataDir: dir } = context
    const config = parseConfig(context.config)
    const codec = new FrameCodec(messageDecoder(config))
    this.#running = {
      messages: new SpilledMessages({ dir, maxBytes: config['spill.max.bytes'], codec, log, stats, clock }),
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
    const { messages, builder, batchSize } = this.#started()
    const frames = this.#draining ? null : await messages.take(batchSize, signal)
    if (frames === null) return END_OF_INPUT
    const { records } = builder.build(frames)
    messages.handedOut(records)
    return records
  }

  commitRecord(record: SourceRecord): void {
    this.#running?.messages.delivered(record)
  }

  async commit(): Promise<void> {
    await this.#running?.messages.committed()
  }

  /** What is not handed out yet stays on disk. */
  drain(): void {
    this.#draining = true
  }

  async stop(): Promise<void> {
    const running = this.#running
    this.#running = null
    await running?.messages.close()
  }

  #started(): Running {
    if (this.#running === null)
      throw new FatalError('TASK_NOT_STARTED', 'the task was used before start, or after stop')
    return this.#running
  }
}
