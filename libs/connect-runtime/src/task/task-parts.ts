import type { Clock, ErrorKind, Props, SourcePlugin, SourceTask, TaskStats } from '@tributary/connect-api'
import type { OffsetStore } from '@tributary/connect-storage'
import type { KafkaProducer } from '@tributary/kafka-producer'
import type { Logger } from '@tributary/telemetry'
import type { BatchTracing } from '../records/batch-tracing.ts'
import type { ErrorHandler } from '../records/error-handler.ts'
import type { PredecessorRun } from '../hand-over/predecessor.ts'
import type { RecordEncoder } from '../records/record-encoder.ts'
import type { SourceTaskConfig } from '../model/source-task-config.ts'
import type { Lease, TaskId, TaskState } from '../model/task.ts'
import type { Topics } from '../records/topics.ts'

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
  /** The run that this one follows with overlap; null: none. */
  readonly predecessor: PredecessorRun | null
  /** ms that a run with a predecessor tries to connect before it ends the predecessor all the same. */
  readonly handOverTimeoutMs: number
  /** The task ends by itself: a recovery task. Any other that answers END_OF_INPUT unasked fails. */
  readonly finite: boolean
  readonly stats: TaskStats
  readonly tracing: BatchTracing
  /** The task's own folder on this host, perhaps not there. */
  readonly dataDir: string
  readonly clock: Clock
  readonly log: Logger
  readonly onState: (state: TaskState, error: unknown, kind: ErrorKind | null) => void
}
