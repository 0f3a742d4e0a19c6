import type { Clock, SourcePartition } from '@tributary/connect-api'
import type { ConnectionInfo, Frame } from '../message/message.ts'
import type { Gap, GapReason, SequenceLog } from './gap.ts'

export interface LostConnectionsOptions {
  /** Do numbers show what was lost? Nothing is a gap then that they do not show. */
  readonly numbersTell: boolean
  /** A run before this one stored where it came to. */
  readonly hadFormerRun: boolean
  readonly sourcePartition: SourcePartition
  readonly clock: Clock
  readonly log: SequenceLog
}

/** The first connection of a run; what the run before left on disk has a lower number. */
const FIRST = 1

/** A gap, and the first connection behind it. */
interface Loss {
  readonly connection: number
  readonly gap: Gap
}

/** A gap, and the index of the frame before which it is. */
export interface PlacedLoss {
  readonly at: number
  readonly gap: Gap
}

/** What a feed without telling numbers lost: all that was sent while no connection was there. */
export class LostConnections {
  readonly #options: LostConnectionsOptions
  /** Until the first batch: whether the run before this one ended without a successor. */
  #restarted: boolean
  readonly #losses: Loss[] = []

  constructor(options: LostConnectionsOptions) {
    this.#options = options
    this.#restarted = options.hadFormerRun && !options.numbersTell
  }

  /** Is there something to tell? */
  get pending(): boolean {
    return this.#restarted || this.#losses.length > 0
  }

  /** The run before this one ended only when this one was connected. */
  tookOver(): void {
    this.#restarted = false
  }

  /** `lostAt`: when the connection before it ended, in ms since the epoch. */
  reconnected(connection: ConnectionInfo, lostAt: number): void {
    if (this.#options.numbersTell) return
    this.#losses.push({ connection: connection.number, gap: this.#gap('reconnected', lostAt) })
  }

  /** The losses that lie before a frame of the batch; all of them when no frame is queued any more. */
  take(frames: readonly Frame[]): PlacedLoss[] {
    if (this.#restarted) {
      this.#restarted = false
      this.#losses.unshift({ connection: FIRST, gap: this.#gap('restarted', null) })
    }
    const placed: PlacedLoss[] = []
    while (this.#losses.length > 0) {
      const { connection, gap } = this.#losses[0]!
      const at = frames.length === 0 ? 0 : frames.findIndex((frame) => frame.connection.number >= connection)
      if (at < 0) break
      placed.push({ at, gap })
      this.#losses.shift()
    }
    return placed
  }

  #gap(reason: GapReason, lostAt: number | null): Gap {
    const { sourcePartition, clock, log } = this.#options
    const gap: Gap = {
      reason,
      stream: null,
      partition: sourcePartition,
      from: null,
      to: null,
      count: null,
      lostAt,
      detectedAt: clock.now(),
      duplicate: false,
    }
    log.gap(gap)
    return gap
  }
}
