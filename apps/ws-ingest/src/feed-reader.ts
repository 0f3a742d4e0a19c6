import { NotConnectedError, type SourceRecord, type TaskContext } from '@tributary/connect-api'
import { Intake, type RateLimitedLog, type TaskMetricsLog } from '@tributary/push-source'
import type { Logger } from '@tributary/telemetry'
import { type ConnectionInfo, Frame } from './frame.ts'
import type { RecordBuilder } from './record/record-builder.ts'
import type { WebSocketConfig } from './spec.ts'
import type { ConnectionEnd, OpenWebSocket, WebSocketConnection } from './transport/index.ts'

/** The parts of a running task; `createFeedReader` puts them together. */
export interface FeedReaderParts {
  readonly context: TaskContext
  readonly config: WebSocketConfig
  readonly open: OpenWebSocket
  readonly log: Logger
  readonly busyLog: RateLimitedLog
  readonly builder: RecordBuilder
  readonly metrics: TaskMetricsLog
}

/** Reads one feed: connects, again and again when asked to, and turns what was queued into records. */
export class FeedReader {
  readonly #parts: FeedReaderParts
  readonly #intake: Intake<Frame>
  #connection: WebSocketConnection | null = null
  #connects = 0

  constructor(parts: FeedReaderParts) {
    const { config, context, busyLog } = parts
    this.#parts = parts
    this.#intake = new Intake({
      maxRecords: config['websocket.message.queue.size'],
      maxBytes: config['queue.max.bytes'],
      overflow: 'pause',
      transport: () => this.#connection,
      stats: context.stats,
      clock: context.clock,
      busyLog,
    })
  }

  /** Opens a connection and its session. Resolves once the feed streams. */
  async connect(signal: AbortSignal): Promise<void> {
    const { config, context, open, log, metrics } = this.#parts
    this.#connection?.terminate()
    const info: ConnectionInfo = { number: this.#connects + 1 }
    const token = config['websocket.auth.token']?.reveal()
    this.#connection = await open(
      {
        url: config['websocket.url'],
        headers: token ? { Authorization: `Bearer ${token}` } : {},
        timeoutMs: config['websocket.connection.timeout.ms'],
      },
      {
        onMessage: (data, binary) => {
          this.#intake.push(new Frame(data, binary, context.clock.now(), info), data.length)
          this.#intake.received(1, data.length)
        },
        onEnd: (end) => this.#ended(end),
      },
      signal,
    )
    this.#connects++
    metrics.connects = this.#connects
    this.#intake.opened()
    log.info('websocket_opened', { response_code: this.#connection.responseCode })
    const subscription = config['websocket.subscription.message']
    if (subscription) this.#connection.send(subscription)
  }

  /** The records of the next messages; [] after `waitMs` without one, null when a drained feed is at its end. */
  async read(waitMs: number, signal: AbortSignal): Promise<SourceRecord[] | null> {
    const { builder, config, metrics } = this.#parts
    const frames = await this.#intake.take(config['max.poll.records'], waitMs, signal)
    metrics.maybeWrite(this.#connection !== null)
    if (frames === null) return null
    const records = builder.build(frames)
    metrics.recordsProduced += records.length
    return records
  }

  /** Ends intake; `read` hands out what is queued, then null. */
  drain(): void {
    this.#intake.drain()
    this.#connection?.close(1000, 'Connector shutdown')
  }

  close(): void {
    this.#connection?.terminate()
    this.#connection = null
  }

  #ended({ code, reason, error }: ConnectionEnd): void {
    this.#connection = null
    this.#parts.log.info('websocket_closed', { code, reason })
    this.#intake.ended(
      new NotConnectedError('WEBSOCKET_CLOSED', `The connection ended: ${code} ${reason}`, { cause: error }),
    )
  }
}
