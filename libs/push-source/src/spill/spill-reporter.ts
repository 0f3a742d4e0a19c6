import type { Clock, TaskStats } from '@tributary/connect-api'
import type { Logger } from '@tributary/telemetry'
import type { RateLimitedLog } from '../rate-limited-log.ts'
import { reasonOf } from '../reason-of.ts'
import type { Damage } from './segment-reader.ts'

/** A spill that starts and ends again and again is logged once in this many ms. */
const PERIOD_MS = 30_000

export interface SpillReporterParts {
  readonly dir: string
  readonly maxBytes: number
  readonly log: Logger
  readonly busyLog: RateLimitedLog
  readonly stats: TaskStats
  readonly clock: Clock
}

/** What the disk is asked for. */
export type SpillOperation = 'open' | 'write' | 'sync' | 'release' | 'close'

/** Logs each change of state of a spill, counts damage, and keeps `stats.spillFailure`. */
export class SpillReporter {
  readonly #parts: SpillReporterParts
  #startedAt = -PERIOD_MS
  #started = false
  readonly #failing = new Set<SpillOperation>()

  constructor(parts: SpillReporterParts) {
    this.#parts = parts
  }

  started(): void {
    const { log, clock, dir, maxBytes } = this.#parts
    if (this.#started || clock.monotonic() - this.#startedAt < PERIOD_MS) return
    this.#started = true
    this.#startedAt = clock.monotonic()
    log.warn('spill_started', { reason: 'kafka_slow', dir, spill_max_bytes: maxBytes })
  }

  caughtUp(): void {
    const { log, stats } = this.#parts
    if (!this.#started) return
    this.#started = false
    log.info('spill_ended', { messages_spilled_total: stats.messagesSpilled })
  }

  full(): void {
    const { busyLog, stats, maxBytes } = this.#parts
    busyLog.warn('spill_full', { spill_bytes: stats.spillBytes, spill_max_bytes: maxBytes, action: 'pause' })
  }

  found(bytes: number): void {
    this.#parts.log.info('spill_found', { dir: this.#parts.dir, bytes, reason: 'left by an earlier run' })
  }

  kept(messages: number, lost: number): void {
    const { log, dir } = this.#parts
    if (messages > 0) log.info('spill_kept', { dir, messages, reason: 'not delivered before the stop' })
    if (lost > 0) log.error('messages_abandoned', { messages: lost, reason: 'the disk did not take them' })
  }

  /** Another owner holds the folder, so this task runs without a spill until the folder is free. Health says so, too. */
  locked(): void {
    this.#failing.add('open')
    this.#parts.stats.spillFailure = `another process holds the lock of ${this.#parts.dir}`
    this.#parts.busyLog.warn('spill_locked', { dir: this.#parts.dir, action: 'pause' })
  }

  failed(operation: SpillOperation, error: unknown, action: string): void {
    const { log, dir, stats } = this.#parts
    this.#failing.add(operation)
    stats.spillFailure = failureOf(error, dir)
    log.error('spill_failed', { operation, dir, action, error })
  }

  worked(operation: SpillOperation): void {
    const { log, dir } = this.#parts
    if (this.#heals(operation)) log.info('spill_recovered', { dir })
  }

  /** Nothing waits for a failed operation any more. Nobody knows whether the disk would take it now. */
  unneeded(operation: SpillOperation): void {
    this.#heals(operation)
  }

  /** Whether the last failing operation was this one. */
  #heals(operation: SpillOperation): boolean {
    if (!this.#failing.delete(operation) || this.#failing.size > 0) return false
    this.#parts.stats.spillFailure = null
    return true
  }

  torn({ segment, at, bytes }: Damage): void {
    const { log, dir } = this.#parts
    log.warn('spill_torn_tail', { dir, segment, at, bytes, reason: 'the process died during a write' })
  }

  /** Counts one gap, as the number of lost messages is unknown. */
  damaged({ segment, at, bytes }: Damage): void {
    const { log, dir, stats } = this.#parts
    stats.sequenceGaps++
    log.error('spill_damaged', { dir, segment, at, bytes, reason: 'these bytes are not what was written' })
  }
}

const NO_SPACE = new Set<unknown>(['ENOSPC', 'EDQUOT'])

function failureOf(error: unknown, dir: string): string {
  const { code } = error as { code?: unknown }
  if (NO_SPACE.has(code)) return `the disk that holds ${dir} is full (${String(code)})`
  return `the disk that holds ${dir} fails (${reasonOf(error)})`
}
