import { type Clock, errorKind } from '@tributary/connect-api'
import { taskTransactionalId } from '@tributary/connect-storage'
import type { Logger } from '@tributary/telemetry'
import { parseUnit } from '../assignment/group.ts'
import { isMemberMetadata } from '../assignment/group-schema.ts'

/** The part of KafkaAdmin that fencing needs. */
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
  /** ms to wait until running tasks have stopped: the graceful shutdown timeout plus the session timeout. */
  readonly waitMs: number
  /** Has the group rebalance, so that its members report which tasks they have. */
  readonly rejoin: () => void
  readonly clock: Clock
  readonly log: Logger
}

const POLL_MS = 100
/** ms between two rebalances: at the last one, a member may not yet have read the config topic up to `cfg`. */
const REJOIN_MS = 1000

/**
 * Zombie fencing (KIP-618): ends the running tasks of an exactly-once connector before a new set of tasks starts. With one task
 * before and after, the start of the new task fences the old one. With several, a source partition may move from one task to
 * another. Only zombie fencing then keeps the old task from writing records that the new task has already read.
 */
export class ZombieFencing {
  readonly #options: ZombieFencingOptions

  constructor(options: ZombieFencingOptions) {
    this.#options = options
  }

  /**
   * Call this once the config topic says, at offset `cfg`, that the connector has no tasks. Waits for at most `waitMs` until all
   * members of the group have stopped the connector's tasks, so that each task can commit. Then fences the transactional ids of
   * the tasks `numbers`, whether or not a zombie still uses one.
   */
  async fence(connector: string, numbers: Iterable<number>, cfg: bigint, signal: AbortSignal): Promise<void> {
    const { admin, groupId, rejoin, clock, log, waitMs } = this.#options
    const ids = Array.from(numbers, (task) => taskTransactionalId(groupId, connector, task))
    const began = clock.monotonic()
    rejoin()
    for (let rejoins = 1; !(await this.#allStopped(connector, cfg, signal));) {
      const waited = clock.monotonic() - began
      if (waited > waitMs) {
        log.warn('tasks_not_stopped', { connector_name: connector, waited_ms: waitMs })
        break
      }
      if (waited > rejoins * REJOIN_MS) {
        rejoins++
        rejoin()
      }
      await clock.sleep(POLL_MS, signal)
    }
    await admin.fenceProducers(ids, signal)
    log.info('zombie_tasks_fenced', { connector_name: connector, tasks: ids.length })
  }

  /** Whether every member has joined the group after it read `cfg`, and has none of the connector's tasks. */
  async #allStopped(connector: string, cfg: bigint, signal: AbortSignal): Promise<boolean> {
    const members = await this.#members(signal)
    return (
      members !== null &&
      members.every(({ metadata }) => {
        // The group rebalances, or nobody can say what the member has.
        if (!isMemberMetadata(metadata)) return false
        const { cfg: read, own } = metadata
        if (BigInt(read) < cfg) return false
        return own.every(([name]) => {
          const unit = parseUnit(name)
          return unit.connector !== connector || unit.task === null
        })
      })
    )
  }

  /** Returns null on a retriable error: an outage of Kafka must not end the wait. */
  async #members(signal: AbortSignal): Promise<readonly { readonly metadata: unknown }[] | null> {
    const { admin, groupId, log } = this.#options
    try {
      return (await admin.describeGroup(groupId, { settleMs: POLL_MS, signal })).members
    } catch (error) {
      if (signal.aborted || errorKind(error) !== 'retriable') throw error
      log.warn('group_not_described', { group: groupId, error })
      return null
    }
  }
}
