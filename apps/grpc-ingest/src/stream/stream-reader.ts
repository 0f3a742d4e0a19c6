import { NotConnectedError, type Predecessor, type SourceRecord, type TaskContext } from '@tributary/connect-api'
import { restoredSequence, type TaskMetricsLog } from '@tributary/push-source'
import type { Logger } from '@tributary/telemetry'
import { type Metadata, recordHeaders } from '../config/metadata.ts'
import type { GrpcConnection, OpenGrpc } from './connection.ts'
import type { RecordBuilder } from '../records/record-builder.ts'
import { committedValue, type Resume } from '../records/resume.ts'
import { serverOf, sourcePartitionOf } from '../config/settings.ts'
import type { GrpcConfig } from '../config/spec.ts'
import type { Statuses } from './status-errors.ts'
import type { StreamIntake } from './stream-intake.ts'
import { planStream, type StreamPlan } from './stream-plan.ts'
import { readGrpcTls } from '../config/settings.ts'
import type { SessionOptions } from '../transport/index.ts'

/** The parts of a running task; `createStreamReader` puts them together. */
export interface StreamReaderParts {
  readonly context: TaskContext
  readonly config: GrpcConfig
  readonly metadata: Metadata
  readonly open: OpenGrpc
  readonly log: Logger
  readonly sessionId: string
  readonly statuses: Statuses
  readonly resume: Resume | null
  readonly builder: RecordBuilder
  readonly intake: StreamIntake
  readonly metrics: TaskMetricsLog
}

/** Reads one server stream: connects, again and again when asked to, and turns what was queued into records. */
export class StreamReader {
  readonly #parts: StreamReaderParts
  /** What was read last; a file that cannot be read in the middle of its renewal does not end the task. */
  #tls: SessionOptions['tls']
  /** From the descriptor, or from the last reflection. */
  #plan: StreamPlan | null
  #keepaliveTimeMs: number
  #connection: GrpcConnection | null = null
  #connects = 0
  #drainingSince: number | null = null
  /** Records handed out since then. */
  #drainedCount = 0
  /** What is queued cannot be told from what the run before delivered: the server is asked for it again. */
  #asksAgain = false

  constructor(parts: StreamReaderParts, tls: SessionOptions['tls'], plan: StreamPlan | null) {
    this.#parts = parts
    this.#tls = tls
    this.#plan = plan
    this.#keepaliveTimeMs = parts.config['grpc.keepalive.time.ms']
  }

