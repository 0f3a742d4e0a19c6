import { randomUUID } from 'node:crypto'
import {
  type ConnectError,
  NotConnectedError,
  type Predecessor,
  type SourceRecord,
  type TaskContext,
} from '@tributary/connect-api'
import {
  type Intake,
  type IntakeConnection,
  RateLimitedLog,
  restoredSequence,
  TaskMetricsLog,
} from '@tributary/push-source'
import type { Logger } from '@tributary/telemetry'
import { parseConfig, shownUrl, sourcePartitionOf, type WebSocketConfig } from './config/config.ts'
import { createDialer, type Dialer } from './connection/dialer.ts'
import { FeedConnection, PolicyCloses } from './connection/feed-connection.ts'
import { planSession, type SessionPlan } from './connection/feed-protocol.ts'
import { templateValues, type ValueSource } from './connection/template-values.ts'
import { Burst, createIntake } from './message/message-queue.ts'
import { type ConnectionInfo, type DecodeMessage, Frame, messageDecoder } from './message/message.ts'
import { createRecordSource, type RecordSource } from './record/record-source.ts'
import { openWebSocket } from './transport/open-websocket.ts'

/** The parts of a running task; `createFeedReader` puts them together. */
export interface FeedReaderParts {
  readonly context: TaskContext
  readonly config: WebSocketConfig
  readonly dialer: Dialer
  readonly plan: SessionPlan
  readonly values: ValueSource
  readonly decode: DecodeMessage
  readonly log: Logger
  readonly busyLog: RateLimitedLog
  readonly records: RecordSource
  readonly metrics: TaskMetricsLog
}

/** Reads one feed: connects, again and again when asked to, and turns what was queued into records. */
export class FeedReader {
  readonly #parts: FeedReaderParts
  readonly #intake: Intake<Frame>
  readonly #closes = new PolicyCloses()
  #connection: FeedConnection | null = null
  /** Connections that brought messages, or are ready to. */
  #connects = 0
  /** When the last connection ended, in ms since the epoch, until the next one streams. */
  #lostAt: number | null = null
  /** What ended the last connection, until the next one is tried. */
  #endedWith: ConnectError | null = null
  #drainingSince: number | null = null
  /** Records handed out since then. */
  #drainedCount = 0

  constructor(parts: FeedReaderParts) {
    this.#parts = parts
    this.#intake = createIntake(parts)
  }

