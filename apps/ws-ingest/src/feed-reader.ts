import { randomUUID } from 'node:crypto'
import {
  type ConnectError,
  type DeadLetter,
  parseConfig,
  type Polled,
  type Predecessor,
  recordsIn,
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
import { offsetsOf, shownUrl, sourcePartitionOf, type WebSocketConfig, websocketSpec } from './config/config.ts'
import { createDialer, type Dialer } from './connection/dialer.ts'
import { Denials } from './connection/denials.ts'
import { FeedConnection } from './connection/feed-connection.ts'
import { compileProtocol, type FeedProtocol } from './connection/feed-protocol.ts'
import { templateValues, type ValueSource } from './connection/template-values.ts'
import { Burst, createIntake, enqueue } from './message/message-queue.ts'
import { type ConnectionInfo, type DecodeMessage, messageDecoder } from './message/message.ts'
import { MessageRun } from './message/message-run.ts'
import { createRecordSource, type RecordSource } from './record/record-source.ts'
import { openWebSocket } from './transport/open-websocket.ts'

/** The parts of a running task; `createFeedReader` creates them. */
export interface FeedReaderParts {
  readonly context: TaskContext
  readonly config: WebSocketConfig
  readonly dialer: Dialer
  readonly denials: Denials
  readonly protocol: FeedProtocol
  readonly values: ValueSource
  readonly decode: DecodeMessage
  readonly log: Logger
  readonly busyLog: RateLimitedLog
  readonly records: RecordSource
  readonly metrics: TaskMetricsLog
}

/** Reads one feed: connects and reconnects when asked to, and turns the queued messages into records. */
export class FeedReader {
  readonly #parts: FeedReaderParts
  readonly #intake: Intake<MessageRun>
  #connection: FeedConnection | null = null
  /** Of the present connection. The offsets and headers of records keep the id of the run's first connection. */
  #sessionId: string
  /** Number of connections that were initialized or delivered messages. */
  #connects = 0
  /** End of the last connection in ms since the epoch, until the next connection is initialized. */
  #lostAt: number | null = null
  /** The error that ended the last connection, until the next attempt. */
  #endedWith: ConnectError | null = null
  #drainingSince: number | null = null
  /** Records handed out since the drain began. */
  #drainedCount = 0

  constructor(parts: FeedReaderParts) {
    this.#parts = parts
    this.#sessionId = parts.values.sessionId
    const { offer } = parts.context
    this.#intake = createIntake({
      ...parts,
      offer: offer && (() => parts.records.expectsNoGap && offer(this.#readNow)),
    })
  }

  /**
   * Opens and initializes a connection. Resolves once the feed delivers, or the queue is full, or a drain leaves only
   * messages that were already received to be read.
   */
  async connect(signal: AbortSignal): Promise<void> {
    this.#connection?.terminate()
    this.#endedWith = null
    await this.#parts.records.connect(signal)
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
      this.#connected(info, lostAt)
      this.#lostAt = this.#parts.context.clock.now()
      // Messages received before a stop are still delivered.
      if (this.#drainingSince !== null) return
      throw error
    }
    this.#connected(info, lostAt)
  }

  /** The records of the next messages; [] after `waitMs` without a message; null at the end of a drained feed. */
  async read(waitMs: number, signal: AbortSignal): Promise<Polled[] | null> {
    const { records: source, config, metrics } = this.#parts
    const runs = await this.#intake.take(config['max.poll.records'], waitMs, signal)
    metrics.maybeWrite(this.#connection?.isOpen ?? false)
    if (runs === null) {
      this.#drained()
      return null
    }
    const polled = await source.records(runs, signal)
    this.#intake.handedOut(polled)
    this.#count(runs, polled)
    return polled
  }

  /** The records of the next messages, while `read` waits for them. */
  readonly #readNow = (): Polled[] => {
    const { records: source, config, metrics } = this.#parts
    const runs = this.#intake.takeNow(config['max.poll.records'])
    metrics.maybeWrite(this.#connection?.isOpen ?? false)
    const polled = source.recordsNow(runs)
    this.#count(runs, polled)
    return polled
  }

  #count(runs: readonly MessageRun[], polled: readonly Polled[]): void {
    let [messages, records] = [0, 0]
    for (let i = 0; i < runs.length; i++) messages += runs[i]!.count
    for (let i = 0; i < polled.length; i++) records += recordsIn(polled[i]!)
    this.#parts.metrics.handedOut(messages, records)
    if (this.#drainingSince !== null) this.#drainedCount += records
  }

  /** See SourceTask. */
  lostConnection(): ConnectError | null {
    return this.#drainingSince === null ? this.#endedWith : null
  }

  /** Kafka has acknowledged what one `read` returned. */
  commitBatch(polled: readonly Polled[]): void {
    this.#intake.delivered(polled)
  }

  /** The offsets of the delivered records are committed. */
  commit(): Promise<void> {
    return this.#intake.committed()
  }

  /** See SourceTask. */
  redeliver(letter: DeadLetter): SourceRecord | null {
    return this.#parts.records.redeliver(letter)
  }

  /** Hand-over state for the next run; called after the last `read`. */
  handOver(): string {
    const { records, context } = this.#parts
    return records.handOver(this.#lostAt ?? context.clock.now())
  }

  /** Continues after the predecessor; called before the first `read`. */
  takeOver(predecessor: Predecessor): void {
    const overlapped = this.#connects > 0 && this.#lostAt === null
    const { handOverState } = predecessor
    const { config, context, records } = this.#parts
    const offset = offsetsOf(config, predecessor, context.written)
    records.takeOver({ handOverState, offset }, overlapped)
  }

  /** Starts to stop: closes the connection. `read` returns the messages up to the server's Close frame, then null. */
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

  /** Ends the connection at once. Unread spilled messages stay on disk. */
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

  /** Counts a connection that was initialized or delivered messages; the next connection gets the next number. */
  #connected(info: ConnectionInfo, lostAt: number | null): void {
    const { metrics, log, config, records } = this.#parts
    this.#connects++
    metrics.connects = this.#connects
    if (lostAt !== null) records.reconnected(info, lostAt)
    if (this.#connects === 1) log.info('websocket_client_started', { url: shownUrl(config['websocket.url']) })
    else log.info('session_initialized', { session_id: this.#sessionId })
  }

  #newConnection(info: ConnectionInfo, intake: IntakeConnection<MessageRun>): FeedConnection {
    const { config, protocol, context, dialer, denials, decode } = this.#parts
    if (this.#connects > 0) this.#sessionId = randomUUID()
    const values = { ...this.#parts.values, sessionId: this.#sessionId }
    const log = this.#parts.log.child({ session_id: this.#sessionId })
    const { clock } = context
    const burst = new Burst(clock, (messages, bytes) => intake.received(messages, bytes))
    return new FeedConnection({
      config,
      protocol,
      values,
      denials,
      clock,
      log,
      connect: (listener, signal) => dialer.open(templateValues(values, null, 'websocket.url'), listener, signal),
      afterReads: (check) => void setImmediate(check),
      runOf: (received) => new MessageRun(received, burst.at, info, decode),
      onData: (run) => {
        enqueue(intake, run, config)
        burst.add(run.count, run.contentBytes)
      },
      onEnd: (error) => this.#ended(error, intake),
    })
  }

  #ended(error: ConnectError, intake: IntakeConnection<MessageRun>): void {
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

/**
 * Creates a feed reader from the configuration of a task and the files that it names, without network access. Throws
 * ConfigError.
 */
export async function createFeedReader(context: TaskContext): Promise<FeedReader> {
  const { clock, stats } = context
  const config = parseConfig(websocketSpec, context.config)
  const url = shownUrl(config['websocket.url'])
  const sessionId = randomUUID()
  const log = context.log.child(
    {
      connector_name: context.connector,
      websocket_url: url,
      kafka_topic: config['kafka.topic'],
      session_id: sessionId,
    },
    // Operators search the log for WebSocket, as every line of the JVM connector has its class.
    'io.tributary.connect.websocket.WebSocketSourceTask',
  )
  log.info('task_starting')
  log.info('session_initialized')
  const protocol = compileProtocol(config, context.config)
  const denials = new Denials(config)
  const dialer = await createDialer(config, context.config, openWebSocket, denials, log)
  const sourcePartition = sourcePartitionOf(config, context.written)
  const lastSequence = restoredSequence(offsetsOf(config, context, context.written)(sourcePartition), sessionId, log)
  const busyLog = new RateLimitedLog(log, clock)
  const records = createRecordSource({ context, config, sessionId, lastSequence, busyLog })
  const metrics = new TaskMetricsLog(log, clock, stats, sessionId)
  const values = { clock, sessionId, signer: protocol.signer }
  const decode = messageDecoder(config)
  const queueCapacity = config['websocket.message.queue.size']
  log.info('websocket_client_starting', {
    url,
    queue_capacity: queueCapacity,
    connection_timeout_ms: config['websocket.connection.timeout.ms'],
    reconnect_enabled: config['websocket.reconnect.enabled'],
  })
  log.info('task_started', { starting_sequence: lastSequence, queue_capacity: queueCapacity })
  return new FeedReader({ context, config, dialer, denials, protocol, values, decode, log, busyLog, records, metrics })
}
