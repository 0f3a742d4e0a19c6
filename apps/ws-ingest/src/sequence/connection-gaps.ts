import type { Clock, SourcePartition } from '@tributary/connect-api'
import type { ConnectionInfo, Message } from '../message/message.ts'
import type { Gap, GapReason, PlacedGap, SequenceLog } from './gap.ts'

export interface ConnectionGapsOptions {
  /** Sequence numbers reveal lost messages. A lost connection is then not a gap by itself. */
  readonly numbersSpanConnections: boolean
  /** A predecessor committed an offset. */
  readonly hasPredecessor: boolean
  readonly sourcePartition: SourcePartition
  readonly clock: Clock
  readonly log: SequenceLog
}

/** Number of the first connection of a run; messages of predecessors on disk have a lower number. */
const FIRST = 1

/** A gap, and the number of the first connection after it. */
interface PendingGap {
  readonly connection: number
  readonly gap: Gap
}

/** The gaps of a feed whose numbers do not reveal lost messages: each period without a connection is a gap. */
export class ConnectionGaps {
  readonly #options: ConnectionGapsOptions
  /** Until the first batch: the predecessor ended before this run was connected. */
  #restarted: boolean
  readonly #gaps: PendingGap[] = []

  constructor(options: ConnectionGapsOptions) {
    this.#options = options
    this.#restarted = options.hasPredecessor && !options.numbersSpanConnections
  }

  /** Whether `take` may return a gap. */
  get pending(): boolean {
    return this.#restarted || this.#gaps.length > 0
  }

  /** The predecessor was connected until this run was connected, so nothing was lost. */
  overlapped(): void {
    this.#restarted = false
  }

  /** `lostAt`: end of the previous connection, in ms since the epoch. */
  reconnected(connection: ConnectionInfo, lostAt: number): void {
    if (this.#options.numbersSpanConnections) return
    this.#gaps.push({ connection: connection.number, gap: this.#newGap('reconnected', lostAt) })
  }

  /** The gaps before messages of this batch, `at` their indexes; all gaps if the batch is empty. */
  take(messages: readonly Message[]): PlacedGap[] {
    if (this.#restarted) {
      this.#restarted = false
      this.#gaps.unshift({ connection: FIRST, gap: this.#newGap('restarted', null) })
    }
    const placed: PlacedGap[] = []
    while (this.#gaps.length > 0) {
      const { connection, gap } = this.#gaps[0]!
      const at = messages.length === 0 ? 0 : messages.findIndex((message) => message.connection.number >= connection)
      if (at < 0) break
      placed.push({ at, gap })
      this.#gaps.shift()
    }
    return placed
  }

  #newGap(reason: GapReason, lostAt: number | null): Gap {
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
