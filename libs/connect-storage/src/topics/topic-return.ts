import { backoffMs, KAFKA_JITTER, sleep } from '@tributary/async'
import type { CompactedLog } from '@tributary/kafka'
import type { Logger } from '@tributary/telemetry'
import type { ImageRecord, TopicImage } from './topic-image.ts'

export interface TopicReturnOptions {
  readonly tail: Pick<
    CompactedLog,
    'topicName' | 'complete' | 'createAgain' | 'markIncomplete' | 'markComplete' | 'refresh'
  >
  readonly image: Pick<TopicImage, 'missing'>
  /**
   * Runs `write` with the sole right to write back: no other process is in its own `write`. Writes what it returns, all
   * or nothing.
   */
  readonly exclusively: (records: () => Promise<readonly ImageRecord[]>, signal: AbortSignal) => Promise<void>
  /** Throws when the topic that has the name now cannot be used. */
  readonly check: () => void
  readonly log: Logger
}

const RETRY = { baseMs: 100, maxMs: 1000, jitter: KAFKA_JITTER } as const

/**
 * Brings a deleted topic back. Each process that has read all of the topic creates it again, and writes back what it
 * remembers and the topic lacks; one process after the other. A process that may have missed something waits for the
 * others. Nobody writes anything else before the topic holds all that the process remembers.
 */
export class TopicReturn {
  /** Why the topic is not back yet, in a sentence. */
  trouble: string
  readonly #options: TopicReturnOptions
  readonly #complete: boolean
  /** The try that has created the topic; null before. */
  #try: AbortController | null = null

  constructor(options: TopicReturnOptions) {
    const { tail, log } = options
    const { topicName: topic } = tail
    this.#options = options
    this.#complete = tail.complete
    const deleted = `The internal topic ${topic} was deleted.`
    this.trouble = this.#complete
      ? `${deleted} It is made again from what this process remembers.`
      : `${deleted} This process had not read all of it lately, so it does not make the topic again: it waits for a process that has. If there is none, put the topic back from a backup or create it, then start this process again.`
    log.error('internal_topic_deleted', { topic, complete: this.#complete })
  }

  /** Resolves when the topic holds everything. Rejects when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { tail, log } = this.#options
    const { topicName: topic } = tail
    for (let attempt = 1; ; attempt++) {
      try {
        if (await this.#bringBack(signal)) return log.info('internal_topic_back', { topic })
      } catch (error) {
        signal.throwIfAborted()
        const { message } = error as Error
        this.trouble = `The internal topic ${topic} was deleted, and cannot be made again at present: ${message}`
        log.warn('internal_topic_not_back', { topic, attempt, error: message })
      }
      await sleep(backoffMs(attempt, RETRY), signal)
    }
  }

  /** The topic was deleted once more: what is under way is in vain. */
  deletedAgain(): void {
    this.#try?.abort(new Error('it was deleted once more'))
    this.#try = null
  }

  /** Whether the topic now holds everything. */
  async #bringBack(life: AbortSignal): Promise<boolean> {
    const { tail, image, exclusively, check, log } = this.#options
    const again = new AbortController()
    const signal = AbortSignal.any([life, again.signal])
    const lacking = async (): Promise<readonly ImageRecord[]> => {
      await tail.refresh(signal)
      check()
      return image.missing()
    }
    if (!this.#complete) return (await lacking()).length === 0
    await tail.createAgain(life)
    this.#try = again
    if ((await lacking()).length > 0) {
      await tail.markIncomplete(signal)
      await exclusively(async () => {
        const records = await lacking()
        log.info('internal_topic_written_back', { topic: tail.topicName, records: records.length })
        return records
      }, signal)
      if ((await lacking()).length > 0) return false
    }
    await tail.markComplete(signal)
    return true
  }
}
