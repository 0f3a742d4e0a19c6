import type { OffsetEntry } from '@tributary/connect-api'
import { type ConfigStore, type OffsetStore, taskTransactionalId } from '@tributary/connect-storage'
import { offsetEntries, type SentOffset } from '../http/offsets-body.ts'
import { restError } from '../http/rest-errors.ts'
import type { ConnectorViews } from './connector-views.ts'
import type { EndedTasks } from './ended-tasks.ts'
import type { KeyedLock } from './keyed-lock.ts'
import type { Workers } from './workers.ts'

/** What is needed of KafkaAdmin: no producer that held one of the ids can write any more (KIP-618). */
export interface Fencing {
  fenceProducers(transactionalIds: readonly string[], signal?: AbortSignal): Promise<void>
}

export interface ConnectorOffsetsOptions {
  readonly config: ConfigStore
  readonly offsets: OffsetStore
  readonly views: ConnectorViews
  readonly workers: Workers
  readonly fencing: Fencing
  readonly endedTasks: EndedTasks
  /** Shared with all that changes a connector: it is not resumed while its offsets change. */
  readonly writes: KeyedLock
  /** How long the offsets topic may take to be read to its end, in ms. */
  readonly readTimeoutMs?: number
}

export interface Message {
  readonly message: string
}

/** A transaction that nobody ends holds reads of the offsets topic for up to its timeout. */
const READ_TIMEOUT_MS = 30_000

/**
 * A connector's offsets (KIP-875). They are changed only while it is STOPPED and nobody else can write them: its tasks
 * have ended wherever they ran, and whoever still held one of their transactional ids is fenced.
 */
export class ConnectorOffsets {
  readonly #options: ConnectorOffsetsOptions

  constructor(options: ConnectorOffsetsOptions) {
    this.#options = options
  }

  /** What is committed now, read to the end of the offsets topic. */
  async read(connector: string): Promise<readonly OffsetEntry[]> {
    this.#options.views.config(connector)
    await this.#refresh()
    return this.#options.offsets.offsets(connector)
  }

  /** Replaces the offsets of the partitions that are named; those of null are removed, the others stay. */
  alter(connector: string, sent: readonly SentOffset[]): Promise<Message> {
    return this.#change(connector, 'altered', () => offsetEntries(sent))
  }

  /** Removes all; no error when there are none. */
  reset(connector: string): Promise<Message> {
    const { offsets } = this.#options
    return this.#change(connector, 'reset', () =>
      offsets.offsets(connector).map(({ partition }) => ({ partition, offset: null })),
    )
  }

  async #change(connector: string, done: 'altered' | 'reset', entriesOf: () => OffsetEntry[]): Promise<Message> {
    const { config, offsets, endedTasks, writes } = this.#options
    this.#assertStopped(connector)
    if (done === 'altered') entriesOf()
    await endedTasks.wait(connector)
    return writes.run(connector, async () => {
      // It may have been resumed in the meantime, but not from here on.
      this.#assertStopped(connector)
      await endedTasks.wait(connector)
      await this.#fence(connector)
      await this.#refresh()
      const entries = entriesOf()
      const complete = await this.#judge(connector, entries)
      // A leader that was suspended until here may have a successor who has resumed it.
      await config.refresh()
      this.#assertStopped(connector)
      await offsets.write(connector, entries)
      return { message: complete ? ALL[done] : FRAMEWORK_MANAGED[done] }
    })
  }

  #assertStopped(connector: string): void {
    const { views, config } = this.#options
    views.config(connector)
    if (config.snapshot.targetState(connector) !== 'STOPPED') throw restError('notStopped', connector)
  }

  /** Those of former tasks as well: a worker that was thought dead may hold a transaction of one. */
  async #fence(connector: string): Promise<void> {
    const { config, views, workers, fencing } = this.#options
    const service = views.plugin(connector)?.service
    const tasks = [...config.snapshot.taskNumbers(connector)]
    if (service === undefined || tasks.length === 0) return
    const group = workers.groupOf(service)
    await fencing.fenceProducers(tasks.map((task) => taskTransactionalId(group, connector, task)))
  }

  /** True when the plugin says that there are no offsets elsewhere. Anything may be removed, so only values are judged. */
  async #judge(connector: string, entries: readonly OffsetEntry[]): Promise<boolean> {
    const { views, workers } = this.#options
    const plugin = views.plugin(connector)
    if (plugin === null) return false
    const values = entries.filter(({ offset }) => offset !== null)
    const { errors, complete } = await workers.checkOffsets(plugin, views.config(connector), values)
    const reasons = errors.map(({ message }) => message)
    if (reasons.length > 0) throw restError('offsetsRefused', reasons)
    return complete
  }

  async #refresh(): Promise<void> {
    const { offsets, readTimeoutMs = READ_TIMEOUT_MS } = this.#options
    const deadline = AbortSignal.timeout(readTimeoutMs)
    try {
      await offsets.refresh(deadline)
    } catch (error) {
      if (deadline.aborted) throw restError('offsetsUnread', readTimeoutMs / 1000)
      throw error
    }
  }
}

type Texts = Readonly<Record<'altered' | 'reset', string>>

/** Connect's two answers: of a connector that confirms the change, and of one that says nothing about it. */
const ALL: Texts = {
  altered: 'The offsets for this connector have been altered successfully',
  reset: 'The offsets for this connector have been reset successfully',
}
const FRAMEWORK_MANAGED: Texts = {
  altered:
    'The Connect framework-managed offsets for this connector have been altered successfully. However, if this connector manages offsets externally, they will need to be manually altered in the system that the connector uses.',
  reset:
    'The Connect framework-managed offsets for this connector have been reset successfully. However, if this connector manages offsets externally, they will need to be manually reset in the system that the connector uses.',
}
