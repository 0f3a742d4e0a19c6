import {
  commonErrors,
  END_OF_INPUT,
  type NotConnectedError,
  type Predecessor,
  type SourceRecord,
  type SourceTask,
  type TaskContext,
} from '@tributary/connect-api'
import { createFeedReader, type FeedReader } from './feed-reader.ts'

/** Longest wait of a poll for a first message, in ms; an arriving message ends the wait at once. */
const POLL_TIMEOUT_MS = 1000

/** One feed as a source task. The task delegates to a `FeedReader`, which exists from start to stop. */
export class WebSocketSourceTask implements SourceTask {
  #reader: FeedReader | null = null

  async start(context: TaskContext): Promise<void> {
    this.#reader = await createFeedReader(context)
  }

  connect(signal: AbortSignal): Promise<void> {
    return this.#started().connect(signal)
  }

  async poll(signal: AbortSignal): Promise<SourceRecord[] | typeof END_OF_INPUT> {
    return (await this.#started().read(POLL_TIMEOUT_MS, signal)) ?? END_OF_INPUT
  }

  lostConnection(): NotConnectedError | null {
    return this.#reader?.lostConnection() ?? null
  }

  commitRecord(record: SourceRecord): void {
    this.#reader?.delivered(record)
  }

  async commit(): Promise<void> {
    await this.#reader?.committed()
  }

  drain(): void {
    this.#reader?.drain()
  }

  handOver(): string | null {
    return this.#reader?.handOver() ?? null
  }

  takeOver(predecessor: Predecessor): void {
    this.#started().takeOver(predecessor)
  }

  async stop(): Promise<void> {
    const reader = this.#reader
    this.#reader = null
    await reader?.close()
  }

  #started(): FeedReader {
    if (this.#reader === null) throw commonErrors.TASK_NOT_STARTED('the task was used before start, or after stop')
    return this.#reader
  }
}
