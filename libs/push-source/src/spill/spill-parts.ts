import type { Clock, RecordQueue, TaskStats } from '@tributary/connect-api'
import type { Logger } from '@tributary/telemetry'
import type { RateLimitedLog } from '../rate-limited-log.ts'

/** A message as bytes and back; `decode` gets a view that is its own. Throws FatalError on what no version of it wrote. */
export interface Codec<T> {
  encode(message: T): Uint8Array
  decode(bytes: Buffer): T
}

export interface SpillOptions<T> {
  /** The task's own folder on this host; made when it is needed, removed when it is empty. */
  readonly dir: string
  /** Bytes on disk at most. */
  readonly maxBytes: number
  readonly codec: Codec<T>
  readonly log: Logger
}

export interface SpillParts<T> extends SpillOptions<T> {
  /** What waits in memory: all of it is younger than all that is on disk. */
  readonly queue: RecordQueue<T>
  readonly stats: TaskStats
  readonly clock: Clock
  readonly busyLog: RateLimitedLog
}
