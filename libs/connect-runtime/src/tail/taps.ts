import type { ProduceResult } from '@tributary/kafka-producer'
import { type Logger, Redaction } from '@tributary/telemetry'
import type { Batch } from '../records/batch.ts'
import type { Tap } from '../records/commit-records.ts'
import type { TaskId } from '../model/task.ts'
import type { Tail, TailedTask } from './tail.ts'

/** The runs of all tasks of this worker, and who looks at what Kafka has of them. */
export class Taps {
  /** By connector. */
  readonly #runs = new Map<string, Set<RunTap>>()
  readonly #tails = new Map<string, Set<Tail>>()

  /** A run begins. `secrets`: what must not be shown of its configuration. */
  add({ connector, task }: TaskId, secrets: readonly string[], log: Logger): RunTap {
    const tap = new RunTap(task, secrets, log)
    addTo(this.#runs, connector, tap)
    const tails = this.#tails.get(connector)
    if (tails) tap.watch(tails)
    for (const tail of tails ?? []) tail.run(task, 'started')
    return tap
  }

  /** The run has ended. */
  remove({ connector, task }: TaskId, tap: RunTap): void {
    if (!deleteFrom(this.#runs, connector, tap)) return
    for (const tail of this.#tails.get(connector) ?? []) tail.run(task, 'ended')
  }

  /** How many look. */
  get count(): number {
    return [...this.#tails.values()].reduce((sum, tails) => sum + tails.size, 0)
  }

  /** Shows the tail each batch of the connector's tasks, those that begin later too, until the returned function is called. */
  watch(connector: string, tail: Tail): () => void {
    addTo(this.#tails, connector, tail)
    this.#watched(connector)
    for (const { task } of this.#runs.get(connector) ?? []) tail.run(task, 'started')
    return () => {
      deleteFrom(this.#tails, connector, tail)
      this.#watched(connector)
    }
  }

  #watched(connector: string): void {
    for (const run of this.#runs.get(connector) ?? []) run.watch(this.#tails.get(connector) ?? NOBODY)
  }
}

const NOBODY: ReadonlySet<Tail> = new Set()

/** Where the batches of one run can be looked at. */
export class RunTap implements Tap, TailedTask {
  readonly task: number
  watcher: Tap['watcher'] = null
  readonly #secrets: readonly string[]
  readonly #log: Logger
  #redaction: Redaction | null = null

  constructor(task: number, secrets: readonly string[], log: Logger) {
    this.task = task
    this.#secrets = secrets
    this.#log = log
  }

  watch(tails: ReadonlySet<Tail>): void {
    this.watcher = tails.size === 0 ? null : { acknowledged: (batch, result) => this.#show(tails, batch, result) }
  }

  redact(text: string): string {
    if (this.#redaction === null) {
      this.#redaction = new Redaction()
      this.#redaction.hide(this.#secrets)
    }
    return this.#redaction.redact(text)
  }

  /** A bug of a tail must not be one of the task. */
  #show(tails: ReadonlySet<Tail>, batch: Batch, result: ProduceResult): void {
    try {
      for (const tail of tails) tail.acknowledged(this, batch, result)
    } catch (error) {
      this.watcher = null
      this.#log.error('tail_failed', { error })
    }
  }
}

function addTo<T>(sets: Map<string, Set<T>>, name: string, item: T): void {
  const set = sets.get(name) ?? new Set()
  sets.set(name, set.add(item))
}

function deleteFrom<T>(sets: Map<string, Set<T>>, name: string, item: T): boolean {
  const set = sets.get(name)
  const there = set?.delete(item) ?? false
  if (set?.size === 0) sets.delete(name)
  return there
}
