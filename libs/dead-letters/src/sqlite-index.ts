import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { abortable } from '@tributary/async'
import { type KafkaConnection, packConnection } from '@tributary/config'
import type { LetterEvent } from '@tributary/connect-storage'
import type { Logger } from '@tributary/telemetry'
import type { StoredFilter } from './store/letter-search.ts'
import type { FromThread, Operations, ThreadData } from './thread/messages.ts'
import type {
  DeadLetterIndex,
  DeadLetterIndexState,
  LetterAddress,
  LetterFilter,
  LetterPage,
  LetterRow,
  LetterStats,
} from './types.ts'

export interface DeadLetterIndexOptions {
  readonly connection: KafkaConnection
  readonly log: Logger
  /** Where the file of the index lies; it is created. Empty or absent: in a temporary folder, which is removed at the end. */
  readonly folder?: string
  /** Bytes that the index may have; above, its oldest letters leave it. 8 GiB by default. */
  readonly maxBytes?: number
  /** How often topics are looked at for new partitions, deletion and retention, in ms; 5000 by default. */
  readonly lookMs?: number
}

interface Waiting {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

export function createDeadLetterIndex(options: DeadLetterIndexOptions): DeadLetterIndex {
  return new SqliteDeadLetterIndex(options)
}

/** The side of the main thread: everything is asked of a thread that has the database. */
class SqliteDeadLetterIndex implements DeadLetterIndex {
  readonly #options: DeadLetterIndexOptions
  readonly #topics = new Set<string>()
  readonly #connectors = new Set<string>()
  readonly #waiting = new Map<number, Waiting>()
  readonly #open = Promise.withResolvers<Worker>()
  #temporary: string | null = null
  #thread: Worker | null = null
  #asked = 0
  #stopped = false
  #state: DeadLetterIndexState = { ready: false, indexed: 0, behind: 0, troubles: [] }

  constructor(options: DeadLetterIndexOptions) {
    this.#options = options
    this.#open.promise.catch(() => undefined)
  }

  get state(): DeadLetterIndexState {
    return this.#state
  }

  /** Resolves when queries are answered; `state.ready` says when all is in the index. Rejects when the file cannot be opened. */
  async start(signal: AbortSignal): Promise<void> {
    const { connection, maxBytes = 8 * 2 ** 30, lookMs = 5000 } = this.#options
    let { folder } = this.#options
    if (!folder) folder = this.#temporary = await mkdtemp(join(tmpdir(), 'tributary-dead-letters-'))
    const data: ThreadData = { connection: packConnection(connection), folder, maxBytes, lookMs }
    if (this.#stopped) return
    const file = new URL(`./thread/index-thread${extname(import.meta.url)}`, import.meta.url)
    const thread = (this.#thread = new Worker(file, { workerData: data, name: 'dead-letter-index' }))
    thread.on('message', (message: FromThread) => this.#heard(message))
    thread.on('error', (error: Error) => this.#ended(error))
    thread.on('exit', () => this.#ended(new Error('its thread has ended')))
    await abortable(this.#open.promise, signal)
  }

  follow(topics: readonly string[]): void {
    const added = topics.filter((topic) => !this.#topics.has(topic))
    if (added.length === 0) return
    for (const topic of added) this.#topics.add(topic)
    this.#state = { ...this.#state, ready: false }
    // The end of the thread is told by the state.
    this.#ask('follow', added).catch(() => undefined)
  }

  apply(events: readonly LetterEvent[]): Promise<void> {
    return this.#ask('apply', events)
  }
  query(filter: LetterFilter, page: { limit: number; cursor?: string; offset?: number }): Promise<LetterPage> {
    return this.#ask('query', this.#stored(filter), page)
  }
  stats(filter: LetterFilter): Promise<LetterStats> {
    return this.#ask('stats', this.#stored(filter))
  }
  select(filter: LetterFilter, limit: number, after?: LetterRow): Promise<readonly LetterRow[]> {
    return this.#ask('select', this.#stored(filter), limit, after)
  }
  find(places: readonly LetterAddress[]): Promise<readonly (LetterRow | null)[]> {
    return this.#ask('find', places)
  }
  count(filter: LetterFilter): Promise<number> {
    return this.#ask('count', this.#stored(filter))
  }

  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    const thread = this.#thread
    if (thread !== null) {
      const exited = new Promise((resolve) => thread.once('exit', resolve))
      const asked = this.#ask('stop').catch(() => undefined)
      await Promise.race([asked, exited])
      await thread.terminate()
    }
    this.#open.reject(new Error('the index of dead letters is closed'))
    if (this.#temporary !== null) await rm(this.#temporary, { recursive: true, force: true })
  }

  async #ask<N extends keyof Operations>(
    operation: N,
    ...args: Parameters<Operations[N]>
  ): Promise<ReturnType<Operations[N]>> {
    const thread = await this.#open.promise
    if (this.#thread !== thread) throw new Error('the index of dead letters has ended')
    const id = ++this.#asked
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#waiting.set(id, { resolve, reject })
    thread.postMessage({ id, operation, args })
    return promise as Promise<ReturnType<Operations[N]>>
  }

  /** A function cannot be passed to the thread, so it is asked here about all connectors that have letters. */
  #stored({ visible, ...filter }: LetterFilter): StoredFilter {
    if (visible === undefined) return filter
    return { ...filter, visible: [null, ...this.#connectors].filter(visible) }
  }

  #heard(message: FromThread): void {
    switch (message.kind) {
      case 'answer':
      case 'refusal': {
        const waiting = this.#waiting.get(message.id)
        this.#waiting.delete(message.id)
        if (message.kind === 'answer') waiting?.resolve(message.result)
        else waiting?.reject(new Error(`the index of dead letters: ${message.error}`))
        return
      }
      case 'open':
        return this.#open.resolve(this.#thread!)
      case 'state':
        this.#state = message.state
        return
      case 'connectors':
        for (const name of message.names) this.#connectors.add(name)
        return
      case 'log':
        this.#options.log[message.level](message.event, { ...message.fields })
    }
  }

  #ended(error: Error): void {
    if (this.#thread === null) return
    this.#thread = null
    this.#open.reject(error)
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
    if (this.#stopped) return
    this.#options.log.error('dead_letter_index_ended', { error })
    const trouble = `The index of dead letters has ended: ${error.message}. Start the process again; if that does not help, remove the folder of the index, which is then built anew.`
    this.#state = { ready: false, indexed: 0, behind: 0, troubles: [trouble] }
  }
}
