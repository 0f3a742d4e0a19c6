import type { Clock, inFlightCost, TaskContext } from '@tributary/connect-api'
import { Intake, type IntakeConnection, type OverflowPolicy, type RateLimitedLog } from '@tributary/push-source'
import type { Logger } from '@tributary/telemetry'
import { flow, type WebSocketConfig } from '../config/config.ts'
import { MessageCodec } from './message-codec.ts'
import type { DecodeMessage } from './message.ts'
import type { MessageRun } from './message-run.ts'

export interface IntakeOptions {
  readonly config: WebSocketConfig
  readonly context: Pick<TaskContext, 'stats' | 'memory' | 'clock' | 'dataDir' | 'preview'>
  readonly decode: DecodeMessage
  readonly log: Logger
  readonly busyLog: RateLimitedLog
  readonly records: { readonly recordCost: typeof inFlightCost }
  /** See IntakeOptions of push-source. */
  readonly offer: (() => boolean) | undefined
}

/** Creates the queue between the socket and `poll`, with a spill to disk if `overflow.policy` asks for one. */
export function createIntake(options: IntakeOptions): Intake<MessageRun> {
  const { config, context, busyLog, records, offer } = options
  return new Intake({
    ...flow.options(config),
    overflow: overflowOf(options),
    stats: context.stats,
    memory: context.memory,
    clock: context.clock,
    busyLog,
    recordCost: records.recordCost,
    offer,
    split: (run, count) => [run.slice(0, count), run.slice(count, run.count)],
  })
}

/**
 * Queues messages that arrived together. One item holds them all, unless each may have a fate of its own: to be dropped, or to be
 * written to disk.
 */
export function enqueue(intake: IntakeConnection<MessageRun>, run: MessageRun, config: WebSocketConfig): void {
  if (run.count === 1 || config['overflow.policy'] === 'pause') {
    intake.push(run, run.heldBytes, run.count)
    return
  }
  for (let i = 0; i < run.count; i++) {
    const one = run.slice(i, i + 1)
    intake.push(one, one.heldBytes)
  }
}

function overflowOf({ config, context, decode, log }: IntakeOptions): OverflowPolicy<MessageRun> {
  const policy = config['overflow.policy']
  if (policy === 'spill' && context.preview === undefined) {
    const maxBytes = config['spill.max.bytes']
    return { dir: context.dataDir, maxBytes, codec: new MessageCodec(decode), log }
  }
  return policy === 'drop' ? 'drop' : 'pause'
}

/**
 * The messages from one read of a socket. They arrive within one callback, share one reception time and are counted
 * together after the last of them.
 */
export class Burst {
  readonly #clock: Clock
  readonly #onEnd: (messages: number, bytes: number) => void
  readonly #endLater = (): void => this.#end()
  #at: number | null = null
  #messages = 0
  #bytes = 0

  /** `onEnd` is called after the callback that delivered the messages, and before any promise that they resolved. */
  constructor(clock: Clock, onEnd: (messages: number, bytes: number) => void) {
    this.#clock = clock
    this.#onEnd = onEnd
  }

  /** ms since the epoch at which the current burst began; the first access begins a burst. */
  get at(): number {
    if (this.#at === null) {
      this.#at = this.#clock.now()
      process.nextTick(this.#endLater)
    }
    return this.#at
  }

  /** Counts messages of `bytes` bytes in the current burst. */
  add(messages: number, bytes: number): void {
    this.#messages += messages
    this.#bytes += bytes
  }

  #end(): void {
    const [messages, bytes] = [this.#messages, this.#bytes]
    this.#at = null
    this.#messages = 0
    this.#bytes = 0
    if (messages > 0) this.#onEnd(messages, bytes)
  }
}
