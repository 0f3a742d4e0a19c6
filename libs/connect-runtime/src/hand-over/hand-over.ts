import type { TaskStats } from '@tributary/connect-api'
import type { TargetState } from '@tributary/connect-storage'
import type { Logger } from '@tributary/telemetry'
import { runOutsideScopes } from '../isolation/plugin-scope.ts'
import { PredecessorGoesOn, type PredecessorRun } from './predecessor.ts'

/** Why a task gets a new run while the present one could go on. */
export type HandOverReason = 'config_changed' | 'connection_age'

/** A run that another one may overlap: the parts of a `TaskRun` that a hand-over needs. */
export interface OverlappingRun {
  /** null before its start, and where it could not be created. */
  readonly created: {
    readonly stats: Pick<TaskStats, 'queueSize' | 'queueCapacity' | 'queueBytes' | 'queueMaxBytes'>
    /** Why Kafka does not take its records at present; null while Kafka does. */
    readonly outage: () => Error | null
    readonly run: { readonly handOverState: string | null }
  } | null
  readonly failure: { readonly error: unknown } | null
  readonly over: boolean
  readonly ended: Promise<void>
  start(target: TargetState, predecessor: PredecessorRun): void
  /** `patient`: the successor is there, and can wait until Kafka has everything. */
  end(how: 'stop' | 'patient'): Promise<void>
}

export interface HandOverOptions<R extends OverlappingRun> {
  readonly predecessor: R
  readonly successor: R
  readonly reason: HandOverReason
  readonly log: Logger
  /** The predecessor has ended: from now on the task is the successor's. */
  readonly onPredecessorEnded: () => void
}

/**
 * - `handed_over`: the successor is the task's run now, whatever becomes of it
 * - `kept`: the successor failed, and the predecessor goes on as if nothing had happened
 * - `cancelled`: the same, because a newer request made the successor obsolete
 * - `lost`: the predecessor has ended, and the successor had ended before it
 */
export type HandOverOutcome = 'handed_over' | 'kept' | 'cancelled' | 'lost'

/** Has one run of a task in this process follow another with overlap. To the successor this is the predecessor. */
export class HandOver<R extends OverlappingRun = OverlappingRun> implements PredecessorRun {
  readonly reason: HandOverReason
  readonly successor: R
  readonly #options: HandOverOptions<R>
  #finishing: Promise<string | null> | null = null
  #outcome: HandOverOutcome = 'kept'
  /** Why the predecessor goes on, where the successor has not failed. */
  #why: string | undefined
  readonly #finished = Promise.withResolvers<void>()

  constructor(options: HandOverOptions<R>) {
    this.#options = options
    this.reason = options.reason
    this.successor = options.successor
  }

  /** Starts the successor. Resolves as soon as the outcome is certain. Never rejects. */
  async run(target: TargetState): Promise<HandOverOutcome> {
    const { successor, log } = this.#options
    log.info('hand_over_started', { reason: this.reason })
    successor.start(target, this)
    await Promise.race([successor.ended, this.#finished.promise])
    if (this.#finishing !== null) await this.#finished.promise
    this.#logOutcome()
    return this.#outcome
  }

  /** A newer request came before the predecessor was asked to end. */
  get cancelled(): boolean {
    return this.#outcome === 'cancelled'
  }

  /** A full queue pauses the transport until it is half empty. Without Kafka the predecessor could only give its queue up. */
  behind(): boolean {
    const created = this.#options.predecessor.created
    if (created === null) return false
    const { queueSize, queueCapacity, queueBytes, queueMaxBytes } = created.stats
    return queueSize > queueCapacity / 2 || queueBytes > queueMaxBytes / 2 || created.outage() !== null
  }

  finish(connected: boolean): Promise<string | null> {
    if (this.reason === 'connection_age' && (!connected || this.behind())) {
      this.#why = connected
        ? 'the present run is behind, as Kafka is slow or away'
        : 'the source took no second connection in time'
      return Promise.reject(new PredecessorGoesOn())
    }
    this.#finishing = runOutsideScopes(() => this.#finish())
    return this.#finishing
  }

  /** Gives the successor up, if the predecessor was not asked to end yet. Otherwise the hand-over just goes on. */
  cancel(): void {
    if (this.#finishing !== null || this.cancelled) return
    this.#outcome = 'cancelled'
    void this.successor.end('stop')
  }

  /** The task is to end here: the predecessor delivers what it can within the time of any stop. */
  hurry(): void {
    if (this.#finishing !== null) void this.#options.predecessor.end('stop')
  }

  /** A connection that was only too old need not be replaced once its run has failed. */
  predecessorFailed(): void {
    if (this.reason === 'connection_age') this.cancel()
  }

  async #finish(): Promise<string | null> {
    const { predecessor, successor, onPredecessorEnded } = this.#options
    try {
      await predecessor.end('patient')
    } finally {
      this.#outcome = successor.over ? 'lost' : 'handed_over'
      onPredecessorEnded()
      this.#finished.resolve()
    }
    // After a changed configuration the predecessor's failure no longer matters, as at any restart.
    if (predecessor.failure !== null && this.reason === 'connection_age') throw predecessor.failure.error
    return predecessor.created?.run.handOverState ?? null
  }

  #logOutcome(): void {
    const { log, successor } = this.#options
    const { reason } = this
    if (this.#outcome === 'handed_over') log.info('hand_over_completed', { reason })
    else if (this.cancelled) log.info('hand_over_cancelled', { reason })
    else log.warn('hand_over_failed', { reason, why: this.#why, error: successor.failure?.error })
  }
}