  /** Opens the stream, after the last message received, or committed when none was. Resolves at the server's answer. */
  async connect(signal: AbortSignal): Promise<void> {
    const { config, metadata, intake, builder, resume } = this.#parts
    intake.close()
    // gRFC A8: a server that complained about our PINGs gets half as many.
    if (this.#connection?.tooManyPings) this.#keepaliveTimeMs *= 2
    const connection = await this.#openConnection(signal)
    this.#connection = connection
    try {
      const plan = await this.#planFor(connection, signal)
      const headers = await intake.open(
        connection,
        {
          path: plan.path,
          metadata,
          message: plan.request(resume === null ? null : resume.last),
          deadlineMs: config['grpc.deadline.ms'],
          maxMessageBytes: config['grpc.max.inbound.message.size'],
        },
        signal,
      )
      builder.stream(plan.decoder, recordHeaders(headers, config['grpc.response.headers']))
    } catch (error) {
      connection.close()
      throw error
    }
    this.#connected()
  }

  /**
   * Goes on after the last offset of a run that read beside this one. Of a stream without a resume field, what both have
   * received is delivered twice.
   */
  takeOver(predecessor: Predecessor): void {
    const { config, context, intake, builder, resume, log, sessionId } = this.#parts
    const offset = predecessor.offset(sourcePartitionOf(config))
    builder.takeOver(restoredSequence(offset, sessionId, log))
    const told = resume === null || resume.takeOver(committedValue(offset))
    this.#asksAgain = !told && config['grpc.resume.request.field'] !== null
    if (this.#asksAgain) intake.close()
    log.info('task_taken_over', { queue_size: context.stats.queueSize, asks_again: this.#asksAgain })
  }

  /** The records of the next messages; [] after `waitMs` without one, null when a drained stream is at its end. */
  async read(waitMs: number, signal: AbortSignal): Promise<SourceRecord[] | null> {
    const { intake, builder, config, metrics } = this.#parts
    if (this.#asksAgain) await this.#askAgain(signal)
    const messages = await intake.take(config['max.poll.records'], waitMs, signal)
    metrics.maybeWrite(intake.connected)
    if (messages === null) {
      this.#drained()
      return null
    }
    const records = builder.build(messages)
    metrics.handedOut(messages.length, records.length)
    if (this.#drainingSince !== null) this.#drainedCount += records.length
    return records
  }

  /** Ends intake; `read` hands out what is queued, then null. */
  drain(): void {
    const { intake, log, context, metrics } = this.#parts
    if (this.#drainingSince !== null) return
    this.#drainingSince = context.clock.monotonic()
    log.info('task_stopping')
    metrics.write(intake.connected)
    intake.drain()
    log.info('message_draining_started', { queue_size: context.stats.queueSize })
  }

  close(): void {
    const { intake, log, builder, config, context } = this.#parts
    const server = serverOf(config)
    log.info('grpc_client_stopping', { server })
    intake.close()
    log.info('grpc_client_stopped', {
      server,
      messages_received: context.stats.messagesReceived,
      messages_dropped: context.stats.messagesDropped,
      reconnect_attempts: Math.max(0, this.#connects - 1),
    })
    log.info('task_stopped', { final_sequence: builder.sequence })
  }

  async #askAgain(signal: AbortSignal): Promise<void> {
    this.#asksAgain = false
    await this.#parts.intake.take(Infinity, 0, signal)
    if (this.#drainingSince === null) await this.connect(signal)
  }

  async #openConnection(signal: AbortSignal): Promise<GrpcConnection> {
    const { config, metadata, open, log } = this.#parts
    await this.#renewTls()
    try {
      return await open({ config, metadata, tls: this.#tls, keepaliveTimeMs: this.#keepaliveTimeMs }, signal)
    } catch (error) {
      if (error instanceof NotConnectedError) {
        const { 'grpc.server.host': host, 'grpc.server.port': port } = config
        log.error('connection_failed', { host, port, error: error.message })
      }
      throw error
    }
  }

  async #renewTls(): Promise<void> {
    try {
      this.#tls = await readGrpcTls(this.#parts.config)
    } catch (error) {
      this.#parts.log.warn('tls_files_unreadable', { error, using: 'the ones read before' })
    }
  }

  /** A reflected schema is asked for on each connect: the server may have been replaced by one that speaks another. */
  async #planFor(connection: GrpcConnection, signal: AbortSignal): Promise<StreamPlan> {
    const { config, log, statuses } = this.#parts
    if (this.#plan && config['grpc.proto.descriptor']?.trim()) return this.#plan
    const first = this.#plan === null
    this.#plan = await planStream(config, () => connection.reflect(statuses, signal))
    if (first) log.info('proto_descriptor_loaded', { source: 'reflection' })
    return this.#plan
  }

  #connected(): void {
    const { config, log, context, resume, builder, metrics } = this.#parts
    this.#connects++
    metrics.connects = this.#connects
    if (this.#connects === 1) log.info('grpc_client_started', { server: serverOf(config) })
    log.info('streaming_started', { service: config['grpc.service.name'], method: config['grpc.method.name'] })
    // What was sent between the two streams cannot be known without a sequence, so the hole itself is counted.
    if (this.#connects > 1 && (resume === null || typeof resume.last === 'string')) {
      if (config['grpc.resume.request.field'] !== null) return
      context.stats.sequenceGaps++
      log.warn('sequence_gap', { reason: 'reconnected_without_resume', last_sequence: builder.sequence })
    }
  }

  #drained(): void {
    const { log, context } = this.#parts
    const since = this.#drainingSince ?? context.clock.monotonic()
    const durationMs = Math.round(context.clock.monotonic() - since)
    log.info('message_draining_completed', { drained_count: this.#drainedCount, duration_ms: durationMs })
  }
}
