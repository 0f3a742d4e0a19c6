import {
  END_OF_INPUT,
  type OffsetEntry,
  type Polled,
  type Predecessor,
  type RecordMetadata,
  RecordQueue,
  type SourceOffset,
  type SourceRecord,
  type SourceTask,
  type TaskContext,
} from '@tributary/connect-api'

const PARTITION = { feed: 'a' }

/** A source that the test drives: `send` delivers messages, `cut` ends the connection. */
export class ScriptedTask implements SourceTask {
  readonly queue = new RecordQueue<string>({ maxRecords: 1000, maxBytes: 1_000_000, wakesLater: true })
  readonly committed: [string, RecordMetadata | null][] = []
  polls = 0
  /** Whether `send` offers the records while `poll` waits. */
  offers = true
  /** Time in ms that `poll` waits for records. */
  pollMs = 200
  connects = 0
  commits = 0
  stopped = 0
  /** What `paused` and `resumed` told, in order. */
  readonly told: ('paused' | 'resumed')[] = []
  context: TaskContext | null = null
  /** Called by `connect`. Throws to refuse the connection. */
  onConnect: (signal: AbortSignal) => void | Promise<void> = () => {}
  /** What the predecessor left at `takeOver`; null before that call. */
  takenOver: { readonly offset: SourceOffset | null; readonly handOverState: string | null } | null = null
  /** The state that `handOver` returns. */
  handOverState: string | null = null
  whyCompleted: string | null = null
  warning: string | null = null
  /** The offset that `position` returns once. */
  nextPosition: SourceOffset | null = null
  /** Called with the records that `poll` returns. */
  onHandOut: (records: readonly SourceRecord[]) => void = () => {}
  /** Makes what `poll` returns. */
  pack: (records: SourceRecord[]) => Polled[] = (records) => records
  #sequence = 0

  start(context: TaskContext): Promise<void> {
    this.context = context
    return Promise.resolve()
  }
  async connect(signal: AbortSignal): Promise<void> {
    this.connects++
    await this.onConnect(signal)
    this.queue.reopen()
  }
  async poll(signal: AbortSignal): Promise<Polled[] | typeof END_OF_INPUT> {
    this.polls++
    const values = await this.queue.take(100, this.pollMs, signal)
    return values === null ? END_OF_INPUT : this.#recordsOf(values)
  }
  #recordsOf(values: readonly string[]): Polled[] {
    const records = values.map((value) => ({
      sourcePartition: PARTITION,
      sourceOffset: { sequence: ++this.#sequence },
      topic: 'events',
      key: null,
      value,
      timestamp: null,
    }))
    this.onHandOut(records)
    return this.pack(records)
  }
  position(): OffsetEntry | null {
    const offset = this.nextPosition
    this.nextPosition = null
    return offset === null ? null : { partition: PARTITION, offset }
  }
  completed(): string | null {
    return this.whyCompleted
  }
  caution(): string | null {
    return this.warning
  }
  commitRecord(record: SourceRecord, metadata: RecordMetadata | null): void {
    this.committed.push([record.value as string, metadata])
  }
  commit(): Promise<void> {
    this.commits++
    return Promise.resolve()
  }
  paused(): void {
    this.told.push('paused')
  }
  resumed(): void {
    this.told.push('resumed')
  }
  drain(): void {
    this.queue.end()
  }
  takeOver(predecessor: Predecessor): void {
    this.takenOver = { offset: predecessor.offset(PARTITION), handOverState: predecessor.handOverState }
  }
  handOver(): string | null {
    return this.handOverState
  }
  stop(): Promise<void> {
    this.stopped++
    return Promise.resolve()
  }

  send(...values: string[]): void {
    for (const value of values) this.queue.push(value, value.length)
    while (this.queue.waiting && this.queue.size > 0) if (!this.#offer()) this.queue.wake()
  }
  #offer(): boolean {
    return this.offers && (this.context?.offer?.(() => this.#recordsOf(this.queue.takeNow(100))) ?? false)
  }
  cut(error: Error): void {
    this.queue.end(error)
  }
}
