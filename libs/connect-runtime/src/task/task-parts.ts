import type { Clock, ErrorKind, Props, SourcePlugin, SourceTask, TaskStats } from '@tributary/connect-api'
import type { OffsetStore } from '@tributary/connect-storage'
import type { KafkaProducer } from '@tributary/kafka-producer'
import type { Logger } from '@tributary/telemetry'
import type { BatchMemory } from '../records/batch-memory.ts'
import type { BatchTracing } from '../records/batch-tracing.ts'
import type { Tap } from '../records/commit-records.ts'
import type { ErrorHandler } from '../records/error-handler.ts'
import type { PredecessorRun } from '../hand-over/predecessor.ts'
import type { RecordEncoder } from '../records/record-encoder.ts'
import type { SourceTaskConfig } from '../model/source-task-config.ts'
import type { Lease, TaskId, TaskState } from '../model/task.ts'
import type { Topics } from '../records/topics.ts'

/** The parts of a task. `createTask` in task-factory.ts makes them. */
export interface TaskParts {
  readonly id: TaskId
  readonly plugin: SourcePlugin
  readonly task: SourceTask
  readonly props: Props
  /** `props` with its references as they are written. */
  readonly written: Props
  readonly config: SourceTaskConfig
  readonly producer: KafkaProducer
  readonly offsets: OffsetStore
  readonly encoder: RecordEncoder
  readonly topics: Topics
  readonly errors: ErrorHandler
  readonly lease: Lease
  /** The run from which this run takes over with overlap; null: none. */
  readonly predecessor: PredecessorRun | null
  /** Time in ms for a run with a predecessor to connect. After that the run ends the predecessor, connected or not. */
  readonly handOverTimeoutMs: number
  /** Whether the task may end by itself, as a recovery task does. Any other fails when it answers END_OF_INPUT without `drain`. */
  readonly finite: boolean
  readonly stats: TaskStats
  readonly memory: BatchMemory
  readonly tracing: BatchTracing
  /** Where tails look. */
  readonly tap: Tap
  /** The task's own folder on this host. The folder may not exist yet. */
  readonly dataDir: string
  readonly clock: Clock
  readonly log: Logger
  /** The source has announced the end of the connection; see TaskContext. */
  readonly onConnectionEnding: () => void
  /** See ReconnectorOptions. */
  readonly replaced: () => Promise<boolean>
  readonly onState: (state: TaskState, error: unknown, kind: ErrorKind | null) => void
}
