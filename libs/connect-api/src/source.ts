import type { Clock } from '@tributary/async'
import type { ConfigSpecData } from '@tributary/config'
import type { Logger } from '@tributary/telemetry'
import type { NotConnectedError } from './errors.ts'
import type { RecordMetadata, SourceOffset, SourcePartition, SourceRecord } from './record.ts'
import type { TaskStats } from './stats.ts'

/** A connector's or task's configuration: flat, all strings, `${…}` resolved. */
export type Props = Readonly<Record<string, string>>

/** An error of `validate` on the field that it concerns. */
export interface FieldError {
  readonly field: string
  readonly message: string
}

export interface OffsetEntry {
  readonly partition: SourcePartition
  readonly offset: SourceOffset | null
}

/** The piece of work that splits a connector's configuration into tasks; assigned to a worker beside the tasks. */
export interface SourceConnector {
  readonly spec: ConfigSpecData
  /** Pure. One element a task, at most `maxTasks`. */
  taskConfigs(config: Props, maxTasks: number): Props[]
  /** What needs code or a network: connectivity, descriptors. Called with a valid config; answers within some seconds. */
  validate?(config: Props, signal: AbortSignal): Promise<FieldError[]>
  /** Can it resume, so that exactly once is possible? */
  exactlyOnce?(config: Props): boolean
  /** Do its tasks say where transactions end, by `context.transaction`? `transaction.boundary=connector` is refused otherwise. */
  canDefineTransactionBoundaries?(config: Props): boolean
  /** Throws ConfigError when offsets are not of this connector's form; asked before an alter is accepted. */
  checkOffsets?(config: Props, offsets: readonly OffsetEntry[]): void
  /**
   * It keeps no offsets beside those in the offsets topic, and the answer to an alter says so, as when Connect's `alterOffsets`
   * returns true. Absent: the answer reminds of those that may be kept in the source's own system.
   */
  readonly allOffsetsHere?: boolean
}

/**
 * Where transactions end, said by the task (`transaction.boundary=connector`, KIP-618). Without a record: after the batch that
 * the poll under way hands out, or the next one. With a record, which must be handed out by the same poll or a later one: after
 * it, so that it is the last of its transaction. What a stop finds in an open transaction is not committed; the next run reads
 * it again.
 */
export interface TransactionContext {
  commitTransaction(record?: SourceRecord): void
  /**
   * The transaction's records are discarded for good: `commitRecord` gets them without metadata, and their offsets are committed.
   * To read them again, throw instead. Asking for both ends of one transaction fails the task.
   */
  abortTransaction(record?: SourceRecord): void
}

export interface TaskContext {
  readonly connector: string
  readonly task: number
  readonly config: Props
  /** The last committed offset of a source partition, looked up by value; null when there is none. */
  offset(partition: SourcePartition): SourceOffset | null
  readonly log: Logger
  /** Plain counters that the runtime exports as metrics; bumped once a batch. */
  readonly stats: TaskStats
  readonly clock: Clock
  /** There with exactly once and `transaction.boundary=connector` only. */
  readonly transaction?: TransactionContext
  /**
   * A folder of the task's own on this host, which outlives the run and the process; not made until the task makes it. What is
   * left in it when the task has moved to another host is `createLateTask`'s. Where runs overlap it is the former one's until
   * its `stop` is over: a successor, which `connect` may have called already, opens it in `takeOver` at the earliest. A task
   * without predecessor gets no `takeOver`, and may open it in `start`.
   */
  readonly dataDir: string
}

/** What the run before left, for one that was connected while that one still ran. */
export interface Predecessor {
  /** The last committed offset of a source partition, looked up by value; all that the predecessor delivered is in it. */
  offset(partition: SourcePartition): SourceOffset | null
  /** What its `handOver` answered; null when it died, or had nothing to say. */
  readonly memo: string | null
}

/** Answer of `poll`: everything that was queued is handed out and nothing more will come. */
export const END_OF_INPUT: unique symbol = Symbol('END_OF_INPUT')

