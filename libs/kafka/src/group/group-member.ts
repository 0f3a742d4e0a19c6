import { abortable, anySignal, sleep } from '@tributary/async'
import type { KafkaConnection } from '@tributary/config'
import type { Logger } from '@tributary/telemetry'
import { Backoff } from '../cluster/backoff.ts'
import { KafkaError } from '../cluster/errors.ts'
import { GroupCoordinator, type JoinedRound } from './group-coordinator.ts'
import { decodePayload, encodePayload } from './group-payload.ts'
import { Lease, systemLeaseClock, type LeaseClock } from './lease.ts'

/** A member as the leader sees it. */
export interface RoundMember<M> {
  readonly memberId: string
  /** It drains: it wants nothing and gives up what it owns. */
  readonly leaving: boolean
  /** What its `metadata()` answered. */
  readonly metadata: M
}

/** What a member is told. `followup`: another round comes soon, as something is withheld until its owner gave it up. */
export interface Assignment {
  readonly followup?: boolean
}

export interface GroupMemberOptions<M extends object, A extends Assignment> {
  readonly connection: KafkaConnection
  readonly groupId: string
  /** JSON that the leader and `KafkaAdmin.describeGroup` get. Called for every round, at its start. */
  readonly metadata: () => M
  /** Called on the leader: who gets what. A member without an entry is told nothing and keeps what it has. */
  readonly assign: (members: readonly RoundMember<M>[], generation: number) => Map<string, A> | Promise<Map<string, A>>
  /** Synchronous: what it must not do any more is marked when it returns; stopping goes on in the background. */
  readonly onAssignment: (assignment: A, generation: number) => void
  /** The group forgot this member: all it has may be someone else's, until an assignment names it. It joins anew by itself. */
  readonly onLost: (reason: string) => void
  readonly log: Logger
  /** ms, within the broker's group.min/max.session.timeout.ms (6000 to 1800000); default 10000. */
  readonly sessionTimeoutMs?: number
  /** ms, default 500. */
  readonly heartbeatIntervalMs?: number
  /** ms that a round waits for its members; default 10000. */
  readonly rebalanceTimeoutMs?: number
  readonly clock?: LeaseClock
}

