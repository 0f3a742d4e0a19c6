import type { NotConnectedError, SourceTask } from '@tributary/connect-api'
import type { ConnectionKeeper } from './reconnector.ts'

/** While Kafka takes nothing, the connection is looked at this often, in ms. */
const LOOK_MS = 100

export interface ReconnectBesideOptions {
  readonly task: Pick<SourceTask, 'lostConnection'>
  readonly connection: ConnectionKeeper
  /** Ends a connect that is under way. */
  readonly signal: AbortSignal
}

/**
 * Connects a source again while its run waits for Kafka. Such a run does not poll, and would learn that its connection has
 * ended only when Kafka is back, though the source could still take, and keep, what is sent meanwhile. What came before the
 * end is still queued then, so whatever becomes of the connect is told behind it.
 */
export class ReconnectBeside {
  readonly #options: ReconnectBesideOptions
  #underWay: Promise<void> | null = null
  #failure: unknown = null
  #queued = false

  constructor(options: ReconnectBesideOptions) {
    this.#options = options
  }

  /** A connection ended meanwhile, and what it brought may still be queued: poll before anything else is done about it. */
  get queued(): boolean {
    return this.#queued
  }

  /** Awaits the delivery of a batch, and looks after the connection as long as it takes. */
  async beside<T>(delivery: Promise<T>): Promise<T> {
    if (!this.#options.task.lostConnection) return delivery
    const timer = setInterval(() => this.#look(), LOOK_MS)
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

  #look(): void {
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
