import type { MemoryShare, TaskStats } from '@tributary/connect-api'
import type { TargetState } from '@tributary/connect-storage'
import type { Logger } from '@tributary/telemetry'
import type { Reconnector } from '../connection/reconnector.ts'
import { runOutsideScopes } from '../isolation/plugin-scope.ts'
import { PredecessorGoesOn, type PredecessorRun } from './predecessor.ts'

/** Why a new connection replaces one that is open. If the new run fails, the present run goes on. */
export type ReplaceReason = 'connection_age' | 'connection_ending'
/** Why a new run replaces a run that could go on. */
export type HandOverReason = 'config_changed' | ReplaceReason

/** The parts of a `TaskRun` that a hand-over needs. */
export interface OverlappingRun {
  /** null before the start of the run, and when the task could not be created. */
  readonly created: {
    readonly stats: Pick<TaskStats, 'queueSize' | 'queueCapacity' | 'queueBytes' | 'queueMaxBytes'>
    readonly memory: Pick<MemoryShare, 'waiting'>
    /** Why Kafka does not take the run's records at present; null while Kafka does. */
    readonly outage: () => Error | null
    readonly run: {
      readonly handOverState: string | null
      readonly connection: Pick<Reconnector, 'hold' | 'release' | 'connected' | 'lastError'>
    }
  } | null
  readonly failure: { readonly error: unknown } | null
  readonly over: boolean
  readonly ended: Promise<void>
  start(target: TargetState, predecessor: PredecessorRun): void
  /** `patient`: the successor is connected, so the run may wait until Kafka has everything. */
  end(how: 'stop' | 'patient'): Promise<void>
}

export interface HandOverOptions<R extends OverlappingRun> {
  readonly predecessor: R
  readonly successor: R
  readonly reason: HandOverReason
  readonly log: Logger
  /** Called when the predecessor has ended. From then on the successor runs the task. */
  readonly onPredecessorEnded: () => void
}

/**
 * - `handed_over`: the predecessor has ended, and the successor runs the task
 * - `kept`: the successor failed, and the predecessor goes on unchanged
 * - `cancelled`: a newer request made the successor obsolete, and the predecessor goes on unchanged
 * - `lost`: the successor had ended before the predecessor ended, so no run is left
 */
export type HandOverOutcome = 'handed_over' | 'kept' | 'cancelled' | 'lost'

/** Replaces one run of a task by another in this process, with overlap. The successor sees this object as its predecessor. */
export class HandOver<R extends OverlappingRun = OverlappingRun> implements PredecessorRun {
  readonly reason: HandOverReason
  readonly successor: R
  readonly #options: HandOverOptions<R>
  #finishing: Promise<string | null> | null = null
  #outcome: HandOverOutcome = 'kept'
  /** Why the predecessor goes on although the successor has not failed; undefined otherwise. */
  #why: string | undefined
  readonly #finished = Promise.withResolvers<void>()
  /** Whether the source took no second connection although the first one lived on, so an outage or a late answer is no reason. */
  refused = false

  constructor(options: HandOverOptions<R>) {
    this.#options = options
    this.reason = options.reason
    this.successor = options.successor
  }

  /** Starts the successor. Resolves as soon as the outcome is certain. Never rejects. */
  async run(target: TargetState): Promise<HandOverOutcome> {
    const { predecessor, successor, log } = this.#options
    log.info('hand_over_started', { reason: this.reason })
    // A source that allows one connection ends that of the predecessor now. Two runs that connect again would go on ending each other.
    predecessor.created?.run.connection.hold()
    successor.start(target, this)
    await Promise.race([successor.ended, this.#finished.promise])
    if (this.#finishing !== null) await this.#finished.promise
    else if (this.#outcome === 'kept' && successor.failure !== null)
      this.refused = this.#refusedWith(successor.failure.error)
    predecessor.created?.run.connection.release()
    this.#logOutcome()
    return this.#outcome
  }

  /** Whether a newer request cancelled the hand-over before the predecessor was asked to end. */
  get cancelled(): boolean {
    return this.#outcome === 'cancelled'
  }

  /**
   * The predecessor is behind while its queue is more than half full, since a full queue pauses the transport until half of it is
   * free, and while it waits for memory of the process, which pauses the transport too. Without Kafka the predecessor is behind too,
   * since it could only abandon its queue.
   */
  behind(): boolean {
    const created = this.#options.predecessor.created
    if (created === null) return false
    const { queueSize, queueCapacity, queueBytes, queueMaxBytes } = created.stats
    if (created.memory.waiting) return true
    return queueSize > queueCapacity / 2 || queueBytes > queueMaxBytes / 2 || created.outage() !== null
  }

  finish(connected: boolean): Promise<string | null> {
    if (!connected) this.refused = this.#refusedWith(this.successor.created?.run.connection.lastError ?? null)
    if (this.reason !== 'config_changed' && (!connected || this.behind())) {
      this.#why = connected
        ? 'the present run is behind, as Kafka is slow or unreachable'
        : 'the source took no second connection in time'
      return Promise.reject(new PredecessorGoesOn())
    }
    this.#finishing = runOutsideScopes(() => this.#finish())
    return this.#finishing
  }

  /** Stops the successor, unless the predecessor was asked to end already. In that case the hand-over goes on. */
  cancel(): void {
    if (this.#finishing !== null || this.cancelled) return
    this.#outcome = 'cancelled'
    void this.successor.end('stop')
  }

  /** Ends the patience with an ending predecessor, since the task is to stop: the graceful timeout of a stop applies. */
  hurry(): void {
    if (this.#finishing !== null) void this.#options.predecessor.end('stop')
  }

  /** Cancels a hand-over because of a connection's age or end, since the predecessor has failed and its restart connects anew. */
  predecessorFailed(): void {
    if (this.reason !== 'config_changed') this.cancel()
  }

  /** Call it before the predecessor ends. `error`: why the successor has no connection; null: no try has ended yet. */
  #refusedWith(error: unknown): boolean {
    const lives = this.#options.predecessor.created?.run.connection.connected ?? false
    return lives && error !== null && (error as { code?: unknown }).code !== 'CONNECT_TIMEOUT'
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
    // After a change of the configuration the predecessor's failure does not matter, as at any restart.
    if (predecessor.failure !== null && this.reason !== 'config_changed') throw predecessor.failure.error
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
