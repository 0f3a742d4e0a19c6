import { randomUUID } from 'node:crypto'
import { sleep } from '@tributary/async'
import {
  type DeadLetter,
  NotConnectedError,
  type OffsetEntry,
  type Polled,
  type Predecessor,
  recordsIn,
  type SourceRecord,
  type TaskContext,
} from '@tributary/connect-api'
import { type RenewedTls, restoredSequence, type TaskMetricsLog } from '@tributary/push-source'
import type { Logger } from '@tributary/telemetry'
import { type Metadata, recordHeaders } from '../config/metadata.ts'
import type { AccessToken } from './access-token.ts'
import { AnyTypes } from './any-types.ts'
import type { GrpcConnection, OpenConnection } from './connection.ts'
import { grpcErrors } from '../errors.ts'
import type { RecordBuilder } from '../records/record-builder.ts'
import { redeliver } from '../records/redeliver.ts'
import { committedPosition, type Resume } from '../records/resume.ts'
import { offsetOf, serverOf, sourcePartitionOf } from '../config/settings.ts'
import type { GrpcConfig } from '../config/spec.ts'
import { type Completion, StreamCompleted } from './completion.ts'
import { keepaliveLessons } from './keepalive-lessons.ts'
import type { StatusErrors } from './status-errors.ts'
import type { StreamIntake } from './stream-intake.ts'
import { planStream, type StreamPlan } from './stream-plan.ts'
import { type MessageRun, type SessionOptions, windowBytesFor } from '../transport/index.ts'

/** The parts of a running task. `createStreamReader` creates them. */
export interface StreamReaderParts {
  readonly context: TaskContext
  readonly config: GrpcConfig
  readonly metadata: Metadata
  /** null: the metadata is complete. */
  readonly accessToken: AccessToken | null
  readonly tls: RenewedTls<SessionOptions['tls']>
  readonly open: OpenConnection
  readonly log: Logger
  /** Id of this run of the task; `session_id` in logs and source offsets. */
  readonly runId: string
  readonly statusErrors: StatusErrors
  readonly resume: Resume | null
  readonly builder: RecordBuilder
  readonly intake: StreamIntake
  readonly completion: Completion
  readonly metrics: TaskMetricsLog
}

/** A connection that its server wants to close sooner, in ms, is not replaced beside it: the next one might fare no better. */
const REPLACED_FROM_MS = 500

/** Reads one server stream: connects, as often as it is asked to, and turns queued messages into records. */
export class StreamReader {
  readonly #parts: StreamReaderParts
  /** From the descriptor, or from the last reflection. */
  #plan: StreamPlan | null
  #keepaliveTimeMs = 0
  #connection: GrpcConnection | null = null
  #connects = 0
  #drainingSince: number | null = null
  /** Records returned since then. */
  #drainedCount = 0
  /**
   * The queued messages may include messages that the predecessor delivered: they are dropped and the stream is opened
   * again.
   */
  #mustReopen = false
  readonly #anyTypes: AnyTypes

  constructor(parts: StreamReaderParts, plan: StreamPlan | null) {
    this.#parts = parts
    this.#plan = plan
    const { config, builder, log, context } = parts
    const open = async (signal: AbortSignal) => this.#openConnection(await this.#metadata(signal), signal)
    this.#anyTypes = new AnyTypes({ config, builder, log, clock: context.clock, open })
  }

  /**
   * Opens the stream after the last received message, or after the committed one while nothing was received. Resolves
   * when the server answers.
   */
  async connect(signal: AbortSignal): Promise<void> {
    const { context, config, intake, builder, resume, completion } = this.#parts
    if (completion.done) return
    intake.close()
    this.#learn()
    const metadata = await this.#metadata(signal)
    const connection = await this.#openConnection(metadata, signal)
    this.#connection = connection
    const openedAt = context.clock.monotonic()
    connection.onEnding = () => this.#ending(context.clock.monotonic() - openedAt)
    try {
      const plan = await this.#planFor(connection, signal)
      const headers = await intake.open(
        connection,
        {
          path: plan.path,
          metadata,
          keepOpen: plan.keepOpen,
          repeat: plan.repeat,
          message: plan.request(resume === null ? null : resume.last),
          deadlineMs: config['grpc.deadline.ms'],
          maxMessageBytes: config['grpc.max.inbound.message.size'],
        },
        signal,
      )
      builder.startStream(plan.decoder, recordHeaders(headers, config['grpc.response.headers']))
    } catch (error) {
      connection.close()
      if (error instanceof StreamCompleted) return completion.reached()
      throw error
    }
    this.#connected()
  }

