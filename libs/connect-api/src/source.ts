import type { Clock } from '@tributary/async'
import type { ConfigSpecData } from '@tributary/config'
import type { Logger } from '@tributary/telemetry'
import type { DeadLetter } from './dead-letter.ts'
import type { ConnectError } from './errors.ts'
import type { Polled } from './packed-records.ts'
import type { RecordMetadata, SourceOffset, SourcePartition, SourceRecord } from './record.ts'
import type { MemoryShare } from './memory-budget.ts'
import type { TaskStats } from './stats.ts'

/** A connector's or task's configuration: flat, all strings. A task gets it with `${…}` resolved. */
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

/** Splits a connector's configuration into tasks. A worker gets this work assigned beside the tasks. */
export interface SourceConnector {
  readonly spec: ConfigSpecData
  /** Pure. One element a task, at most `maxTasks`. References such as `${env:…}` are not resolved yet. */
  taskConfigs(config: Props, maxTasks: number): Props[]
  /** Checks that need code or a network: connectivity, descriptors. Called with a valid config. Answers within some seconds. */
  validate?(config: Props, signal: AbortSignal): Promise<FieldError[]>
  /** Whether the source can resume after a committed offset, which exactly once needs (KIP-618). Absent: no. */
  exactlyOnce?(config: Props): boolean
  /**
   * Whether the tasks say where transactions end, by `context.transaction`. Absent or false: `transaction.boundary=connector` is
   * refused.
   */
  canDefineTransactionBoundaries?(config: Props): boolean
  /**
   * Throws ConfigError when offsets do not have this connector's form. Called before an alter of offsets is accepted (KIP-875).
   * `written`: see TaskContext.
   */
  checkOffsets?(config: Props, offsets: readonly OffsetEntry[], written?: Props): void
  /**
   * The offsets topic holds all offsets of this source, and the answer to an alter says so, as Kafka Connect's does when
   * `alterOffsets` returns true. Absent: the answer reminds the user of offsets that the source's own system may keep.
   */
  readonly offsetsOnlyInKafka?: boolean
}

/**
 * Where transactions end, as the task says (`transaction.boundary=connector`, KIP-618). Without a record: after the batch of the
 * present poll, or of the next one. With a record, which the same poll or a later one must return: after that record. A record of a pack cannot be named. A stop does
 * not commit an open transaction; the next run reads its records again.
 */
export interface TransactionContext {
  commitTransaction(record?: SourceRecord): void
  /**
   * Discards the transaction's records for good: `commitRecord` gets them without metadata, and their offsets are committed. A
   * task that wants to read them again throws instead. Asking for both ends of one transaction fails the task.
   */
  abortTransaction(record?: SourceRecord): void
}

/** Kafka Connect's SourceTaskContext: what a run of a task gets from the runtime. */
export interface TaskContext {
  readonly connector: string
  readonly task: number
  readonly config: Props
  /**
   * The same as the user wrote it: `${…}` is not resolved. Source partitions are made of these texts (`writtenText`), since everyone
   * may read them, and a rotated secret must not lose the position. Absent: the configuration has no references.
   */
  readonly written?: Props
  /** The last committed offset of a source partition, looked up by value; null when there is none. */
  offset(partition: SourcePartition): SourceOffset | null
  /** All committed offsets of the connector, of all its tasks. Absent: the task runs without offsets. */
  offsets?(): readonly OffsetEntry[]
  /**
   * Removes the offsets of source partitions of this run that end, after those of the records before the next batch. A partition that
   * comes again gets a new object. Absent: the task runs without offsets.
   */
  removeOffsets?(partitions: readonly SourcePartition[]): void
  readonly log: Logger
  /** Plain counters that the runtime exports as metrics. A task changes them once a batch. */
  readonly stats: TaskStats
  /** What this run may have in memory. A source with a queue of its own says its bytes, and takes nothing while it has too many. */
  readonly memory: MemoryShare
  readonly clock: Clock
  /**
   * Offers what the waiting `poll` would return. If the runtime can pass the records on without a wait, it calls `take`, which returns
   * them, and the poll waits for the next ones: where messages come one by one, this costs a fraction of a poll. False: nothing was
   * taken, and the poll must return. Absent: as if it answered false.
   */
  readonly offer?: (take: () => Polled[]) => boolean
  /**
   * The source has announced that it will close the present connection. Where runs may overlap (`SourcePlugin.handOver`), the runtime
   * starts a new run beside this one, so that no gap opens between the two connections. Absent: the runtime cannot.
   */
  readonly connectionEnding?: () => void
  /** Present only with exactly once and `transaction.boundary=connector`. */
  readonly transaction?: TransactionContext
  /**
   * The run is a preview: a user sees what `poll` returns, and nothing goes to Kafka. The task takes in `maxRecords` messages at most
   * (from 1 on) where it decides how many come, writes nothing to disk, and leaves the source's system as it was when its `stop` is over.
   * `commitRecord`, `commitBatch` and `commit` are never called. Absent: no preview.
   */
  readonly preview?: { readonly maxRecords: number }
  /**
   * A folder of the task's own on this host. The folder outlives the run and the process; the task creates it. When the task has
   * moved to another host, `createRecoveryTask` delivers what is left in the folder. Where runs overlap, the folder belongs to the
   * predecessor until the predecessor's `stop` is over: the successor opens it in `takeOver` at the earliest. A task without a
   * predecessor may open it in `start`.
   */
  readonly dataDir: string
}

