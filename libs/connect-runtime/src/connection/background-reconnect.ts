import type { NotConnectedError, SourceTask } from '@tributary/connect-api'
import type { Reconnector } from './reconnector.ts'

/** While Kafka takes nothing, the connection is checked this often, in ms. */
const CHECK_MS = 100

export interface BackgroundReconnectOptions {
  readonly task: Pick<SourceTask, 'lostConnection'>
  readonly connection: Reconnector
  /** Ends a connect that is under way. */
  readonly signal: AbortSignal
}

/**
 * Reconnects a source while its run waits for Kafka. Such a run does not poll, so it would learn only when Kafka is back that its
 * connection has ended, although the source could still deliver what is sent meanwhile. The messages of the old connection are
 * still queued then. So the outcome of the connect takes effect after those messages.
 */
export class BackgroundReconnect {
  readonly #options: BackgroundReconnectOptions
  #underWay: Promise<void> | null = null
  #failure: unknown = null
  #queued = false

  constructor(options: BackgroundReconnectOptions) {
    this.#options = options
  }

  /** A connection ended meanwhile, and its messages may still be queued: the run polls before it does anything else about the end. */
  get queued(): boolean {
    return this.#queued
  }

  /** Settles as `delivery` does, and checks the connection as long as that takes. */
  async during<T>(delivery: Promise<T>): Promise<T> {
    if (!this.#options.task.lostConnection) return delivery
    const timer = setInterval(() => this.#check(), CHECK_MS)
    try {
      return await delivery
    } finally {
      clearInterval(timer)
    }
  }

  /** Nothing is queued any more: awaits a connect that is under way, and throws what cannot heal. False: there was none. */
  async settle(): Promise<boolean> {
    if (!this.#queued) return false
    await this.#underWay
    this.#queued = false
    const failure = this.#failure
    this.#failure = null
    if (failure !== null) throw failure
    return true
  }

  #check(): void {
    const { task, connection, signal } = this.#options
    if (this.#underWay !== null || this.#failure !== null || signal.aborted || !connection.connected) return
    const error = task.lostConnection?.() ?? null
    if (error === null) return
    this.#queued = true
    this.#underWay = this.#connectAgain(error).finally(() => (this.#underWay = null))
  }

  async #connectAgain(error: NotConnectedError): Promise<void> {
    const { connection, signal } = this.#options
    try {
      connection.lost(error)
      await connection.connect(signal)
    } catch (cause) {
      if (!signal.aborted) this.#failure = cause
    }
  }
}