  /**
   * Continues after the last offset of the predecessor, which read beside this run. Without a resume field the messages
   * that both received are delivered twice.
   */
  takeOver(predecessor: Predecessor): void {
    const { config, context, intake, builder, resume, completion, log, runId } = this.#parts
    const offset = offsetOf(predecessor, config, context.written)
    completion.restore(offset)
    builder.takeOver(restoredSequence(offset, runId, log))
    const canTell = resume === null || resume.takeOver(committedPosition(offset))
    this.#mustReopen = completion.done || (!canTell && config['grpc.resume.request.field'] !== null)
    if (this.#mustReopen) intake.close()
    log.info('task_taken_over', { queue_size: context.stats.queueSize, asks_again: this.#mustReopen })
  }

  /** The records of the next messages; [] after `waitMs` without one, null at the end of a drained stream. */
  async read(waitMs: number, signal: AbortSignal): Promise<Polled[] | null> {
    const { intake, builder, completion, metrics } = this.#parts
    // Held records come before the failure.
    if (!this.#anyTypes.holds) builder.check()
    if (this.#mustReopen) await this.#reopen(signal)
    if (this.#anyTypes.holds) return this.#withTypes(waitMs, signal)
    const messages = completion.done ? await this.#nothing(waitMs, signal) : await this.#take(waitMs, signal)
    metrics.maybeWrite(intake.connected || completion.done)
    if (messages === null && !this.#anyTypes.holds) {
      this.#drained()
      return null
    }
    const records = this.#build(messages ?? [])
    return this.#anyTypes.holds ? this.#withTypes(waitMs, signal) : records
  }

  /** Offers the messages of a read of the transport while `read` waits for them. False: `read` must return. */
  offer(): boolean {
    return this.#parts.context.offer!(this.#readNow) && !this.#anyTypes.holds
  }

  /** The records of the next messages; none if they are held, which `read` then returns. */
  readonly #readNow = (): Polled[] => {
    const { intake, metrics } = this.#parts
    const messages = intake.takeNow()
    metrics.maybeWrite(intake.connected)
    return this.#build(messages)
  }

  /** The records of messages; none if they are held, as a type of Any is unknown. */
  #build(messages: readonly MessageRun[]): Polled[] {
    const { builder, metrics } = this.#parts
    const records = messages.length === 0 ? [] : builder.build(messages)
    let messageCount = 0
    for (const { count } of messages) messageCount += count
    let recordCount = 0
    for (const record of records) recordCount += recordsIn(record)
    metrics.handedOut(messageCount, recordCount)
    if (this.#drainingSince !== null) this.#drainedCount += recordCount
    if (this.#plan === null || this.#plan.decoder.unknownTypes.size === 0) return records
    this.#anyTypes.hold(records)
    return []
  }

  /** The held records, with types of Any that the server knows; [] after a wait while it cannot be asked. */
  async #withTypes(waitMs: number, signal: AbortSignal): Promise<Polled[]> {
    const { intake, builder } = this.#parts
    const learned = (plan: StreamPlan): void => {
      this.#plan = plan
      builder.useDecoder(plan.decoder)
    }
    const records = await this.#anyTypes.release(this.#plan!, learned, intake.connected, signal)
    if (records === null) await sleep(waitMs, signal)
    return records ?? []
  }

  /** See SourceTask. */
  redeliver(letter: DeadLetter): SourceRecord | null {
    const { config, context } = this.#parts
    if (this.#plan === null) {
      throw grpcErrors.GRPC_CONNECT('the schema of the messages is not known before the server has answered once')
    }
    const sourcePartition = sourcePartitionOf(config, context.written)
    return redeliver(letter, this.#plan.decoder, { config, sourcePartition })
  }

  position(): OffsetEntry | null {
    const { builder, completion } = this.#parts
    // Held records come before the end.
    return this.#anyTypes.holds ? null : completion.position(builder)
  }

  completed(): string | null {
    return this.#anyTypes.holds ? null : this.#parts.completion.words
  }

  caution(): string | null {
    const { 'grpc.tls.enabled': secure, 'grpc.tls.verify': verified } = this.#parts.config
    const waiting = this.#anyTypes.caution
    if (waiting !== null) return waiting
    return secure && !verified ? 'The certificate of the server is not verified (grpc.tls.verify=false).' : null
  }

  /** Ends the intake. `read` then returns the records of the queued messages, and null after them. */
  drain(): void {
    const { intake, log, context, metrics } = this.#parts
    if (this.#drainingSince !== null) return
    this.#drainingSince = context.clock.monotonic()
    log.info('task_stopping')
    metrics.write(intake.connected)
    intake.drain()
    this.#anyTypes.drain()
    log.info('message_draining_started', { queue_size: context.stats.queueSize })
  }

  close(): void {
    const { intake, log, builder, config, context, accessToken } = this.#parts
    const server = serverOf(config)
    log.info('grpc_client_stopping', { server })
    intake.close()
    this.#learn()
    log.info('grpc_client_stopped', {
      server,
      messages_received: context.stats.messagesReceived,
      messages_dropped: context.stats.messagesDropped,
      reconnect_attempts: Math.max(0, this.#connects - 1),
    })
    log.info('task_stopped', { final_sequence: builder.sequence })
    accessToken?.close()
  }

  async #take(waitMs: number, signal: AbortSignal): Promise<MessageRun[] | null> {
    const { intake, completion } = this.#parts
    try {
      const messages = await intake.take(waitMs, signal)
      if (messages === null && intake.completed) completion.reached()
      return messages
    } catch (error) {
      // The intake throws the end of the stream again, behind the records that are held since the wait began.
      if (this.#anyTypes.holds) return []
      if (!(error instanceof StreamCompleted)) throw error
      completion.reached()
      return []
    }
  }

  /** The stream is completed: there is nothing to take. */
  async #nothing(waitMs: number, signal: AbortSignal): Promise<[] | null> {
    if (this.#drainingSince === null) await sleep(waitMs, signal)
    return this.#drainingSince === null ? [] : null
  }

  async #reopen(signal: AbortSignal): Promise<void> {
    this.#mustReopen = false
    this.#anyTypes.drop()
    await this.#parts.intake.discard(signal)
    if (this.#drainingSince === null) await this.connect(signal)
  }

  /**
   * The server is about to close the connection. A successor begins beside it, unless the configuration wants an end to be an end, or
   * the server closes each connection at once.
   */
  #ending(ageMs: number): void {
    const { config, context, log } = this.#parts
    const replaces = config['grpc.reconnect.enabled'] && config['grpc.on.completion'] === 'reconnect'
    log.info('connection_ending', { reason: 'goaway', age_ms: Math.round(ageMs) })
    if (replaces && ageMs >= REPLACED_FROM_MS && this.#drainingSince === null) context.connectionEnding?.()
  }

  /** Draws the lesson of the connection that has ended. */
  #learn(): void {
    if (!this.#connection?.tooManyPings) return
    this.#connection = null
    const { config, log } = this.#parts
    const timeMs = keepaliveLessons.tooMany(config, this.#keepaliveTimeMs)
    log.warn('keepalive_slowed', { reason: 'too_many_pings', keepalive_time_ms: timeMs })
  }

  async #metadata(signal: AbortSignal): Promise<Metadata> {
    const { metadata, accessToken, log } = this.#parts
    if (accessToken === null) return metadata
    try {
      return await accessToken.addTo(metadata, signal)
    } catch (error) {
      if (error instanceof NotConnectedError) log.error('access_token_failed', { error: error.message })
      throw error
    }
  }

  async #openConnection(metadata: Metadata, signal: AbortSignal): Promise<GrpcConnection> {
    const { config, tls: files, open, log, context } = this.#parts
    const tls = await files.options()
    if (tls?.rejectUnauthorized === false) log.warn('tls_not_verified', { reason: 'grpc.tls.verify=false' })
    this.#keepaliveTimeMs = keepaliveLessons.timeMs(config)
    const windowBytes = windowBytesFor(context.memory.budget.fairShare)
    try {
      return await open({ config, metadata, tls, keepaliveTimeMs: this.#keepaliveTimeMs, windowBytes }, signal)
    } catch (error) {
      if (error instanceof NotConnectedError) {
        const { 'grpc.server.host': host, 'grpc.server.port': port } = config
        log.error('connection_failed', { host, port, error: error.message })
      }
      throw error
    }
  }

  /** Reflection is repeated on each connect, because the server may have been replaced by one with another schema. */
  async #planFor(connection: GrpcConnection, signal: AbortSignal): Promise<StreamPlan> {
    const { config, log, statusErrors } = this.#parts
    if (this.#plan && config['grpc.proto.descriptor']?.trim()) return this.#plan
    const first = this.#plan === null
    this.#plan = await planStream(config, () => connection.reflect(statusErrors, signal))
    if (first) log.info('proto_descriptor_loaded', { source: 'reflection' })
    return this.#plan
  }

  #connected(): void {
    const { config, log, context, resume, builder, metrics } = this.#parts
    this.#connects++
    this.#anyTypes.connected()
    metrics.connects = this.#connects
    if (this.#connects === 1) log.info('grpc_client_started', { server: serverOf(config) })
    else log.info('session_initialized', { session_id: randomUUID() })
    log.info('streaming_started', { service: config['grpc.service.name'], method: config['grpc.method.name'] })
    // Without a sequence nobody knows what was sent between the two streams, so the gap itself is counted.
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
