import type { SqsApi } from '../aws/sqs-api.ts'
import type { Queue } from '../message.ts'
import type { SqsSettings } from '../settings/read.ts'
import { isFifo, listOf, queueEntry, queueOf, queueTexts } from './queue-name.ts'
import { isOwn, type TaskShare } from './task-share.ts'

type Lookups = Pick<SqsApi, 'queueUrl' | 'listQueues'>

/** The queues of a task, by the settings that name them. */
export class NamedQueues {
  /** ms after which names and prefixes are looked up again; null: only URLs are named, so the list never changes. */
  readonly lookAgainMs: number | null
  readonly #config: SqsSettings
  readonly #sqs: Lookups
  readonly #share: TaskShare
  readonly #texts: readonly string[]
  readonly #prefixes: readonly string[]
  #named: ReadonlySet<string> = new Set()

  constructor(config: SqsSettings, sqs: Lookups, share: TaskShare) {
    this.#config = config
    this.#sqs = sqs
    this.#share = share
    this.#texts = queueTexts(config['sqs.queue.urls'], config['sqs.queue.url'])
    this.#prefixes = listOf(config['sqs.queue.name.prefix'])
    const onlyUrls = this.#prefixes.length === 0 && this.#texts.every((text) => isUrl(text))
    this.lookAgainMs = onlyUrls ? null : config['sqs.queue.refresh.interval.ms']
  }

  /** Whether all tasks read the same queue: a single standard queue is named, and consumed. A prefix could name more at any time. */
  get isShared(): boolean {
    const [text, ...others] = this.#texts
    if (text === undefined || others.length > 0 || this.#prefixes.length > 0) return false
    if (this.#config['sqs.mode'] === 'mirror') return false
    return this.#share.count > 1 && !isFifo(queueEntry(text)?.name ?? '', this.#config)
  }

  /** Whether the queue, of the last answer of `resolve`, is none of those that are named. */
  mayGo(url: string): boolean {
    return !this.#named.has(url)
  }

  /** The queues now, each once. Rejects with a ConfigError for a named queue that does not exist; a prefix may find none. */
  async resolve(signal: AbortSignal): Promise<Queue[]> {
    const urlOf = async (text: string): Promise<string> => (isUrl(text) ? text : await this.#sqs.queueUrl(text, signal))
    const named = await Promise.all(this.#texts.map(urlOf))
    const found = await Promise.all(this.#prefixes.map((prefix) => this.#sqs.listQueues(prefix, signal)))
    this.#named = new Set(named)
    const all = [...new Set([...named, ...found.flat()])].map((url) => queueOf(url, this.#config))
    return this.isShared ? all : all.filter(({ url }) => isOwn(url, this.#share))
  }
}

function isUrl(text: string): boolean {
  return (queueEntry(text)?.url ?? null) !== null
}
