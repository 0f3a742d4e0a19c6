import type { OffsetEntry } from '@tributary/connect-api'
import { type ConfigStore, type OffsetStore, taskTransactionalId } from '@tributary/connect-storage'
import { setTimeout as sleep } from 'node:timers/promises'
import { offsetEntries, type SentOffset } from '../http/offsets-body.ts'
import { restError } from '../http/rest-errors.ts'
import type { ConnectorViews } from './connector-views.ts'
import type { KeyedLock } from './keyed-lock.ts'
import type { Workers } from './workers.ts'

/** The part of KafkaAdmin that fences: afterwards no producer that held one of the ids can write (KIP-618). */
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
  /** Shared with everything that changes a connector, so that a connector is not resumed while its offsets change. */
  readonly writes: KeyedLock
  /** How long reading the offsets topic to its end may take, in ms. */
  readonly readTimeoutMs?: number
}

export interface Message {
  readonly message: string
}

/** An open transaction holds reads of the offsets topic up, at most for the transaction's timeout. */
const READ_TIMEOUT_MS = 30_000

/**
 * A connector's offsets (KIP-875). Offsets are changed only while the connector is STOPPED and nobody else can write
 * them: its tasks have ended on every worker, and every producer with one of their transactional ids is fenced.
 */
export class ConnectorOffsets {
  readonly #options: ConnectorOffsetsOptions

  constructor(options: ConnectorOffsetsOptions) {
    this.#options = options
  }

  /** The committed offsets, after the offsets topic was read to its end. */
  async read(connector: string): Promise<readonly OffsetEntry[]> {
    this.#options.views.config(connector)
    await this.#refresh()
    return this.#options.offsets.offsets(connector)
  }

  /** Replaces the offsets of the named partitions. A null offset is removed, and other partitions are unchanged. */
  alter(connector: string, sent: readonly SentOffset[]): Promise<Message> {
    return this.#change(connector, 'altered', () => offsetEntries(sent))
  }

  /** Removes all offsets. Succeeds when there are none. */
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
      // The connector may have been resumed during the wait. From here on the lock prevents that.
      this.#assertStopped(connector)
      await endedTasks.wait(connector)
      await this.#fence(connector)
      await this.#refresh()
      const entries = entriesOf()
      const complete = await this.#judge(connector, entries)
      // If this leader was suspended during the wait, its successor may have resumed the connector.
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

  /**
   * Fences the tasks of earlier configurations, too: a worker that was believed dead may hold a transaction of one of
   * them.
   */
  async #fence(connector: string): Promise<void> {
    const { config, views, workers, fencing } = this.#options
    const service = views.plugin(connector)?.service
    const tasks = [...config.snapshot.taskNumbers(connector)]
    if (service === undefined || tasks.length === 0) return
    const group = workers.groupOf(service)
    await fencing.fenceProducers(tasks.map((task) => taskTransactionalId(group, connector, task)))
  }

  /**
   * Checks the new values. Returns true when the plugin says that it keeps no offsets outside the offsets topic.
   * Removals are always allowed.
   */
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
      if (deadline.aborted && offsets.trouble !== null) throw restError('internalTopicDeleted', offsets.trouble)
      if (deadline.aborted) throw restError('offsetsUnread', readTimeoutMs / 1000)
      throw error
    }
  }
}

type Texts = Readonly<Record<'altered' | 'reset', string>>

/** Connect's two answers: one for a connector that confirms the change, and one for a connector that does not. */
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

export interface EndedTasksOptions {
  readonly config: ConfigStore
  readonly views: ConnectorViews
  readonly workers: Workers
  /** How long the tasks may take to end, in ms. */
  readonly timeoutMs?: number
}

/** Longer than a graceful stop, and longer than the session of a worker that went away. */
const TASKS_END_TIMEOUT_MS = 60_000
const POLL_MS = 100

/** Waits for the end of a stopped connector's tasks. */
export class EndedTasks {
  readonly #options: EndedTasksOptions

  constructor(options: EndedTasksOptions) {
    this.#options = options
  }

  /**
   * Waits until every live worker says that it has no task of the connector. Statuses are no proof, because a status
   * may be removed before its task ends. A worker that left the group has lost its lease and commits nothing. Throws
   * when the wait takes too long.
   */
  async wait(connector: string): Promise<void> {
    const service = this.#options.views.plugin(connector)?.service
    // If no worker has published the class, no task of it ever ran.
    if (service === undefined) return
    const deadline = performance.now() + (this.#options.timeoutMs ?? TASKS_END_TIMEOUT_MS)
    for (;;) {
      const busy = await this.#busy(connector, service)
      if (busy.length === 0) return
      if (performance.now() >= deadline) throw restError('tasksRunning', connector, busy)
      await sleep(POLL_MS)
    }
  }

  /**
   * The workers that have a task of the connector, or may have one: they do not answer, or have not yet heard that the
   * connector has no tasks.
   */
  async #busy(connector: string, service: string): Promise<readonly string[]> {
    const { config, workers } = this.#options
    const members = await workers.members(service)
    // While the group rebalances Kafka does not list its members.
    if (members === null) return [`the group ${workers.groupOf(service)}, which is rebalancing`]
    if (config.snapshot.tasks(connector).length > 0) return members
    const tasks = await Promise.all(members.map((worker) => workers.tasksOf(worker, connector)))
    return members.filter((_, i) => tasks[i]?.length !== 0)
  }
}
