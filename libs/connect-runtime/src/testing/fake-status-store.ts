import type { StatusEntry, StatusStore } from '@tributary/connect-storage'

/** The status store over maps. */
export class FakeStatusStore implements StatusStore {
  readonly written: string[] = []
  readonly #connectors = new Map<string, StatusEntry>()
  readonly #tasks = new Map<string, Map<number, StatusEntry>>()

  async start(): Promise<void> {}
  async refresh(): Promise<void> {}
  async stop(): Promise<void> {}
  listen(): () => void {
    return () => {}
  }
  connector(connector: string): StatusEntry | null {
    return this.#connectors.get(connector) ?? null
  }
  task(connector: string, task: number): StatusEntry | null {
    return this.#tasks.get(connector)?.get(task) ?? null
  }
  tasks(connector: string): ReadonlyMap<number, StatusEntry> {
    return this.#tasks.get(connector) ?? new Map<number, StatusEntry>()
  }
  connectors(): readonly string[] {
    return [...this.#connectors.keys()]
  }
  topics(): readonly string[] {
    return []
  }
  putConnector(connector: string, status: StatusEntry): Promise<void> {
    this.written.push(status.state)
    this.#connectors.set(connector, status)
    return Promise.resolve()
  }
  putTask(connector: string, task: number, status: StatusEntry): Promise<void> {
    const tasks = this.#tasks.get(connector) ?? new Map<number, StatusEntry>()
    this.#tasks.set(connector, tasks.set(task, status))
    return Promise.resolve()
  }
  async putTopic(): Promise<void> {}
  async deleteTopics(): Promise<void> {}
  deleteConnector(connector: string): Promise<void> {
    this.#connectors.delete(connector)
    this.#tasks.delete(connector)
    return Promise.resolve()
  }
  deleteTask(connector: string, task: number): Promise<void> {
    this.#tasks.get(connector)?.delete(task)
    return Promise.resolve()
  }
}
