import type { StatusStore } from '@tributary/connect-storage'

/** How often tasks became FAILED, as this replica has seen it since its start. */
export class TaskFailures {
  readonly #status: Pick<StatusStore, 'task' | 'listen'>
  readonly #counts = new Map<string, number>()
  /** The failures that were counted, by connector and task. A status is written again when a worker starts. */
  readonly #failed = new Map<string, Set<number>>()

  constructor(status: Pick<StatusStore, 'task' | 'listen'>) {
    this.#status = status
  }

  /** Counts from now on. Returns a function that ends this. */
  follow(): () => void {
    return this.#status.listen((connector, task) => {
      if (task === null) return
      const failed = this.#failed.get(connector) ?? new Set<number>()
      this.#failed.set(connector, failed)
      if (this.#status.task(connector, task)?.state !== 'FAILED') return void failed.delete(task)
      if (failed.has(task)) return
      failed.add(task)
      this.#counts.set(connector, this.of(connector) + 1)
    })
  }

  of(connector: string): number {
    return this.#counts.get(connector) ?? 0
  }

  /** Forgets all connectors but these. */
  keep(connectors: readonly string[]): void {
    const kept = new Set(connectors)
    for (const map of [this.#counts, this.#failed]) for (const name of map.keys()) if (!kept.has(name)) map.delete(name)
  }
}
