import { randomUUID } from 'node:crypto'
import type { KafkaError } from '../cluster/errors.ts'
import type { GroupCoordinator } from './group-coordinator.ts'
import { decodePayload } from './group-payload.ts'

/**
 * Static membership (KIP-345): a stable name of a process in its group. A process that joins under the name takes the
 * place of the one that had it, with its assignment, and the broker fences that one.
 */
export interface GroupInstance<M> {
  /** Letters, digits, `.`, `_` and `-`, 1 to 249 of them, as the broker wants. No two running processes may have the same. */
  readonly id: string
  /**
   * Whether the process that joined with this metadata has ended, as a proof says and not a guess. If not, no work of it
   * is given to anyone until it must have heard that it is fenced.
   */
  readonly ended: (predecessor: M) => boolean
  /** Called once, when another process has joined under the id. All work ends at once. The member never joins again. */
  readonly onFenced: (error: KafkaError) => void
}

/** Heartbeat intervals after which a fenced process that runs has heard of it. */
const HOLD_HEARTBEATS = 2
/**
 * Heartbeat intervals after which a process that did not run must ask the group before it goes on. The rest of the hold
 * is for the interval itself and for the answer.
 */
const PAUSE_HEARTBEATS = 0.5

/** A member of the group may have a longer heartbeat interval by this factor. */
const LONGEST_HOLD = 10

/** What a member does because of its instance id. A dynamic member holds nothing. */
export class InstanceState<M> {
  /** Names this process. An assignment that was made for another one was inherited. */
  readonly life = randomUUID()
  /** The longest pause that a lease survives, in ms. The place of a dynamic member is safe until its session ends. */
  readonly pauseMs: number
  readonly #instance: GroupInstance<M> | undefined
  readonly #holdMs: number
  /** The next join fences a process that may be running. */
  #unsure = false
  #holdUntil = -Infinity

  constructor(instance: GroupInstance<M> | undefined, heartbeatIntervalMs: number) {
    this.#instance = instance
    this.#holdMs = heartbeatIntervalMs * HOLD_HEARTBEATS
    this.pauseMs = instance ? heartbeatIntervalMs * PAUSE_HEARTBEATS : Infinity
  }

  /** Looks who has the id. Call this before a join as a new member. */
  async look(coordinator: GroupCoordinator): Promise<void> {
    if (!this.#instance) return
    const predecessor = await coordinator.predecessor()
    if (!predecessor) return
    const metadata = decodePayload(predecessor.metadata) as M | null
    // Once unsure, it stays so: this process itself may have joined meanwhile, and not have heard the answer.
    if (!metadata || !this.#instance.ended(metadata)) this.#unsure = true
  }

  /** A join was answered: the predecessor is fenced since then at the latest. */
  joined(): void {
    if (this.#unsure) this.#holdUntil = performance.now() + this.#holdMs
    this.#unsure = false
  }

  /** What a member asks for in its metadata, or as long as this process would hold: members have the same settings. */
  boundedHold(holdMs: unknown): number {
    return typeof holdMs === 'number' && holdMs > 0 ? Math.min(holdMs, this.#holdMs * LONGEST_HOLD) : 0
  }

  /** ms, from the answer to a join that begins now, in which nobody may get new work. */
  get holdMs(): number {
    return this.#unsure ? this.#holdMs : Math.max(0, this.#holdUntil - performance.now())
  }
}