/** The run before this one, of a task that was connected while that run still read. */
export interface Predecessor {
  /** The last committed offset of a source partition, looked up by value. It covers all that the predecessor delivered. */
  offset(partition: SourcePartition): SourceOffset | null
  /** What the predecessor's `handOver` answered; null when it answered null, or died. */
  readonly handOverState: string | null
}

/** Answer of `poll` after `drain`: every queued record was returned and no more will come. */
export const END_OF_INPUT: unique symbol = Symbol('END_OF_INPUT')

/**
 * One task of a source. The runtime calls `start`, then `connect` and `poll` again and again, and `stop` at the end. One call is
 * under way at a time, except `lostConnection`, `connect` while the runtime waits for Kafka, `paused`, `resumed` and `drain`.
 */
export interface SourceTask {
  /** Reads the configuration; uses no network. Throws ConfigError. */
  start(context: TaskContext): Promise<void>
  /**
   * Resolves once the source answered. After a NotConnectedError or a RetriableError the runtime calls `connect` again, with
   * backoff. A ConfigError, or anything that is no ConnectError, fails the task.
   */
  connect(signal: AbortSignal): Promise<void>
  /**
   * Returns the next records in order; waits inside for up to about a second, and returns [] when nothing came. Throws
   * NotConnectedError when the connection is gone, after all records that were received before. Throws RetriableError for an
   * outage that leaves the connection alone: the runtime polls again, with backoff. Returns END_OF_INPUT after `drain` only;
   * without it that is a bug of the task, and fails the task. Among the records there may be packs of them, in order: the runtime
   * writes a pack to the request without an object for each record where no transformation and no converter changes its bytes.
   */
  poll(signal: AbortSignal): Promise<Polled[] | typeof END_OF_INPUT>
  /**
   * A position that no record carries, such as the end of a finite stream (KIP-910). The runtime asks after a poll that returned [],
   * and once at the end of a stopped run's input. It commits the answer as it commits the offset of a record: after everything
   * before it. null: none, or asked before.
   */
  position?(): OffsetEntry | null
  /** One sentence for health, once the source has ended for good and the task reads nothing more; null before. */
  completed?(): string | null
  /** One sentence that health adds while the task runs: a danger in the configuration, or what records wait for; null for nothing. */
  caution?(): string | null
  /**
   * The error that ended the connection, although `poll` will throw it only after the records that are still queued; null while
   * the connection lives. The runtime asks while Kafka takes nothing, and while a new run waits beside its predecessor, as nobody
   * polls then. After a NotConnectedError it calls `connect` at once, and what the new connection brings goes behind what is queued;
   * `poll` and `connect` may run side by side then. Absent: the source is connected again once the task is polled.
   */
  lostConnection?(): ConnectError | null
  /** The broker has the record. `metadata` is null when the record was filtered out or became a dead letter. */
  commitRecord?(record: SourceRecord, metadata: RecordMetadata | null): void
  /**
   * The broker has every record of one `poll`, or its dead letter. `polled` is the array that `poll` returned. Cheaper than
   * `commitRecord`, for which the records of packs are made.
   */
  commitBatch?(polled: readonly Polled[]): void
  /** The offsets of all records that `commitRecord` or `commitBatch` has been called with are durable. */
  commit?(signal: AbortSignal): Promise<void>
  /**
   * Nobody polls from now on until `resumed`. A source that pulls receives nothing meanwhile, and returns what it holds to the source's
   * system, whose other readers may have it. Absent: the queue of the task fills, and then its sender waits. May come during another
   * call, and for a run that starts paused right after `start`.
   */
  paused?(): void
  /** The pause is over. A run that is stopped during its pause gets `drain`. */
  resumed?(): void
  /**
   * Makes the record of a dead letter anew, as if its bytes had just been received, with the present configuration; null: the source
   * would skip it now. Its source partition and offset are not committed. Throws DataError for bytes that cannot be read, and
   * RetriableError while the task lacks what only the source can tell; or rejects with these. Absent: the key, value and headers of
   * the letter are the record.
   */
  redeliver?(letter: DeadLetter): SourceRecord | null | Promise<SourceRecord | null>
  /** Stops the intake. `poll` then returns what is queued, and END_OF_INPUT at the end. Absent: a stop gives the queue up. */
  drain?(): void
  /**
   * Hand-over, called on the successor: this run was started and connected while its predecessor still read the source. Called
   * once, before the first poll, when everything that the predecessor took in is delivered and committed. The task leaves out of
   * its queue what the predecessor delivered.
   */
  takeOver?(predecessor: Predecessor): void
  /** Hand-over, called on the predecessor after its last poll: what the successor needs beside the offsets; at most 64 KiB. */
  handOver?(): string | null
  /** Releases everything. May be called several times, also before `start`. */
  stop(): Promise<void>
}

