import { NotConnectedError, type SourceTask } from '@tributary/connect-api'
import type { Reconnector } from './reconnector.ts'

/** Time in ms between two looks at the deliveries. One that was there at the last look waits for Kafka. */
const CHECK_MS = 100

export interface BackgroundReconnectOptions {
  readonly task: Pick<SourceTask, 'lostConnection'>
  readonly connection: Reconnector
  /** Aborts a connect in progress. */
  readonly signal: AbortSignal
}

/**
 * Reconnects a source while its run waits for Kafka. A waiting run does not poll, so it would notice the end of its connection only
 * when Kafka is back, and miss the messages that the source sends in the meantime. The messages of the old connection are still
 * queued at the reconnect, so a failed connect fails the run only after those messages.
 */
export class BackgroundReconnect {
  readonly #options: BackgroundReconnectOptions
  #connecting: Promise<void> | null = null
  #failure: unknown = null
  #hasQueuedMessages = false
  /** One timer for all deliveries, because most of them end at once. null: no delivery was there at the last look. */
  #timer: NodeJS.Timeout | null = null
  /** The delivery in progress; null: none. */
  #delivery: object | null = null
  /** The delivery that was in progress at the last look. */
  #seen: object | null = null

  constructor(options: BackgroundReconnectOptions) {
    this.#options = options
  }

  /** Whether messages of an ended connection may still be queued. The run polls them before it handles the end. */
  get hasQueuedMessages(): boolean {
    return this.#hasQueuedMessages
  }

  /** Settles as `delivery` does. Checks the connection until then. */
  async during<T>(delivery: Promise<T>): Promise<T> {
    if (!this.#options.task.lostConnection) return delivery
    this.#delivery = delivery
    this.#timer ??= setInterval(() => this.#look(), CHECK_MS)
    try {
      return await delivery
    } finally {
      this.#delivery = null
    }
  }

  /** Called when the queue is empty. Awaits the connect and throws its error. Returns false when no connection had ended. */
  async settle(): Promise<boolean> {
    if (!this.#hasQueuedMessages) return false
    await this.#connecting
    this.#hasQueuedMessages = false
    const failure = this.#failure
    this.#failure = null
    if (failure !== null) throw failure
    return true
  }

  #look(): void {
    if (this.#delivery === null) {
      if (this.#timer !== null) clearInterval(this.#timer)
      this.#timer = null
    } else if (this.#delivery === this.#seen) {
      this.#check()
    }
    this.#seen = this.#delivery
  }

  #check(): void {
    const { task, connection, signal } = this.#options
    if (this.#connecting !== null || this.#failure !== null || signal.aborted || !connection.connected) return
    const error = task.lostConnection?.() ?? null
    if (!(error instanceof NotConnectedError)) return
    this.#hasQueuedMessages = true
    this.#connecting = this.#connectAgain(error).finally(() => (this.#connecting = null))
  }

  async #connectAgain(error: NotConnectedError): Promise<void> {
    const { connection, signal } = this.#options
    try {
      connection.lost(error)
      await connection.connect(signal, false)
    } catch (cause) {
      if (!signal.aborted) this.#failure = cause
    }
  }
}
