import type { Clock, ErrorKind, Props, SourcePlugin, SourceTask, TaskStats } from '@tributary/connect-api'
import type { OffsetStore } from '@tributary/connect-storage'
import type { KafkaProducer } from '@tributary/kafka-producer'
import type { Logger } from '@tributary/telemetry'
import type { BatchTracing } from '../records/batch-tracing.ts'
import type { ErrorHandler } from '../records/error-handler.ts'
import type { FormerRun } from '../hand-over/predecessor-run.ts'
import type { RecordEncoder } from '../records/record-encoder.ts'
import type { SourceTaskConfig } from '../model/source-task-config.ts'
import type { Topics } from '../records/topics.ts'

/** One state machine: starting → running ⇄ paused → draining → stopped; any → failed. */
export type TaskState = 'starting' | 'running' | 'paused' | 'draining' | 'stopped' | 'failed'

export interface TaskId {
  readonly connector: string
  readonly task: number
}

/**
 * The right to have side effects. An expired lease suspends: nothing is sent, committed or acknowledged until it is
 * valid again or the task ends.
 */
export interface Lease {
  /** Whether it is valid now, or was released. */
  valid(): boolean
  /** Resolves at once while the lease is valid. Checks the clock each time, not a timer. */
  passed(signal: AbortSignal): Promise<void>
  /** The task is another worker's: waits no more. */
  release(): void
}

/** What a task is made of; put together by `createTask` in task-factory.ts. */
export interface TaskParts {
  readonly id: TaskId
  readonly plugin: SourcePlugin
  readonly task: SourceTask
  readonly props: Props
  readonly config: SourceTaskConfig
  readonly producer: KafkaProducer
  readonly offsets: OffsetStore
  readonly encoder: RecordEncoder
  readonly topics: Topics
  readonly errors: ErrorHandler
  readonly lease: Lease
  /** The run that this one follows with overlap; null: it begins alone. */
  readonly former: FormerRun | null
  /** ms that a run with a former one tries to connect before it ends that one all the same. */
  readonly handOverTimeoutMs: number
  readonly stats: TaskStats
  readonly tracing: BatchTracing
  /** The task's own folder on this host, perhaps not there. */
  readonly dataDir: string
  readonly clock: Clock
  readonly log: Logger
  readonly onState: (state: TaskState, error: unknown, kind: ErrorKind | null) => void
}
