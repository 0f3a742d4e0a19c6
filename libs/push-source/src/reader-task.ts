import {
  commonErrors,
  type ConnectError,
  type DeadLetter,
  END_OF_INPUT,
  type OffsetEntry,
  type Polled,
  type Predecessor,
  type RecordMetadata,
  type SourceRecord,
  type SourceTask,
  type TaskContext,
} from '@tributary/connect-api'

/** Longest wait of a poll for a message, in ms. A message ends the wait at once. */
const POLL_TIMEOUT_MS = 1000

/** Reads a source from the start of a task to its stop. See SourceTask for all methods but `read`. */
export interface SourceReader {
  connect(signal: AbortSignal): Promise<void>
  /** The next records; [] after `waitMs` without one; null at the end, after `drain`. */
  read(waitMs: number, signal: AbortSignal): Promise<Polled[] | null>
  drain(): void
  close(): void | Promise<void>
}

interface OptionalMethods {
  position(): OffsetEntry | null
  completed(): string | null
  caution(): string | null
  lostConnection(): ConnectError | null
  commitRecord(record: SourceRecord, metadata: RecordMetadata | null): void
  commitBatch(polled: readonly Polled[]): void
  commit(signal: AbortSignal): Promise<void>
  redeliver(letter: DeadLetter): SourceRecord | null | Promise<SourceRecord | null>
  handOver(): string | null
  takeOver(predecessor: Predecessor): void
}

/**
 * Makes a source task around a reader. `create` makes the reader when the task starts; the stop closes the reader. `optional` names
 * the optional methods of SourceTask that the reader has, as the runtime treats tasks that have them differently.
 *
 *     createTask: () => readerTask(createFeedReader, ['takeOver', 'handOver'])
 */
export function readerTask<M extends keyof OptionalMethods = never>(
  create: (context: TaskContext) => Promise<SourceReader & Pick<OptionalMethods, M>>,
  optional: readonly M[] = [],
): SourceTask {
  let reader: (SourceReader & Pick<OptionalMethods, M>) | null = null
  const started = (): SourceReader & Pick<OptionalMethods, M> => {
    if (reader === null) throw commonErrors.TASK_NOT_STARTED('the task was used before its start, or after its stop')
    return reader
  }
  const task: SourceTask = {
    start: async (context) => {
      reader = await create(context)
    },
    connect: async (signal) => started().connect(signal),
    poll: async (signal) => (await started().read(POLL_TIMEOUT_MS, signal)) ?? END_OF_INPUT,
    drain: () => reader?.drain(),
    stop: async () => {
      const closing = reader
      reader = null
      await closing?.close()
    },
  }
  // The runtime may call these after the stop, for example when Kafka acknowledges a record then.
  const delegate = (name: M) => (argument: unknown, more?: unknown) => {
    const methods = reader as Record<M, (...args: unknown[]) => unknown> | null
    return methods === null ? null : methods[name](argument, more)
  }
  const methods = Object.fromEntries(optional.map((name) => [name, delegate(name)]))
  // Without a reader nobody can say that the source would skip the letter.
  const redeliver = (letter: DeadLetter): unknown => (started() as Partial<OptionalMethods>).redeliver!(letter)
  return Object.assign(task, methods, (optional as readonly string[]).includes('redeliver') ? { redeliver } : {})
}
