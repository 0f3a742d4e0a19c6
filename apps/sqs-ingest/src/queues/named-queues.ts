import { createHash } from 'node:crypto'
import { hasReferences } from '@tributary/config'
import type { Props } from '@tributary/connect-api'
import type { SqsApi } from '../aws/sqs-api.ts'
import type { Queue } from '../message.ts'
import type { SqsSettings } from '../settings/read.ts'
import { isFifo, listOf, queueEntry, queueOf, queueTexts } from './queue-name.ts'
import { isOwn, type TaskShare } from './task-share.ts'

type Lookups = Pick<SqsApi, 'queueUrl' | 'listQueues'>

/** Queues that are looked up at the same time: each takes 20 KiB until it is answered, and a setting may name 100,000. */
const LOOKUPS_AT_ONCE = 50

/** The queues of a task, by the settings that name them. */
export class NamedQueues {
  /** ms after which names and prefixes are looked up again; null: only URLs are named, so the list never changes. */
  readonly lookAgainMs: number | null
  readonly #config: SqsSettings
  readonly #sqs: Lookups
  readonly #share: TaskShare
  readonly #texts: readonly string[]
  readonly #prefixes: readonly string[]
  readonly #written: Written
  #named: ReadonlySet<string> = new Set()

  /** `written`: see TaskContext. */
  constructor(config: SqsSettings, sqs: Lookups, share: TaskShare, written?: Props) {
    this.#config = config
    this.#sqs = sqs
    this.#share = share
    this.#texts = queueTexts(config['sqs.queue.urls'], config['sqs.queue.url'])
    this.#written = writtenOf(this.#texts, written)
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
    const named: string[] = []
    for (let at = 0; at < this.#texts.length; at += LOOKUPS_AT_ONCE) {
      named.push(...(await Promise.all(this.#texts.slice(at, at + LOOKUPS_AT_ONCE).map(urlOf))))
    }
    const found = await Promise.all(this.#prefixes.map((prefix) => this.#sqs.listQueues(prefix, signal)))
    this.#named = new Set(named)
    const urls = new Set([...named, ...found.flat()])
    const places = new Map(named.map((url, at) => [url, at] as const).reverse())
    const all = [...urls].map((url) => queueOf(url, this.#config, this.#written(url, places.get(url) ?? -1)))
    return this.isShared ? all : all.filter(({ url }) => isOwn(url, this.#share))
  }
}

/** What stands for the URL of a queue in source partitions; null: nothing. `at`: its place among the named ones; -1: a prefix has found it. */
type Written = (url: string, at: number) => string | null

function writtenOf(texts: readonly string[], written: Props = {}): Written {
  const prefix = written['sqs.queue.name.prefix'] ?? ''
  const names = queueTexts(written['sqs.queue.urls'], written['sqs.queue.url'])
  // A reference may stand for several queues, of which the setting does not tell one from the other.
  const digest = (text: string, url: string): string =>
    `${text}#${createHash('sha256').update(url).digest('hex').slice(0, 16)}`
  const list = names.length !== texts.length && names.some(hasReferences) ? names.join(',') : null
  return (url, at) => {
    if (at < 0) return hasReferences(prefix) ? digest(prefix, url) : null
    if (names.length !== texts.length) return list === null ? null : digest(list, url)
    return hasReferences(names[at]!) ? names[at]! : null
  }
}

function isUrl(text: string): boolean {
  return (queueEntry(text)?.url ?? null) !== null
}
