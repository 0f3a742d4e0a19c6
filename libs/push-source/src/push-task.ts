import { randomUUID } from 'node:crypto'
import type { ConnectError, DeadLetter, SourceRecord, SourceTask, TaskContext } from '@tributary/connect-api'
import type { Logger } from '@tributary/telemetry'
import { Intake, type IntakeConnection, type Pausable } from './intake.ts'
import { RateLimitedLog } from './rate-limited-log.ts'
import { readerTask, type SourceReader } from './reader-task.ts'
import { TaskMetricsLog } from './task-metrics-log.ts'

/** An open connection. */
export interface PushConnection extends Pausable {
  /** Ends the connection at once. Called once. The source need not report this end to the sink. */
  close(): void
}

/** Receives the messages and the end of a connection. */
export interface PushSink<M> {
  /** Queues one message of about `bytes` bytes. */
  push(message: M, bytes: number): void
  /** The connection has ended. The messages before are delivered, then the runtime handles the error by its kind. */
  ended(error: ConnectError): void
}

/** The part of a push source that is specific to its transport. `pushTask` does everything else. */
export interface PushSource<M> {
  /**
   * Opens a connection, and resolves once the server has accepted it. The messages and the end of the connection go to `sink`.
   * Throws NotConnectedError; ConfigError if a user must change something first; or the signal's reason.
   */
  connect(sink: PushSink<M>, signal: AbortSignal): Promise<PushConnection>
  /** The record of a message; null: no record. Must not throw: the record of an unreadable message holds its original bytes. */
  record(message: M): SourceRecord | null
  /** See SourceTask. The record has no part in what `record` remembers, such as the position. */
  redeliver(letter: DeadLetter): SourceRecord | null
  /** Whether the next connection continues where the last one ended. If not, each reconnect counts as a gap. */
  resumes(): boolean
}

/** The parts and limits of a push task. `flowSettings(…).options` returns the limits. */
export interface PushTaskOptions<M> {
  readonly source: PushSource<M>
  /** Most messages in the queue (≥ 1). */
  readonly maxRecords: number
  /** Most bytes of messages in the queue (≥ 1). */
  readonly maxBytes: number
  /** Most messages that one `poll` takes. */
  readonly maxPollRecords: number
  /** What a full queue leads to. `pause`: the server waits. `drop`: new messages are counted and discarded. */
  readonly overflow: 'pause' | 'drop'
  /** Fields of every log line of the task, such as the host and the topic. No secrets. */
  readonly logFields: Readonly<Record<string, string>>
}

/**
 * Makes the task of a push source: a bounded queue, back-pressure, drain, gap counts, and the log lines of the runbooks. The start
 * of the task calls `create`, which may throw ConfigError.
 */
export function pushTask<M>(create: (context: TaskContext) => PushTaskOptions<M>): SourceTask {
  return readerTask((context) => Promise.resolve(new PushReader(create(context), context)), ['redeliver'])
}

class PushReader<M> implements SourceReader {
  readonly #source: PushSource<M>
  readonly #options: PushTaskOptions<M>
  readonly #context: TaskContext
  readonly #intake: Intake<M>
  readonly #log: Logger
  readonly #metrics: TaskMetricsLog
  #connection: PushConnection | null = null
  #connects = 0
  #drainingSince: number | null = null

  constructor(options: PushTaskOptions<M>, context: TaskContext) {
    const { connector, stats, memory, clock } = context
    const sessionId = randomUUID()
    this.#source = options.source
    this.#options = options
    this.#context = context
    this.#log = context.log.child({ connector_name: connector, ...options.logFields, session_id: sessionId })
    const busyLog = new RateLimitedLog(this.#log, clock)
    const { maxRecords, maxBytes, overflow } = options
    const offer = context.offer && (() => context.offer!(this.#readNow))
    this.#intake = new Intake({ maxRecords, maxBytes, overflow, stats, memory, clock, busyLog, offer })
    this.#metrics = new TaskMetricsLog(this.#log, clock, stats, sessionId)
    this.#log.info('task_started', { queue_capacity: maxRecords })
  }

  get #connected(): boolean {
    return this.#connection !== null && this.#intake.ended === null
  }

  async connect(signal: AbortSignal): Promise<void> {
    this.#connection?.close()
    this.#connection = null
    const intake = this.#intake.open()
    const connection = await this.#source.connect(sinkOf(intake), signal)
    this.#connection = connection
    intake.attach(connection)
    this.#metrics.connects = ++this.#connects
    this.#log.info('streaming_started')
    if (this.#connects > 1 && !this.#source.resumes()) {
      this.#context.stats.sequenceGaps++
      this.#log.warn('sequence_gap', { reason: 'reconnected_without_resume' })
    }
  }

  async read(waitMs: number, signal: AbortSignal): Promise<SourceRecord[] | null> {
    const messages = await this.#intake.take(this.#options.maxPollRecords, waitMs, signal)
    this.#metrics.maybeWrite(this.#connected)
    if (messages === null) {
      this.#log.info('message_draining_completed', { duration_ms: this.#drainingMs() })
      return null
    }
    return this.#recordsOf(messages)
  }

  /** The records of the next messages, while `read` waits for them. */
  readonly #readNow = (): SourceRecord[] => {
    this.#metrics.maybeWrite(this.#connected)
    return this.#recordsOf(this.#intake.takeNow(this.#options.maxPollRecords))
  }

  #recordsOf(messages: readonly M[]): SourceRecord[] {
    const records: SourceRecord[] = []
    for (const message of messages) {
      const record = this.#source.record(message)
      if (record !== null) records.push(record)
    }
    this.#metrics.handedOut(messages.length, records.length)
    return records
  }

  redeliver(letter: DeadLetter): SourceRecord | null {
    return this.#source.redeliver(letter)
  }

  drain(): void {
    if (this.#drainingSince !== null) return
    this.#drainingSince = this.#context.clock.monotonic()
    this.#log.info('task_stopping')
    this.#metrics.write(this.#connected)
    this.#intake.drain()
    this.#connection?.close()
    this.#log.info('message_draining_started', { queue_size: this.#context.stats.queueSize })
  }

  async close(): Promise<void> {
    this.#connection?.close()
    this.#connection = null
    await this.#intake.close()
    const { messagesReceived, messagesDropped } = this.#context.stats
    this.#log.info('task_stopped', { messages_received: messagesReceived, messages_dropped: messagesDropped })
  }

  #drainingMs(): number {
    const { clock } = this.#context
    return Math.round(clock.monotonic() - (this.#drainingSince ?? clock.monotonic()))
  }
}

/** Counts together the messages that arrive in one callback of the transport. */
function sinkOf<M>(intake: IntakeConnection<M>): PushSink<M> {
  let messages = 0
  let bytes = 0
  const count = (): void => {
    const [m, b] = [messages, bytes]
    messages = bytes = 0
    intake.received(m, b)
  }
  return {
    push: (message, size) => {
      if (messages++ === 0) process.nextTick(count)
      bytes += size
      intake.push(message, size)
    },
    ended: (error) => intake.ended(error),
  }
}
