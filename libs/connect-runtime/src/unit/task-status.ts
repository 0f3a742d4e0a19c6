import { Serial } from '@tributary/async'
import type { State, StatusEntry, StatusStore } from '@tributary/connect-storage'
import type { Logger } from '@tributary/telemetry'
import type { TaskId } from '../model/task.ts'

export interface TaskStatusOptions {
  readonly id: TaskId
  /** The group's generation in which this worker got the task. */
  readonly epoch: number
  readonly store: StatusStore
  readonly workerId: string
  readonly log: Logger
}

/** Tells what a task does to the status topic: one write after the other, each waiting for Kafka as long as it is away. */
export class TaskStatus {
  readonly #options: TaskStatusOptions
  readonly #writes = new Serial()
  #writingSince: number | null = null
  /** Stalls of the past count no more; the next status says so. */
  #forgiven = false

  constructor(options: TaskStatusOptions) {
    this.#options = options
  }

  /** The last written status, this worker's or another's. */
  get stored(): StatusEntry | null {
    const { store, id } = this.#options
    return store.task(id.connector, id.task)
  }

  /** How often the task has ended a process by holding its event loop. */
  get stalls(): number {
    return this.#forgiven ? 0 : (this.stored?.stalls ?? 0)
  }

  /** ms that the present write has been waiting for; 0 without one. */
  get waitsMs(): number {
    return this.#writingSince === null ? 0 : performance.now() - this.#writingSince
  }

  forgiveStalls(): void {
    this.#forgiven = true
  }

  report(state: State, trace?: string): void {
    this.#put({ state, ...(trace !== undefined && { trace }) })
  }

  /** The task has ended here; `handOver` is what it leaves to its next run, here or elsewhere. */
  reportUnassigned(handOver: string | null): void {
    this.#put({ state: 'UNASSIGNED', ...(handOver !== null && { handOver }) })
  }

  /** The task has written to a topic for the first time. */
  reportTopic(topic: string): void {
    const { store, id } = this.#options
    this.#inBackground(() => store.putTopic(id.connector, id.task, topic))
  }

  delete(): Promise<void> {
    const { store, id } = this.#options
    return this.#write(() => store.deleteTask(id.connector, id.task))
  }

  /** Resolves once everything told so far is written. */
  idle(): Promise<void> {
    return this.#writes.idle()
  }

  #put(told: Pick<StatusEntry, 'state' | 'trace' | 'handOver'>): void {
    const { store, id, workerId, epoch: generation } = this.#options
    const entry: StatusEntry = { ...told, workerId, generation, ...(this.#forgiven && { stalls: 0 }) }
    this.#inBackground(() => store.putTask(id.connector, id.task, entry))
  }

  #write(operation: () => Promise<void>): Promise<void> {
    return this.#writes.run(async () => {
      this.#writingSince = performance.now()
      try {
        await operation()
      } finally {
        this.#writingSince = null
      }
    })
  }

  #inBackground(operation: () => Promise<void>): void {
    const { id, log } = this.#options
    this.#write(operation).catch((error: unknown) => {
      log.warn('status_write_failed', { connector_name: id.connector, task: id.task, error })
    })
  }
}
