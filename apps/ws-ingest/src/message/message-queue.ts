import type { Clock, TaskContext } from '@tributary/connect-api'
import { Intake, type OverflowPolicy, type RateLimitedLog } from '@tributary/push-source'
import type { Logger } from '@tributary/telemetry'
import type { WebSocketConfig } from '../config/config.ts'
import { FrameCodec } from './message-codec.ts'
import type { DecodeMessage, Frame } from './message.ts'

export interface IntakeParts {
  readonly config: WebSocketConfig
  readonly context: Pick<TaskContext, 'stats' | 'clock' | 'dataDir'>
  readonly decode: DecodeMessage
  readonly log: Logger
  readonly busyLog: RateLimitedLog
}

/** The queue between a feed and its records, and beside it, where that is wanted, the disk. */
export function createIntake(parts: IntakeParts): Intake<Frame> {
  const { config, context, busyLog } = parts
  return new Intake({
    maxRecords: config['websocket.message.queue.size'],
    maxBytes: config['queue.max.bytes'],
    overflow: overflowOf(parts),
    stats: context.stats,
    clock: context.clock,
    busyLog,
  })
}

function overflowOf({ config, context, decode, log }: IntakeParts): OverflowPolicy<Frame> {
  const policy = config['overflow.policy']
  if (policy === 'spill') {
    const maxBytes = config['spill.max.bytes']
    return { dir: context.dataDir, maxBytes, codec: new FrameCodec(decode), log }
  }
  return policy === 'drop' ? 'drop' : 'pause'
}

/**
 * The messages that one read of a socket brought: they come within one callback, share the time of the read, and are counted
 * together behind the last of them.
 */
export class Burst {
  readonly #clock: Clock
  readonly #over: (messages: number, bytes: number) => void
  #at: number | null = null
  #messages = 0
  #bytes = 0

  /** `over` is called behind the callback that brought the messages, before any promise that they resolved is seen. */
  constructor(clock: Clock, over: (messages: number, bytes: number) => void) {
    this.#clock = clock
    this.#over = over
  }

  /** ms since the epoch at which the present burst began; the first question begins it. */
  get at(): number {
    if (this.#at === null) {
      this.#at = this.#clock.now()
      process.nextTick(() => this.#end())
    }
    return this.#at
  }

  /** A message of `bytes` bytes has been taken, of those that `at` was asked for. */
  add(bytes: number): void {
    this.#messages++
    this.#bytes += bytes
  }

  #end(): void {
    const [messages, bytes] = [this.#messages, this.#bytes]
    this.#at = null
    this.#messages = 0
    this.#bytes = 0
    if (messages > 0) this.#over(messages, bytes)
  }
}
