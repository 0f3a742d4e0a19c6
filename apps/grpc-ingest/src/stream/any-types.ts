import { backoffMs } from '@tributary/async'
import { type Clock, NotConnectedError, type Polled, recordsIn } from '@tributary/connect-api'
import { reasonOf } from '@tributary/push-source'
import type { Logger } from '@tributary/telemetry'
import type { RecordBuilder } from '../records/record-builder.ts'
import type { GrpcConfig } from '../config/spec.ts'
import type { Root } from '../schema/index.ts'
import type { GrpcConnection } from './connection.ts'
import { planWith, type StreamPlan } from './stream-plan.ts'

export interface AnyTypesOptions {
  readonly config: GrpcConfig
  readonly builder: RecordBuilder
  readonly log: Logger
  readonly clock: Clock
  /**
   * Opens a connection of its own for the questions: that of the stream may have ended, or have a full HTTP/2 window,
   * behind which an answer would wait. Rejects with NotConnectedError.
   */
  readonly open: (signal: AbortSignal) => Promise<GrpcConnection>
}

/** Questions about one type that may fail before the type counts as unknown, while the stream itself goes on. */
const MAX_TRIES = 3

/** Time in ms for all questions of a run that stops: the queued messages must still be delivered after them. */
const LAST_QUESTIONS_MS = 3000

/**
 * Asks the server for the types of Any values that the schema lacks: each once a connection. The records that need them
 * are held meanwhile.
 */
export class AnyTypes {
  readonly #options: AnyTypesOptions
  /** Types that need no question any more: Infinity. Else the questions that failed. */
  readonly #asked = new Map<string, number>()
  /** Records that wait for the answer. */
  #held: Polled[] | null = null
  /** Questions in a row that failed without a stream. */
  #failures = 0
  /** Without a stream the next question waits until then, in ms of the monotonic clock. */
  #nextAt = -Infinity
  #draining = false
  /** Ends the questions of a run that stops. */
  readonly #tooLate = new AbortController()

  constructor(options: AnyTypesOptions) {
    this.#options = options
  }

  get holds(): boolean {
    return this.#held !== null
  }

  /** The sentence for health while records wait for a server that is away; null otherwise. */
  get caution(): string | null {
    return this.#held === null || this.#failures === 0
      ? null
      : `${this.#held.reduce((sum, record) => sum + recordsIn(record), 0)} record(s) and the messages behind them wait for a type of Any, because the server cannot be asked for it (log event any_type_question_failed).`
  }

  /** A new stream: the server may be another one. */
  connected(): void {
    this.#asked.clear()
  }

  /** The run stops: a question that fails from now on releases the records as they are. */
  drain(): void {
    if (this.#serverSendsAgain) return
    this.#draining = true
    setTimeout(() => this.#tooLate.abort(), LAST_QUESTIONS_MS).unref()
  }

  /** Forgets held records. */
  drop(): void {
    this.#held = null
  }

  /** Takes the records of a batch. They are held until `release` returns them, behind those that are held already. */
  hold(records: Polled[]): void {
    this.#held = this.#held === null ? records : [...this.#held, ...records]
  }

  /**
   * The held records, with the types that the server knows; null: try again later. `plan` is the present plan, and
   * `learned` takes a better one. Without a stream (`streaming` false) the server may be away, so questions that fail are
   * repeated with backoff, without a limit; a stream is not given up for them. Rejects with NotConnectedError only where
   * the server sends held records again.
   */
  async release(
    plan: StreamPlan,
    learned: (plan: StreamPlan) => void,
    streaming: boolean,
    signal: AbortSignal,
  ): Promise<Polled[] | null> {
    let held = this.#held ?? []
    for (let names = this.#unasked(plan); names.length > 0; names = this.#unasked(plan)) {
      if (!streaming && !this.#draining && this.#options.clock.monotonic() < this.#nextAt) return null
      try {
        const better = await this.#ask(plan, names, AbortSignal.any([signal, this.#tooLate.signal]))
        this.#failures = 0
        if (better === null) continue
        plan = better
        learned(plan)
        held = this.#options.builder.decodeAgain(held)
      } catch (error) {
        signal.throwIfAborted()
        if (!this.#draining && !(error instanceof NotConnectedError)) throw error
        if (!streaming && this.#serverSendsAgain) throw error
        this.#options.log.warn('any_type_question_failed', { types: names.join(','), error: reasonOf(error) })
        if (this.#draining) {
          this.#tooLate.abort()
          break
        }
        this.#failed(names, streaming)
        return null
      }
    }
    plan.decoder.unknownTypes.clear()
    this.#held = null
    return held
  }

  /** After a restart the server sends again what was not delivered. Otherwise this run has the only copy. */
  get #serverSendsAgain(): boolean {
    return this.#options.config['grpc.resume.request.field'] !== null
  }

  #failed(names: readonly string[], streaming: boolean): void {
    if (streaming) {
      for (const name of names) this.#asked.set(name, (this.#asked.get(name) ?? 0) + 1)
      return
    }
    const { config, clock } = this.#options
    const wait = { baseMs: config['grpc.reconnect.interval.ms'], maxMs: config['grpc.reconnect.backoff.max.ms'] }
    this.#nextAt = clock.monotonic() + backoffMs(++this.#failures, wait)
  }

  #unasked({ decoder }: StreamPlan): string[] {
    return [...decoder.unknownTypes].filter((name) => (this.#asked.get(name) ?? 0) < MAX_TRIES)
  }

  /** The plan with the types that the server knows; null when it knows none. */
  async #ask({ root }: StreamPlan, names: readonly string[], signal: AbortSignal): Promise<StreamPlan | null> {
    const { config, log, open } = this.#options
    let known = root
    const connection = await open(signal)
    try {
      for (const name of names) {
        const more: Root | null = known && (await connection.reflectType(known, name, signal))
        this.#asked.set(name, Infinity)
        log.info('any_type_asked', { type: name, found: more !== null })
        known = more ?? known
      }
    } finally {
      connection.close()
    }
    return known === null || known === root ? null : planWith(config, known)
  }
}