/** How the runtime reconnects. The first try after a healthy connection comes after at most 50 ms, unless the source asked for a wait. */
export interface ReconnectPolicy {
  /** False: a lost connection fails the task. */
  readonly enabled: boolean
  /** First wait of the jittered exponential backoff, in ms (≥ 0). */
  readonly intervalMs: number
  /** Longest wait of the backoff, in ms. */
  readonly backoffMaxMs: number
  /** Tries without a healthy connection before the task fails; ≤ 0: no limit. */
  readonly maxAttempts: number
  /** A connection that lasted this many ms (≥ 0) was healthy; absent: 10 s. A shorter one counts as a failed try, unless `readToEnd`. */
  readonly healthyMs?: number
  /** A `connect` that takes longer than this many ms is aborted and counts as failed; 0: no limit. */
  readonly connectTimeoutMs: number
}

/** How runs of a task may overlap. */
export interface HandOverPolicy {
  /** A connection as old as this, in ms, is replaced by a new one before the source ends it; 0: never. */
  readonly maxConnectionAgeMs: number
}

/** What a preview of a configuration means for the source. */
export interface PreviewPolicy {
  /**
   * What the configuration reads, in texts that are compared and never shown: two configurations with an equal text share a source.
   * Absent: it may be anything that another connector of the plugin reads.
   */
  readonly sources?: readonly string[]
  /**
   * Why a preview disturbs a running connector that reads the same, in a sentence; null: it does not. Absent: it does unless runs may
   * overlap (`handOver`), as the source may allow one connection only.
   */
  readonly disturbs?: string | null
  /** What a preview changes in the source, in a sentence for its user; absent: nothing. */
  readonly leaves?: string
}

/** A plugin: what a worker publishes (class, aliases, version, spec) and how the plugin's parts are created. */
export interface SourcePlugin {
  readonly class: string
  readonly aliases: readonly string[]
  readonly version: string
  /** Class name shown as `task.class` in task configs. */
  readonly taskClass: string
  /** Prefix of the documented metric names: `grpc` → `grpc_isConnected`. Their labels come from `metricLabels`. */
  readonly metricPrefix?: string
  /** Labels of those metrics: `{server: "host:port"}`. */
  metricLabels?(config: Props): Record<string, string>
  /** Absent: reconnects for ever, 1 s doubling to 60 s, 30 s a try. */
  reconnectPolicy?(config: Props): ReconnectPolicy
  /**
   * Allows two runs of a task to be connected at once, so that a changed configuration, a planned move and an old connection cost
   * no gap and, as far as the source can tell records apart, no duplicate. The runs overlap for at least half a second, until the
   * new one has received something or two seconds have passed. Absent or null: one run ends before the next starts.
   */
  handOver?(config: Props): HandOverPolicy | null
  /**
   * Absent: any two connectors of the plugin may share a source, and a preview disturbs the running one as `disturbs` of PreviewPolicy
   * says. Called with a valid configuration.
   */
  preview?(config: Props): PreviewPolicy
  /**
   * Keys of the connector that are settings of its producer under Kafka's own names: `security.protocol`, `sasl.mechanism`,
   * `sasl.jaas.config`. Only what the configuration gives reaches the producer, never a default. `producer.override.*` goes first.
   */
  readonly producerKeys?: readonly string[]
  readonly connector: SourceConnector
  createTask(): SourceTask
  /**
   * Creates a recovery task: it delivers what an earlier run left in the `dataDir` of this host, and then answers END_OF_INPUT. It
   * runs, without offsets, while the task itself belongs to another worker. It leaves the folder empty. Absent: nothing is left.
   */
  createRecoveryTask?(): SourceTask
}
