import type { Clock, QueueMemory, RecordQueue, TaskStats } from '@tributary/connect-api'
import type { Logger } from '@tributary/telemetry'
import type { RateLimitedLog } from '../rate-limited-log.ts'

/** Turns messages into bytes and back. `decode` may keep the buffer that it gets; it throws FatalError for an unknown format. */
export interface Codec<T> {
  encode(message: T): Uint8Array
  decode(bytes: Buffer): T
}

export interface SpillOptions<T> {
  /** The folder of the task on this host. It is created when needed, and removed when empty. */
  readonly dir: string
  /** Most bytes on disk. */
  readonly maxBytes: number
  readonly codec: Codec<T>
  readonly log: Logger
}

export interface SpillParts<T> extends SpillOptions<T> {
  /** The part of the queue in memory. Its messages are younger than all messages on disk. */
  readonly queue: RecordQueue<T>
  readonly memory: QueueMemory
  readonly stats: TaskStats
  readonly clock: Clock
  readonly busyLog: RateLimitedLog
}
