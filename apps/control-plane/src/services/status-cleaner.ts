import { setImmediate } from 'node:timers/promises'
import type { ConfigStore, StatusStore } from '@tributary/connect-storage'
import type { Logger } from '@tributary/telemetry'

export interface StatusCleanerOptions {
  readonly config: ConfigStore
  readonly status: StatusStore
  readonly log: Logger
}

/**
 * Deletes stale statuses from the status topic: those of connectors that were deleted while no worker was running, and
 * those of tasks that a connector no longer has.
 */
export class StatusCleaner {
  readonly #options: StatusCleanerOptions
  readonly #suspects = new Set<string>()
  #running: Promise<void> | null = null
  #unlisten: readonly (() => void)[] = []

  constructor(options: StatusCleanerOptions) {
    this.#options = options
  }

  /** Cleans until the signal aborts: when this replica stops leading, the next leader cleans. */
  start(signal: AbortSignal): void {
    signal.addEventListener('abort', () => this.#stop(), { once: true })
    const { config, status } = this.#options
    this.#unlisten = [
      config.listen({
        connectorRemoved: (connector) => this.#suspect(connector),
        tasksUpdated: (connector) => this.#suspect(connector),
      }),
      status.listen((connector) => this.#suspect(connector)),
    ]
    for (const connector of status.connectors()) this.#suspect(connector)
  }

  /** Resolves when nothing is left to clean. */
  async settled(): Promise<void> {
    await this.#running
  }

  #stop(): void {
    for (const unlisten of this.#unlisten) unlisten()
    this.#suspects.clear()
  }

  #suspect(connector: string): void {
    this.#suspects.add(connector)
    this.#running ??= this.#clean().finally(() => {
      this.#running = null
    })
  }

  async #clean(): Promise<void> {
    const { config, log } = this.#options
    try {
      while (this.#suspects.size > 0) {
        // The records of one answer of Kafka are looked at together: a look costs as much as the connector has tasks.
        await setImmediate()
        if (![...this.#suspects].some((connector) => this.#isStale(connector))) {
          this.#suspects.clear()
          continue
        }
        // A status may be newer than the part of the config topic that was read. Only the current end of the topic says
        // what is gone.
        await config.refresh()
        const connectors = [...this.#suspects]
        this.#suspects.clear()
        for (const connector of connectors) await this.#cleanConnector(connector)
      }
    } catch (error) {
      // The next change of a status, or the next start, tries again.
      log.warn('status_clean_failed', { error })
    }
  }

  async #cleanConnector(connector: string): Promise<void> {
    const { status } = this.#options
    for (const task of this.#staleTasks(connector)) await status.deleteTask(connector, task)
    if (!this.#isRemoved(connector)) return
    if (status.connector(connector) !== null) await status.deleteConnector(connector)
    if (status.topics(connector).length > 0) await status.deleteTopics(connector)
  }

  #isStale(connector: string): boolean {
    const { status } = this.#options
    if (this.#staleTasks(connector).length > 0) return true
    return this.#isRemoved(connector) && (status.connector(connector) !== null || status.topics(connector).length > 0)
  }

  #isRemoved(connector: string): boolean {
    return this.#options.config.snapshot.config(connector) === null
  }

  #staleTasks(connector: string): number[] {
    const { config, status } = this.#options
    const count = this.#isRemoved(connector) ? 0 : config.snapshot.tasks(connector).length
    return [...status.tasks(connector).keys()].filter((task) => task >= count)
  }
}