/** Share of the session that a member may act for after its last proof of life; the rest is for what is already under way. */
const LEASE_SHARE = 0.85
/** While a further round is expected heartbeats are this close, so that a moved unit pauses for about 60 ms only. */
const FOLLOWUP_INTERVAL_MS = 30
const FOLLOWUP_LIMIT_MS = 5000
/** Changes that come together are one round. */
const REJOIN_DEBOUNCE_MS = 20
const LEAVE_TIMEOUT_MS = 3000
const FORGOTTEN = ['UNKNOWN_MEMBER_ID', 'FENCED_INSTANCE_ID']
const REJOIN_AT_ONCE = [...FORGOTTEN, 'REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'MEMBER_ID_REQUIRED']

/**
 * One member of a Kafka group whose work is anything but partitions, with the rules of incremental cooperative rebalancing
 * (KIP-415): what a member has goes on during a round, the leader takes away first and gives in the next round. It knows
 * nothing of what is assigned. Two loops run side by side: rounds (join, assign, sync) and heartbeats, on connections of their own.
 */
export class GroupMember<M extends object, A extends Assignment> {
  readonly #options: GroupMemberOptions<M, A>
  readonly #coordinator: GroupCoordinator
  readonly #lease: Lease
  readonly #stop = new AbortController()
  #life: AbortSignal = this.#stop.signal
  #loops: Promise<unknown> = Promise.resolve()
  readonly #first = Promise.withResolvers<void>()

  #memberId = ''
  #generation = -1
  #leader = ''
  /** An assignment came since the last join as a new member; before it a heartbeat proves nothing about what is ours. */
  #settled = false
  #round: 'wanted' | 'joining' | 'none' = 'none'
  /** `rejoin` was called while a round was under way, which may have begun with older metadata. */
  #again = false
  #debounceMs = 0
  #wakeRounds: (() => void) | null = null
  #wakeHeartbeats: (() => void) | null = null
  #sequence = 0
  #fastUntil = 0
  #draining: {
    readonly sequence: number
    readonly over: (assignment: A) => boolean
    readonly resolve: () => void
  } | null = null
  #leaving = false
  #down = false

  constructor(options: GroupMemberOptions<M, A>) {
    this.#options = options
    const sessionTimeoutMs = options.sessionTimeoutMs ?? 10_000
    this.#coordinator = new GroupCoordinator({
      connection: options.connection,
      groupId: options.groupId,
      sessionTimeoutMs,
      rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? 10_000,
    })
    this.#lease = new Lease(sessionTimeoutMs * LEASE_SHARE, options.clock ?? systemLeaseClock)
  }

  /** '' before the first round, and after the group forgot this member. */
  get memberId(): string {
    return this.#memberId
  }
  /** Of the last round that this member took part in; -1 when it is in none. */
  get generation(): number {
    return this.#generation
  }
  get isLeader(): boolean {
    return this.#memberId !== '' && this.#leader === this.#memberId
  }

  /** Ask before every side effect: false means that another member may own what is ours. */
  leaseValid(): boolean {
    return this.#lease.valid()
  }
  /** Resolves once the lease is valid. Rejects with the signal's reason. */
  waitForLease(signal: AbortSignal): Promise<void> {
    return this.#lease.wait(signal)
  }

  /**
   * Joins, and resolves after the first assignment. An outage is waited for; the signal ends the membership as `close` does.
   * Rejects when the broker refuses for good (credentials, authorization, a session timeout out of its range).
   */
  start(signal: AbortSignal): Promise<void> {
    this.#life = anySignal(signal, this.#stop.signal)
    signal.addEventListener('abort', () => void this.close(), { once: true, signal: this.#stop.signal })
    this.#round = 'wanted'
    this.#loops = Promise.all([this.#runRounds(), this.#runHeartbeats()])
    return abortable(this.#first.promise, this.#life)
  }

  /** What `metadata()` answers has changed, or the assignment should be made anew. */
  rejoin(): void {
    if (this.#round === 'joining') this.#again = true
    else this.#wantRound(REJOIN_DEBOUNCE_MS)
  }

  /**
   * The first step of a graceful leave: joins once more as a leaving member and resolves when an assignment was handed out
   * that takes everything away, as `over` says; by default that is the first one. Then stop the work, and call `leave`.
   */
  async drain(signal: AbortSignal, over: (assignment: A) => boolean = () => true): Promise<void> {
    this.#leaving = true
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#draining = { sequence: this.#sequence, over, resolve }
    this.rejoin()
    await abortable(promise, AbortSignal.any([signal, this.#life]))
  }

  /**
   * Takes a member out of the group that is known to be gone, so that nobody need wait for its session to end. One that lives
   * joins anew, so only for work that is fenced otherwise. Rejects with a KafkaError; a member that is not there is none.
   */
  async evict(memberId: string): Promise<void> {
    try {
      await abortable(this.#coordinator.leave(memberId, 'evicted'), AbortSignal.timeout(LEAVE_TIMEOUT_MS))
    } catch (error) {
      if (!FORGOTTEN.includes((error as KafkaError).code)) throw error
    }
  }

  /** Leaves the group at once, so that the others need not wait for the session to end. Only when nothing runs any more. */
  async leave(): Promise<void> {
    const memberId = this.#memberId
    this.#end('left the group')
    if (memberId !== '') {
      try {
        await abortable(this.#coordinator.leave(memberId, 'shutdown'), AbortSignal.timeout(LEAVE_TIMEOUT_MS))
      } catch (error) {
        this.#options.log.warn('group_leave_failed', { group: this.#options.groupId, error: (error as Error).message })
      }
    }
    await this.close()
  }

  /** Ends without a word: the group finds out by the session's end. Idempotent. */
  async close(): Promise<void> {
    this.#end('closed')
    await this.#coordinator.close()
    await this.#loops
  }

  #end(why: string): void {
    this.#stop.abort(new KafkaError('CLOSED', `member of group ${this.#options.groupId}: ${why}`, false))
    this.#lease.revoke()
    this.#wakeRounds?.()
    this.#wakeHeartbeats?.()
    this.#first.promise.catch(() => undefined)
  }

  // Rounds

  async #runRounds(): Promise<void> {
    const backoff = new Backoff(100, 2000)
    while (!this.#life.aborted) {
      try {
        if (this.#round === 'none') await this.#nextRoundWanted()
        if (this.#life.aborted) return
        this.#round = 'joining'
        await this.#takePart()
        backoff.reset()
      } catch (error) {
        if (this.#life.aborted) return
        const again = this.#failed(error)
        this.#round = 'wanted'
        if (!again) await sleep(backoff.next(), this.#life).catch(() => undefined)
      }
    }
  }

  /** One round: join, assign when leader, sync, hand the assignment out. */
  async #takePart(): Promise<void> {
    this.#again = false
    const sequence = ++this.#sequence
    // The broker takes no notice of a follower that joins again with the same bytes: the sequence makes them differ.
    const metadata = { ...this.#options.metadata(), v: 1, seq: sequence, leaving: this.#leaving }
    const round = await abortable(this.#coordinator.join(this.#memberId, encodePayload(metadata)), this.#life)
    this.#memberId = round.memberId
    this.#generation = round.generation
    this.#leader = round.leader
    const assignments = this.isLeader ? await this.#assign(round) : new Map<string, Buffer>()
    const sentAt = this.#lease.now()
    const bytes = await abortable(this.#coordinator.sync(round.memberId, round.generation, assignments), this.#life)
    this.#apply(bytes, sequence)
    this.#settled = true
    // After the hand-out: with a fresh lease only what is still ours may go on.
    this.#lease.renew(sentAt)
    this.#up()
    this.#first.resolve()
    // During the hand-out rejoin() may have been called.
    this.#round = this.#again ? 'wanted' : 'none'
    if (this.#again) await sleep(REJOIN_DEBOUNCE_MS, this.#life)
  }

  async #assign(round: JoinedRound): Promise<Map<string, Buffer>> {
    const { assign, log, groupId } = this.#options
    const members: RoundMember<M>[] = []
    for (const { memberId, metadata } of round.members) {
      const decoded = decodePayload(metadata) as (M & { leaving?: boolean }) | null
      if (decoded) members.push({ memberId, leaving: decoded.leaving === true, metadata: decoded })
      else log.warn('group_member_unreadable', { group: groupId, member: memberId })
    }
    members.sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
    const assignments = await abortable(Promise.resolve(assign(members, round.generation)), this.#life)
    log.info('group_round', { group: groupId, generation: round.generation, members: round.members.length })
    return new Map(Array.from(assignments, ([id, assignment]) => [id, encodePayload(assignment)]))
  }

  #apply(bytes: Buffer, sequence: number): void {
    const assignment = decodePayload(bytes) as A | null
    const { log, groupId, onAssignment } = this.#options
    if (!assignment) {
      log.warn('group_assignment_unreadable', { group: groupId, generation: this.#generation })
      return
    }
    this.#fastUntil = assignment.followup === true ? performance.now() + FOLLOWUP_LIMIT_MS : 0
    this.#wakeHeartbeats?.()
    onAssignment(assignment, this.#generation)
    const draining = this.#draining
    if (draining && sequence > draining.sequence && draining.over(assignment)) draining.resolve()
  }

  #wantRound(debounceMs: number): void {
    if (this.#round !== 'none') return
    this.#round = 'wanted'
    this.#debounceMs = debounceMs
    this.#wakeRounds?.()
  }

  async #nextRoundWanted(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wakeRounds = resolve
    await promise
    this.#wakeRounds = null
    if (this.#debounceMs > 0 && !this.#life.aborted) await sleep(this.#debounceMs, this.#life)
  }

  // Heartbeats

  async #runHeartbeats(): Promise<void> {
    while (!this.#life.aborted) {
      await this.#heartbeatDue()
      const memberId = this.#memberId
      const generation = this.#generation
      if (this.#life.aborted || memberId === '' || generation < 0) continue
      const sentAt = this.#lease.now()
      let code = ''
      try {
        await abortable(this.#coordinator.heartbeat(memberId, generation), this.#life)
        this.#up()
      } catch (error) {
        if (this.#life.aborted) return
        // A round was completed meanwhile: its sync is the newer proof.
        if (memberId !== this.#memberId || generation !== this.#generation) continue
        code = (error as KafkaError).code
        if (code === 'ILLEGAL_GENERATION' && this.#round === 'joining') continue
        if (code !== 'REBALANCE_IN_PROGRESS') this.#failed(error)
        if (code !== 'REBALANCE_IN_PROGRESS' && code !== 'ILLEGAL_GENERATION' && !FORGOTTEN.includes(code)) continue
        this.#wantRound(0)
      }
      // A heartbeat during a round is refused by name but renews the session all the same.
      const accepted = code === '' || code === 'REBALANCE_IN_PROGRESS'
      if (accepted && this.#settled && memberId === this.#memberId) this.#lease.renew(sentAt)
    }
  }

  async #heartbeatDue(): Promise<void> {
    const fast = performance.now() < this.#fastUntil && this.#round === 'none'
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, fast ? FOLLOWUP_INTERVAL_MS : (this.#options.heartbeatIntervalMs ?? 500))
    this.#wakeHeartbeats = resolve
    await promise
    clearTimeout(timer)
    this.#wakeHeartbeats = null
  }

  // Errors

  /** Takes note of what went wrong; true when the next round may begin at once. */
  #failed(error: unknown): boolean {
    const { groupId, log } = this.#options
    if (!(error instanceof KafkaError)) {
      // A throw of metadata, assign or onAssignment.
      log.error('group_callback_failed', { group: groupId, error: (error as Error).stack })
      return false
    }
    if (FORGOTTEN.includes(error.code)) {
      const wasMember = this.#settled
      this.#memberId = ''
      this.#generation = -1
      this.#settled = false
      this.#lease.revoke()
      if (wasMember) {
        log.warn('group_lost', { group: groupId, reason: error.code })
        this.#tellLost(error.code)
      }
    } else if (!REJOIN_AT_ONCE.includes(error.code) && !this.#down) {
      this.#down = true
      log.warn('group_unreachable', { group: groupId, error: error.message })
    }
    const healable = error.retriable || REJOIN_AT_ONCE.includes(error.code)
    if (!healable) this.#first.reject(error)
    return REJOIN_AT_ONCE.includes(error.code)
  }

  #tellLost(reason: string): void {
    const { groupId, log, onLost } = this.#options
    try {
      onLost(reason)
    } catch (error) {
      log.error('group_callback_failed', { group: groupId, error: (error as Error).stack })
    }
  }

  #up(): void {
    if (this.#down) this.#options.log.info('group_reached', { group: this.#options.groupId })
    this.#down = false
  }
}
