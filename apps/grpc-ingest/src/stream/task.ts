import {
  commonErrors,
  END_OF_INPUT,
  type Predecessor,
  type SourceRecord,
  type SourceTask,
  type TaskContext,
} from '@tributary/connect-api'
import { createStreamReader } from './create-stream-reader.ts'
import { openConnection, type OpenConnection } from './connection.ts'
import type { StreamReader } from './stream-reader.ts'

/** The longest wait of a poll for a first message, in ms. A message ends the wait at once. */
const POLL_TIMEOUT_MS = 1000

/** One server stream as a source task. The work is in `StreamReader`, which lives from start to stop. */
export class GrpcSourceTask implements SourceTask {
  readonly #open: OpenConnection
  #reader: StreamReader | null = null

  /** Unit tests pass another `open`. */
  constructor(open: OpenConnection = openConnection) {
    this.#open = open
  }

  async start(context: TaskContext): Promise<void> {
    this.#reader = await createStreamReader(context, this.#open)
  }

  takeOver(predecessor: Predecessor): void {
    this.#started().takeOver(predecessor)
  }

  connect(signal: AbortSignal): Promise<void> {
    return this.#started().connect(signal)
  }

  async poll(signal: AbortSignal): Promise<SourceRecord[] | typeof END_OF_INPUT> {
    return (await this.#started().read(POLL_TIMEOUT_MS, signal)) ?? END_OF_INPUT
  }

  drain(): void {
    this.#reader?.drain()
  }

  stop(): Promise<void> {
    this.#reader?.close()
    this.#reader = null
    return Promise.resolve()
  }

  #started(): StreamReader {
    if (this.#reader === null) throw commonErrors.TASK_NOT_STARTED('the task was used before start, or after stop')
    return this.#reader
  }
}