export interface SourceTask {
  /** Reads the configuration, no network. Throws ConfigError. */
  start(context: TaskContext): Promise<void>
  /** Resolves once the source answered. Called again, with backoff, after NotConnectedError. */
  connect(signal: AbortSignal): Promise<void>
  /** Waits inside for up to `poll.timeout.ms`; [] means nothing yet. */
  poll(signal: AbortSignal): Promise<SourceRecord[] | typeof END_OF_INPUT>
  /**
   * The connection has ended, though `poll` says so only behind what is still queued. Asked while Kafka takes nothing and
   * `poll` is not called: answered with the error, `connect` is called at once, and what the new connection brings goes behind
   * what is queued. `poll` and `connect` may run side by side then. null: it lives, or what ended it cannot heal. Absent: the
   * source is connected again once Kafka is back.
   */
  lostConnection?(): NotConnectedError | null
  /** The broker has the record; metadata is null when it was filtered out or went to the dead-letter queue. */
  commitRecord?(record: SourceRecord, metadata: RecordMetadata | null): void
  /** Offsets of all records committed so far are durable. */
  commit?(signal: AbortSignal): Promise<void>
  /** Stop intake; poll hands out what is queued, then END_OF_INPUT. */
  drain?(): void
  /**
   * Hand-over with overlap, the successor's side: the task was started and connected while the run before it still read the
   * source. Called once, when all that the predecessor took in is delivered and committed, before the first poll: from what
   * came in the meantime it is to leave out what the predecessor delivered.
   */
  takeOver?(predecessor: Predecessor): void
  /** Hand-over, the predecessor's side, after its last poll: what its successor needs beside the offsets; at most 64 KiB. */
  handOver?(): string | null
  /** Release everything. Idempotent, also before `start`. */
  stop(): Promise<void>
}

/** How the runtime reconnects; times in ms. The first try after a healthy connection comes within 100 ms whatever is set here. */
export interface ReconnectPolicy {
  /** False: a lost connection is FAILED. */
  readonly enabled: boolean
  /** Base of the jittered exponential backoff (≥ 0). */
  readonly intervalMs: number
  readonly backoffMaxMs: number
  /** Tries in a row without success before FAILED; ≤ 0: no limit. */
  readonly maxAttempts: number
  /** A `connect` that takes longer is aborted and counts as failed; 0: no limit. */
  readonly connectTimeoutMs: number
}

/** How runs of a task may overlap. */
export interface HandOverPolicy {
  /** A connection as old as this, in ms, is replaced by a new one before the source ends it; 0: never. */
  readonly maxConnectionAgeMs: number
}

/** A plugin: what a worker publishes (class, aliases, version, spec) and how its pieces are made. */
export interface SourcePlugin {
  readonly class: string
  readonly aliases: readonly string[]
  readonly version: string
  /** Class name shown as `task.class` in task configs. */
  readonly taskClass: string
  /** Prefix of the documents' metric names, `grpc` → `grpc_isConnected`; labels from `metricLabels`. */
  readonly metricPrefix?: string
  /** Labels of those metrics, `{server: "host:port"}`. */
  metricLabels?(config: Props): Record<string, string>
  /** Absent: tries for ever, 1 s doubling to 60 s, 30 s a try. */
  reconnectPolicy?(config: Props): ReconnectPolicy
  /**
   * Two runs of a task may be connected at once, so that a changed configuration, a planned move and an old connection cost
   * neither a gap nor, as far as the source can tell them, duplicates. They are for half a second at least, until the new one
   * has received something or two seconds have passed. Absent or null: the one run ends before the next starts.
   */
  handOver?(config: Props): HandOverPolicy | null
  readonly connector: SourceConnector
  createTask(): SourceTask
  /**
   * A task that hands out what was left in a `dataDir` of this host and nothing else, then END_OF_INPUT; it runs, without
   * offsets, where the task itself is another worker's now, and leaves the folder empty. Absent: nothing is ever left.
   */
  createLateTask?(): SourceTask
}
