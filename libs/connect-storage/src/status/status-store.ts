import { Listeners } from '../log/listeners.ts'
import { connectorStatusRecord, readStatusRecord, taskStatusRecord, topicStatusRecord, type StatusRecord } from './status-records.ts' // prettier-ignore
import { StatusState, type StoredStatus } from './status-state.ts'
import { StoreLog, type StoreLogOptions } from '../log/store-log.ts'
import type { State, StatusEntry, StatusStore } from '../types.ts'

/**
 * A worker also writes these states for a connector or task that it is losing. They must not hide the status of the new
 * owner.
 */
const PUT_SAFE_STATES: readonly State[] = ['UNASSIGNED', 'FAILED', 'DESTROYED']

/** The store of the status topic. As for Connect's readers, the last write counts. */
export class KafkaStatusStore implements StatusStore {
  readonly #state = new StatusState()
  readonly #listeners: Listeners<(connector: string, task: number | null) => void>
  readonly #log: StoreLog

  constructor(options: Omit<StoreLogOptions, 'onRecord'>) {
    this.#listeners = new Listeners(options.log)
    this.#log = new StoreLog({
      ...options,
      parse: readStatusRecord,
      onRecord: (record, key, live) => this.#apply(readStatusRecord(key, record.value), live),
    })
  }

  /** The name of the topic; known after `start`. */
  get topic(): string {
    return this.#log.topicName
  }

  /** See StoreLog. */
  get trouble(): string | null {
    return this.#log.trouble
  }

  start(signal: AbortSignal): Promise<void> {
    return this.#log.start(signal)
  }

  refresh(signal?: AbortSignal): Promise<void> {
    return this.#log.refresh(signal)
  }

  connector(connector: string): StatusEntry | null {
    return this.#state.connector(connector)?.status ?? null
  }
  task(connector: string, task: number): StatusEntry | null {
    return this.#state.task(connector, task)?.status ?? null
  }
  tasks(connector: string): ReadonlyMap<number, StatusEntry> {
    return this.#state.tasks(connector)
  }
  connectors(): readonly string[] {
    return this.#state.connectors()
  }
  topics(connector: string): readonly string[] {
    return [...this.#state.topics(connector)].sort()
  }

  listen(listener: (connector: string, task: number | null) => void): () => void {
    return this.#listeners.add(listener)
  }

  async putConnector(connector: string, status: StatusEntry): Promise<void> {
    const stored = this.#state.connector(connector)
    if (isStale(status, stored)) return
    await this.#log.append([connectorStatusRecord(connector, withStalls(status, stored))])
  }

  async putTask(connector: string, task: number, status: StatusEntry): Promise<void> {
    const stored = this.#state.task(connector, task)
    if (isStale(status, stored)) return
    await this.#log.append([taskStatusRecord(connector, task, withStalls(status, stored))])
  }

  async putTopic(connector: string, task: number, topic: string): Promise<void> {
    if (this.#state.topics(connector).has(topic)) return
    await this.#log.append([topicStatusRecord(connector, topic, { task, timestamp: Date.now() })])
  }

  async deleteTopics(connector: string): Promise<void> {
    const topics = this.topics(connector)
    if (topics.length > 0) await this.#log.append(topics.map((topic) => topicStatusRecord(connector, topic, null)))
  }

  /** Deletes the connector's status and the statuses of its tasks. */
  async deleteConnector(connector: string): Promise<void> {
    const tasks = [...this.tasks(connector).keys()].map((task) => taskStatusRecord(connector, task, null))
    await this.#log.append([connectorStatusRecord(connector, null), ...tasks])
  }

  deleteTask(connector: string, task: number): Promise<void> {
    return this.#log.append([taskStatusRecord(connector, task, null)])
  }

  stop(): Promise<void> {
    return this.#log.stop()
  }

  #apply(record: StatusRecord, live: boolean): void {
    this.#state.apply(record, live)
    if (!live || record.kind === 'topic') return
    const task = record.kind === 'task' ? record.task : null
    this.#listeners.notify((listener) => listener(record.connector, task))
  }
}

/** Carries the count of ended processes over to the new owner's status, until a status clears the count. */
function withStalls(status: StatusEntry, stored: StoredStatus | null): StatusEntry {
  const stalls = stored?.status.stalls
  return status.stalls === undefined && stalls !== undefined ? { ...status, stalls } : status
}

/**
 * Connect's rule (`putSafe`): such a state with a lower generation does not overwrite another worker's status. An
 * exception is a status from before this store's start: the group of its worker may be gone, and a new group counts its
 * generations from 1.
 */
function isStale(status: StatusEntry, stored: StoredStatus | null): boolean {
  return (
    PUT_SAFE_STATES.includes(status.state) &&
    stored?.live === true &&
    stored.status.workerId !== status.workerId &&
    stored.status.generation > status.generation
  )
}
