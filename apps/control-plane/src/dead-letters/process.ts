import type { KafkaConnection } from '@tributary/config'
import { KafkaDeadLetterStore } from '@tributary/connect-storage'
import type { DeadLetterIndex } from '@tributary/dead-letters'
import { KafkaAdmin } from '@tributary/kafka'
import type { Logger } from '@tributary/telemetry'
import type { ControlPlaneSettings } from '../settings.ts'
import { letterReader } from './letter-reader.ts'
import type { DeadLetterParts, DeadLetterService } from './service.ts'

export interface DeadLetterProcessOptions {
  readonly connection: KafkaConnection
  readonly settings: ControlPlaneSettings
  readonly log: Logger
  /** As `onConfigsLost` of StoresOptions. */
  readonly onLost: (error: Error) => void
  readonly deletedWaitMs: number
}

/** What a process has for the service of dead letters: the store, the index, and who leads. */
export class DeadLetterProcess {
  readonly #options: DeadLetterProcessOptions
  readonly #admin: KafkaAdmin
  readonly #store: KafkaDeadLetterStore
  #index: DeadLetterIndex | null = null
  #service: DeadLetterService | null = null

  constructor(options: DeadLetterProcessOptions) {
    const { connection, settings, log, onLost, deletedWaitMs } = options
    const { cluster } = settings
    this.#options = options
    this.#admin = new KafkaAdmin(connection)
    this.#store = new KafkaDeadLetterStore({
      ...{ connection, log, cluster, onLost, deletedWaitMs },
      topic: settings['dlq.storage.topic'],
      replication: settings['storage.replication.factor'],
      transactionalId: `${cluster}-control-plane-dead-letters`,
    })
  }

  /** Why nothing can be written, in a sentence; null: it can. */
  get trouble(): string | null {
    return this.#store.trouble
  }

  /** Reads what the store holds, and begins to build the index. */
  async start(signal: AbortSignal): Promise<void> {
    const { connection, settings, log } = this.#options
    // SQLite is loaded by the processes that use it.
    const [{ createDeadLetterIndex }] = await Promise.all([
      import('@tributary/dead-letters'),
      this.#store.start(signal),
    ])
    const index = createDeadLetterIndex({ connection, log, folder: settings['dlq.index.folder'] ?? '' })
    this.#index = index
    // Not awaited: the index may take a minute, and everything else is ready before.
    index.start(signal).catch((error: unknown) => {
      if (!signal.aborted) log.error('dead_letter_index_failed', { error })
    })
  }

  /** What the API is built with, once started. */
  parts(): DeadLetterParts {
    const { connection, settings } = this.#options
    return {
      ...{ store: this.#store, index: this.#index!, read: letterReader(connection), kafka: this.#admin },
      ...{ topics: settings['dlq.topics'], maxReplays: settings['dlq.max.replays'] },
      onService: (service) => (this.#service = service),
    }
  }

  claim(signal: AbortSignal): Promise<void> {
    return this.#store.claim(signal)
  }

  lead(term: AbortSignal): void {
    this.#service?.lead(term)
  }

  /** Reads what others have written, so that a following read shows it. */
  async refresh(signal: AbortSignal): Promise<void> {
    await this.#store.refresh(signal)
    await this.#service?.settled()
  }

  async stop(): Promise<void> {
    await this.#store.stop()
    await this.#index?.stop()
    await this.#admin.close()
  }
}
