import { type Clock, errorKind } from '@tributary/connect-api'
import { taskTransactionalId } from '@tributary/connect-storage'
import type { Logger } from '@tributary/telemetry'
import { type MemberMetadata, parseUnit } from '../assignment/group.ts'

/** What is asked of KafkaAdmin. */
export interface ZombieFencingAdmin {
  fenceProducers(transactionalIds: readonly string[], signal: AbortSignal): Promise<void>
  describeGroup(
    groupId: string,
    options: { settleMs: number; signal: AbortSignal },
  ): Promise<{ readonly members: readonly { readonly metadata: unknown }[] }>
}

export interface ZombieFencingOptions {
  readonly admin: ZombieFencingAdmin
  /** `<cluster>-<service>`: the workers' group, and the start of each transactional id. */
  readonly groupId: string
  /** How long the tasks that run are waited for, in ms: the time of a graceful stop, and a session. */
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
 * Zombie fencing (KIP-618): ends the tasks of an exactly-once connector that still run before a new set of tasks starts. With one
 * task before and after, the start of the new task fences the old one. With several, a source partition may move from one task to
 * another; only this keeps a zombie from writing what the new owner has read already.
 */
export class ZombieFencing {
  readonly #options: ZombieFencingOptions

  constructor(options: ZombieFencingOptions) {
    this.#options = options
  }

  /**
   * Called once the config topic says, at offset `cfg`, that the connector has no tasks. Waits until every live worker has stopped
   * its tasks, so that each ends in good order. Then fences the transactional ids of all of them, whoever may still use one.
   */
  async fence(connector: string, numbers: Iterable<number>, cfg: bigint, signal: AbortSignal): Promise<void> {
    const { admin, groupId, rejoin, clock, log, waitMs } = this.#options
    const ids = Array.from(numbers, (task) => taskTransactionalId(groupId, connector, task))
    const began = clock.monotonic()
    rejoin()
    for (let meetings = 1; !(await this.#allStopped(connector, cfg, signal));) {
      const waited = clock.monotonic() - began
      if (waited > waitMs) {
        log.warn('tasks_not_stopped', { connector_name: connector, waited_ms: waitMs })
        break
      }
      if (waited > meetings * MEET_AGAIN_MS) {
        meetings++
        rejoin()
      }
      await clock.sleep(ASK_AGAIN_MS, signal)
    }
    await admin.fenceProducers(ids, signal)
    log.info('zombie_tasks_fenced', { connector_name: connector, tasks: ids.length })
  }

  /** Every member of the group has joined since it read `cfg`, and has none of the connector's tasks any more. */
  async #allStopped(connector: string, cfg: bigint, signal: AbortSignal): Promise<boolean> {
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
