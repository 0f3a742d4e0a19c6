import { type Clock, errorKind } from '@tributary/connect-api'
import { taskTransactionalId } from '@tributary/connect-storage'
import type { Logger } from '@tributary/telemetry'
import { type MemberMetadata, parseUnit } from '../assignment/group.ts'

/** What is asked of KafkaAdmin. */
export interface FormerTasksAdmin {
  fenceProducers(transactionalIds: readonly string[], signal: AbortSignal): Promise<void>
  describeGroup(
    groupId: string,
    options: { settleMs: number; signal: AbortSignal },
  ): Promise<{ readonly members: readonly { readonly metadata: unknown }[] }>
}

export interface FormerTasksOptions {
  readonly admin: FormerTasksAdmin
  /** `<cluster>-<service>`: the workers' group, and the start of each transactional id. */
  readonly groupId: string
  /** How long former tasks are waited for, in ms: what a graceful stop may take, and a session. */
  readonly waitMs: number
  /** Has the group meet, so that its members tell what they have. */
  readonly rejoin: () => void
  readonly clock: Clock
  readonly log: Logger
}

const ASK_AGAIN_MS = 100
/** A member that had not read as far when the group met is asked once more. */
const MEET_AGAIN_MS = 1000

/**
 * Ends an exactly-once connector's former tasks before new ones run (KIP-618). Of a single task the successor's own start
 * fences the former one; when there are several, a source partition may move from one task to another, and then nothing but
 * this keeps a former owner from writing what the new one has read already.
 */
export class FormerTasks {
  readonly #options: FormerTasksOptions

  constructor(options: FormerTasksOptions) {
    this.#options = options
  }

  /**
   * To be called once the topic says that there are no tasks, at offset `cfg`. Waits until all workers that live have
   * stopped theirs, so that each hands over in good order; then fences all of them, whoever may still have one.
   */
  async end(connector: string, numbers: Iterable<number>, cfg: bigint, signal: AbortSignal): Promise<void> {
    const { admin, groupId, rejoin, clock, log, waitMs } = this.#options
    const ids = Array.from(numbers, (task) => taskTransactionalId(groupId, connector, task))
    const began = clock.monotonic()
    rejoin()
    for (let meetings = 1; !(await this.#stopped(connector, cfg, signal));) {
      const waited = clock.monotonic() - began
      if (waited > waitMs) {
        log.warn('former_tasks_not_stopped', { connector_name: connector, waited_ms: waitMs })
        break
      }
      if (waited > meetings * MEET_AGAIN_MS) {
        meetings++
        rejoin()
      }
      await clock.sleep(ASK_AGAIN_MS, signal)
    }
    await admin.fenceProducers(ids, signal)
    log.info('former_tasks_fenced', { connector_name: connector, tasks: ids.length })
  }

  /** Every member of the group has joined since it read `cfg`, and has none of the connector's tasks any more. */
  async #stopped(connector: string, cfg: bigint, signal: AbortSignal): Promise<boolean> {
    const members = await this.#members(signal)
    return (
      members !== null &&
      members.every(({ metadata }) => {
        // Absent while the group rebalances.
        if (metadata === null) return false
        const { cfg: read, own } = metadata as MemberMetadata
        if (BigInt(read) < cfg) return false
        return own.every(([name]) => {
          const unit = parseUnit(name)
          return unit.connector !== connector || unit.task === null
        })
      })
    )
  }

  /** null when Kafka cannot be asked at present, which must not end the wait. */
  async #members(signal: AbortSignal): Promise<readonly { readonly metadata: unknown }[] | null> {
    const { admin, groupId, log } = this.#options
    try {
      return (await admin.describeGroup(groupId, { settleMs: ASK_AGAIN_MS, signal })).members
    } catch (error) {
      if (signal.aborted || errorKind(error) !== 'retriable') throw error
      log.warn('group_not_described', { group: groupId, error })
      return null
    }
  }
}
