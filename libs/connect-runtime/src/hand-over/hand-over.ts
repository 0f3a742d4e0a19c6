import type { TargetState } from '@tributary/connect-storage'
import type { Logger } from '@tributary/telemetry'
import { runOutsideScopes } from '../isolation/plugin-scope.ts'
import { type FormerRun, FormerRunGoesOn } from './predecessor-run.ts'
import type { TaskRun } from '../unit/task-run.ts'

/** Why a task gets a new run while the present one could go on. */
export type HandOverReason = 'config_changed' | 'connection_age'

export interface HandOverOptions {
  readonly former: TaskRun
  readonly successor: TaskRun
  readonly reason: HandOverReason
  readonly log: Logger
  /** The former run has ended: from now on the task is the successor's. */
  readonly onFormerEnded: () => void
}

/**
 * - `handed_over`: the successor is the task's run now, whatever becomes of it
 * - `kept`: the successor came to nothing, and nothing has changed for the former run
 * - `cancelled`: the same, as someone wanted something else
 * - `lost`: the former run has ended, and the successor before it
 */
export type HandOverOutcome = 'handed_over' | 'kept' | 'cancelled' | 'lost'

/** A run of a task in this process follows another one with overlap. To the successor it is the former run. */
export class HandOver implements FormerRun {
  readonly reason: HandOverReason
  readonly successor: TaskRun
  readonly #options: HandOverOptions
  #finishing: Promise<string | null> | null = null
  #outcome: HandOverOutcome = 'kept'
  /** Why the former run goes on, where the successor has not failed. */
  #why: string | undefined
  readonly #finished = Promise.withResolvers<void>()

  constructor(options: HandOverOptions) {
    this.#options = options
    this.reason = options.reason
    this.successor = options.successor
  }

  /** Starts the successor; resolves as soon as it is decided how this ends. Never rejects. */
  async run(target: TargetState): Promise<HandOverOutcome> {
    const { successor, log } = this.#options
    log.info('hand_over_started', { reason: this.reason })
    successor.start(target, this)
    await Promise.race([successor.ended, this.#finished.promise])
    if (this.#finishing !== null) await this.#finished.promise
    this.#tell()
    return this.#outcome
  }

  /** Someone wanted something else before the former run was asked to end. */
  get cancelled(): boolean {
    return this.#outcome === 'cancelled'
  }

  /** A full queue pauses the transport until it is half empty; without Kafka what is queued could only be given up. */
  behind(): boolean {
    const created = this.#options.former.created
    if (created === null) return false
    const { queueSize, queueCapacity, queueBytes, queueMaxBytes } = created.stats
    return queueSize > queueCapacity / 2 || queueBytes > queueMaxBytes / 2 || created.outage() !== null
  }

  finish(connected: boolean): Promise<string | null> {
    if (this.reason === 'connection_age' && (!connected || this.behind())) {
      this.#why = connected
        ? 'the present run is behind, as Kafka is slow or away'
        : 'the source took no second connection in time'
      return Promise.reject(new FormerRunGoesOn())
    }
    this.#finishing = runOutsideScopes(() => this.#finish())
    return this.#finishing
  }

  /** Gives the successor up where the former run was not asked to end; otherwise the hand-over just goes on. */
  cancel(): void {
    if (this.#finishing !== null || this.cancelled) return
    this.#outcome = 'cancelled'
    void this.successor.end('stop')
  }

  /** The task is to end here: the former run delivers what it can within the time of any stop. */
  hurry(): void {
    if (this.#finishing !== null) void this.#options.former.end('stop')
  }

  /** A connection that was only too old need not be replaced when its run has failed. */
  formerFailed(): void {
    if (this.reason === 'connection_age') this.cancel()
  }

  async #finish(): Promise<string | null> {
    const { former, successor, onFormerEnded } = this.#options
    try {
      await former.end('patient')
    } finally {
      this.#outcome = successor.over ? 'lost' : 'handed_over'
      onFormerEnded()
      this.#finished.resolve()
    }
    // With a changed configuration its failure is a thing of the past, as at any restart.
    if (former.failure !== null && this.reason === 'connection_age') throw former.failure.error
    return former.created?.run.memo ?? null
  }

  #tell(): void {
    const { log, successor } = this.#options
    const { reason } = this
    if (this.#outcome === 'handed_over') log.info('hand_over_completed', { reason })
    else if (this.cancelled) log.info('hand_over_cancelled', { reason })
    else log.warn('hand_over_failed', { reason, why: this.#why, error: successor.failure?.error })
  }
}