  /**
   * Opens a connection and its session. Resolves once the feed streams, or has filled the queue, or when a drain leaves nothing
   * to do but to read what came meanwhile.
   */
  async connect(signal: AbortSignal): Promise<void> {
    this.#connection?.terminate()
    this.#endedWith = null
    const info: ConnectionInfo = { number: this.#connects + 1 }
    const intake = this.#intake.open()
    const connection = this.#newConnection(info, intake)
    this.#connection = connection
    intake.attach(connection)
    const lostAt = this.#lostAt
    this.#lostAt = null
    try {
      await connection.open(signal)
    } catch (error) {
      connection.terminate()
      this.#lostAt = lostAt
      if (!connection.hasDelivered) throw error
      this.#streamed(info, lostAt)
      // What came before a stop is handed out as if there had been none.
      if (this.#drainingSince !== null) return
      this.#lostAt = this.#parts.context.clock.now()
      throw error
    }
    this.#streamed(info, lostAt)
  }

  /** The records of the next messages; [] after `waitMs` without one, null when a drained feed is at its end. */
  async read(waitMs: number, signal: AbortSignal): Promise<SourceRecord[] | null> {
    const { records: source, config, metrics } = this.#parts
    const frames = await this.#intake.take(config['max.poll.records'], waitMs, signal)
    metrics.maybeWrite(this.#connection?.isOpen ?? false)
    if (frames === null) {
      this.#drained()
      return null
    }
    const records = await source.records(frames, signal)
    this.#intake.handedOut(records)
    metrics.handedOut(frames.length, records.length)
    if (this.#drainingSince !== null) this.#drainedCount += records.length
    return records
  }

  /** See SourceTask. */
  lostConnection(): NotConnectedError | null {
    return this.#endedWith instanceof NotConnectedError && this.#drainingSince === null ? this.#endedWith : null
  }

  /** Kafka has a record that `read` handed out. */
  delivered(record: SourceRecord): void {
    this.#intake.delivered(record)
  }

  /** The offsets of what was delivered are durable. */
  committed(): Promise<void> {
    return this.#intake.committed()
  }

  /** What the next run needs to know, after the last `read`. */
  handOver(): string {
    return this.#parts.records.handOver()
  }

  /** Before the first `read`: goes on behind the former run. */
  takeOver(predecessor: Predecessor): void {
    const overlapped = this.#connects > 0 && this.#lostAt === null
    this.#parts.records.takeOver(predecessor, overlapped)
  }

  /** Ends intake in good order: what the server sent before it heard of our end is taken too; `read` hands it out, then null. */
  drain(): void {
    const { log, context, metrics } = this.#parts
    if (this.#drainingSince !== null) return
    this.#drainingSince = context.clock.monotonic()
    this.#parts.records.drain()
    log.info('task_stopping')
    metrics.write(this.#connection?.isOpen ?? false)
    if (this.#connection?.isOpen) this.#connection.close(1000, 'Connector shutdown')
    else this.#intake.drain()
    log.info('message_draining_started', { queue_size: context.stats.queueSize })
  }

  /** What was not read stays on disk, where there is a spill. */
  async close(): Promise<void> {
    const { log, config, records, context } = this.#parts
    const url = shownUrl(config['websocket.url'])
    log.info('websocket_client_stopping', { url })
    this.#connection?.terminate()
    this.#connection = null
    await this.#intake.close()
    log.info('websocket_client_stopped', {
      url,
      messages_received: context.stats.messagesReceived,
      messages_dropped: context.stats.messagesDropped,
      reconnect_attempts: Math.max(0, this.#connects - 1),
    })
    log.info('task_stopped', { final_sequence: records.sequence })
  }

  /** Messages come by it, or came before it was given up: the next one gets another number. */
  #streamed(info: ConnectionInfo, lostAt: number | null): void {
    const { metrics, log, config, records } = this.#parts
    this.#connects++
    metrics.connects = this.#connects
    if (lostAt !== null) records.reconnected(info, lostAt)
    if (this.#connects === 1) log.info('websocket_client_started', { url: shownUrl(config['websocket.url']) })
  }

  #newConnection(info: ConnectionInfo, intake: IntakeConnection<Frame>): FeedConnection {
    const { config, plan, values, context, log, dialer, decode } = this.#parts
    const { clock } = context
    const burst = new Burst(clock, (messages, bytes) => intake.received(messages, bytes))
    return new FeedConnection({
      config,
      plan,
      values,
      closes: this.#closes,
      clock,
      log,
      connect: (listener, signal) => dialer.open(templateValues(values, null, 'websocket.url'), listener, signal),
      behindReads: (look) => void setImmediate(look),
      frameOf: (data, binary) => new Frame(data, binary, burst.at, info, decode),
      onData: (frame) => {
        intake.push(frame, frame.data.length)
        burst.add(frame.data.length)
      },
      onEnd: (error) => this.#ended(error, intake),
    })
  }

  #ended(error: ConnectError, intake: IntakeConnection<Frame>): void {
    this.#endedWith = error
    this.#lostAt = this.#parts.context.clock.now()
    if (this.#drainingSince === null) intake.ended(error)
    else this.#intake.drain()
  }

  #drained(): void {
    const { log, context } = this.#parts
    const since = this.#drainingSince ?? context.clock.monotonic()
    const durationMs = Math.round(context.clock.monotonic() - since)
    log.info('message_draining_completed', { drained_count: this.#drainedCount, duration_ms: durationMs })
  }
}

/** Puts the parts of a task together from its settings and the files that they name; no network. Throws ConfigError. */
export async function createFeedReader(context: TaskContext): Promise<FeedReader> {
  const { clock, stats } = context
  const config = parseConfig(context.config)
  const url = shownUrl(config['websocket.url'])
  const sessionId = randomUUID()
  const log = context.log.child(
    {
      connector_name: context.connector,
      websocket_url: url,
      kafka_topic: config['kafka.topic'],
      session_id: sessionId,
    },
    'io.tributary.connect.websocket',
  )
  log.info('task_starting')
  log.info('session_initialized')
  const plan = planSession(config, context.config)
  const dialer = await createDialer(config, context.config, openWebSocket, log)
  const sourcePartition = sourcePartitionOf(config)
  const lastSequence = restoredSequence(context.offset(sourcePartition), sessionId, log)
  const busyLog = new RateLimitedLog(log, clock)
  const records = createRecordSource({ context, config, sessionId, lastSequence, busyLog })
  const metrics = new TaskMetricsLog(log, clock, stats, sessionId)
  const values = { clock, sessionId, signer: plan.signer }
  const decode = messageDecoder(config)
  const queueCapacity = config['websocket.message.queue.size']
  log.info('websocket_client_starting', {
    url,
    queue_capacity: queueCapacity,
    connection_timeout_ms: config['websocket.connection.timeout.ms'],
    reconnect_enabled: config['websocket.reconnect.enabled'],
  })
  log.info('task_started', { starting_sequence: lastSequence, queue_capacity: queueCapacity })
  return new FeedReader({ context, config, dialer, plan, values, decode, log, busyLog, records, metrics })
}
