import {
  ConfigError,
  type ConnectError,
  DataError,
  END_OF_INPUT,
  NotConnectedError,
  type Predecessor,
  type Props,
  RecordQueue,
  type SourcePartition,
  type SourcePlugin,
  type SourceRecord,
  type SourceTask,
  type TaskContext,
} from '@tributary/connect-api'
import { randomUUID } from 'node:crypto'

const PARTITION: SourcePartition = { feed: 'live' }
const feeds = new Map<string, LiveFeed>()

/**
 * A feed of numbers from 1 that cannot be read again. Each number goes to all clients that are connected when it is
 * sent.
 */
export class LiveFeed {
  readonly name = randomUUID()
  readonly open = new Set<LiveTask>()
  sent = 0
  connections = 0
  mostOpen = 0
  /** The error with which new connections are refused. */
  refusal: Error | null = null
  /** The feed takes one connection at a time: what a second one leads to. null: any number of connections. */
  account: { readonly second: 'refused' | 'refused later' | 'ends the first'; readonly forgetsAfterMs: number } | null =
    null
  /** When the last connection ended, in ms of `performance.now()`. */
  leftAt = 0
  /** This many numbers are still under way to the next run that is to end, and to no other. */
  inFlightAtEnd = 0
  /** True: nothing is taken from the queues of the feed's tasks. The count says how often a poll found this. */
  held = false
  heldPolls = 0
  /** Numbers that cannot be decoded. */
  readonly bad = new Set<number>()
  #timer: NodeJS.Timeout | undefined

  constructor() {
    feeds.set(this.name, this)
  }

  send(count: number): void {
    for (const end = this.sent + count; this.sent < end;) {
      this.sent++
      for (const task of this.open) task.receive(this.sent)
    }
  }

  /** Sends `perSecond` numbers a second until `rest`. */
  run(perSecond: number): void {
    this.#timer = setInterval(() => this.send(Math.max(1, Math.round(perSecond / 200))), 5)
  }
  rest(): void {
    clearInterval(this.#timer)
  }

  connect(task: LiveTask): void {
    if (this.refusal !== null) throw this.refusal
    if (this.#inUse(task)) return
    this.connections++
    this.open.add(task)
    this.mostOpen = Math.max(this.mostOpen, this.open.size)
  }

  /** Whether the feed greets a second connection and then refuses it. */
  #inUse(task: LiveTask): boolean {
    if (this.account === null) return false
    const { second, forgetsAfterMs } = this.account
    if (second === 'ends the first') this.cut()
    if (this.open.size === 0 && performance.now() - this.leftAt >= forgetsAfterMs) return false
    const refusal = new ConfigError('FEED_IN_USE', 'connection limit exceeded')
    if (second === 'refused') throw refusal
    setTimeout(() => task.cut(refusal), 5)
    return true
  }

  /** Cuts all connections. */
  cut(): void {
    for (const task of this.open) task.cut()
    this.open.clear()
  }
}

/** The error of the feed's server when it accepts no more connections. */
export const ONLY_ONE = new NotConnectedError('FEED_BUSY', 'only one connection at a time')
export const REFUSED = new ConfigError('FEED_REFUSED', 'the feed does not know this key')

/**
 * Reads a live feed. Keys: `feed`, its name; `topic`; `overlap`, false: one run ends before the next begins;
 * `max.connection.age.ms`; `throws`, true: a timer throws after the connect; `password`.
 */
class LiveTask implements SourceTask {
  readonly #queue = new RecordQueue<number>({ maxRecords: 1000, maxBytes: 1_000_000 })
  #context: TaskContext | null = null
  #ended: ConnectError | null = null
  /** The last number that was delivered or handed out. Numbers up to it are duplicates. */
  #last = 0

  start(context: TaskContext): Promise<void> {
    this.#context = context
    this.#last = Number(context.offset(PARTITION)?.['number'] ?? 0)
    context.stats.queueCapacity = this.#queue.maxRecords
    context.stats.queueMaxBytes = this.#queue.maxBytes
    return Promise.resolve()
  }

  connect(): Promise<void> {
    if (this.#props['throws'] === 'true') {
      setTimeout(() => {
        throw new Error('thrown where nobody catches')
      }, 1)
    }
    this.#queue.reopen()
    this.#ended = null
    this.#feed.connect(this)
    return Promise.resolve()
  }

  takeOver(predecessor: Predecessor): void {
    this.#last = Number(predecessor.offset(PARTITION)?.['number'] ?? 0)
  }

  receive(number: number): void {
    this.#stats.messagesReceived++
    this.#stats.lastMessageAt = Date.now()
    this.#queue.push(number, 8)
    this.#stats.queueSize = this.#queue.size
  }

  cut(error: ConnectError = new NotConnectedError('FEED_CUT', 'cut by the test')): void {
    this.#ended = error
    this.#queue.end(error)
  }

  lostConnection(): ConnectError | null {
    return this.#ended
  }

  async poll(signal: AbortSignal): Promise<SourceRecord[] | typeof END_OF_INPUT> {
    if (this.#feed.held) {
      this.#feed.heldPolls++
      await this.#context!.clock.sleep(20, signal)
      return []
    }
    const numbers = await this.#queue.take(500, 200, signal)
    this.#stats.queueSize = this.#queue.size
    if (numbers === null) return END_OF_INPUT
    const records: SourceRecord[] = []
    for (const number of numbers) {
      if (number <= this.#last) this.#stats.duplicates++
      else records.push(this.#record(number))
    }
    return records
  }

  drain(): void {
    for (; this.#feed.inFlightAtEnd > 0; this.#feed.inFlightAtEnd--) this.receive(++this.#feed.sent)
    this.#leave()
    this.#queue.end()
  }

  stop(): Promise<void> {
    this.#leave()
    return Promise.resolve()
  }

  #leave(): void {
    if (this.#context && this.#feed.open.delete(this)) this.#feed.leftAt = performance.now()
  }

  #record(number: number): SourceRecord {
    if (number > this.#last + 1 && this.#last > 0) this.#stats.sequenceGaps++
    this.#last = number
    const bad = this.#feed.bad.has(number)
    return {
      sourcePartition: PARTITION,
      sourceOffset: { number },
      topic: this.#props['topic']!,
      key: null,
      value: bad ? null : String(number),
      timestamp: null,
      error: bad ? new DataError('FEED_BAD', `${number} is bad`) : undefined,
    }
  }

  get #props(): Props {
    return this.#context!.config
  }
  get #stats(): TaskContext['stats'] {
    return this.#context!.stats
  }
  get #feed(): LiveFeed {
    return feeds.get(this.#props['feed']!)!
  }
}

export const liveSource: SourcePlugin = {
  class: 'test.LiveSourceConnector',
  aliases: [],
  version: '1',
  taskClass: 'test.LiveSourceTask',
  metricPrefix: 'live',
  reconnectPolicy: () => ({
    enabled: true,
    intervalMs: 20,
    backoffMaxMs: 50,
    maxAttempts: -1,
    connectTimeoutMs: 1000,
  }),
  handOver: (props) =>
    props['overlap'] === 'false' ? null : { maxConnectionAgeMs: Number(props['max.connection.age.ms'] ?? 0) },
  connector: {
    spec: { keys: { password: { type: 'password', importance: 'low', doc: 'A secret.' } } },
    taskConfigs: (props) => [{ ...props }],
    exactlyOnce: () => true,
  },
  createTask: () => new LiveTask(),
}
