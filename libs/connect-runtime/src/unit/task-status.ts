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

/** Writes a task's states to the status topic, one after the other. Each write waits for as long as Kafka is away. */
export class TaskStatus {
  readonly #options: TaskStatusOptions
  readonly #writes = new Serial()
  #writingSince: number | null = null
  /** Past stalls no longer count. The next status resets their number to 0. */
  #forgiven = false

  constructor(options: TaskStatusOptions) {
    this.#options = options
  }

  /** The task's last status in the topic, from this worker or another. */
  get stored(): StatusEntry | null {
    const { store, id } = this.#options
    return store.task(id.connector, id.task)
  }

  /** How many processes the task has ended by holding their event loop. */
  get stalls(): number {
    return this.#forgiven ? 0 : (this.stored?.stalls ?? 0)
  }

  /** ms since the present write began; 0 without one. */
  get waitsMs(): number {
    return this.#writingSince === null ? 0 : performance.now() - this.#writingSince
  }

  forgiveStalls(): void {
    this.#forgiven = true
  }

  report(state: State, trace?: string): void {
    this.#put({ state, ...(trace !== undefined && { trace }) })
  }

  /** The task has ended on this worker. `handOver`: its hand-over state for its next run, on this worker or another. */
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

  /** Resolves once everything reported so far is written. */
  idle(): Promise<void> {
    return this.#writes.idle()
  }

  #put(reported: Pick<StatusEntry, 'state' | 'trace' | 'handOver'>): void {
    const { store, id, workerId, epoch: generation } = this.#options
    const entry: StatusEntry = { ...reported, workerId, generation, ...(this.#forgiven && { stalls: 0 }) }
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
