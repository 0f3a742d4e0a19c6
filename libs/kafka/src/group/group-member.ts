import { abortable, anySignal, sleep } from '@tributary/async'
import { Backoff } from '../cluster/backoff.ts'
import { KafkaError } from '../cluster/errors.ts'
import { GroupCoordinator, type JoinedRound } from './group-coordinator.ts'
import { InstanceState } from './group-instance.ts'
import { encodePayload, readPayload } from './group-payload.ts'
import type { Assignment, GroupMemberOptions, RoundMember } from './group-member-options.ts'
import { Lease, systemLeaseClock } from './lease.ts'

/** What this class adds to the metadata of a member, and returns with its assignment. */
interface Envelope {
  readonly leaving?: boolean
  readonly life?: string
  /** ms that the leader waits before it gives work away. */
  readonly hold?: number
}

/**
 * The share of the session for which a member may act after its last proof of life. The rest is for work that is
 * already under way.
 */
const LEASE_SHARE = 0.85
/** While another round is expected, heartbeats are this close, so that a moved unit pauses for only about 60 ms. */
const FOLLOWUP_INTERVAL_MS = 30
const FOLLOWUP_LIMIT_MS = 5000
/** Changes within this time are one round. */
const REJOIN_DEBOUNCE_MS = 20
const LEAVE_TIMEOUT_MS = 3000
const HEARTBEAT_INTERVAL_MS = 500
const FORGOTTEN = 'UNKNOWN_MEMBER_ID'
const FENCED = 'FENCED_INSTANCE_ID'
const REJOIN_AT_ONCE = [FORGOTTEN, 'REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'MEMBER_ID_REQUIRED']

/**
 * One member of a Kafka group whose work is not partitions, with the rules of incremental cooperative rebalancing
 * (KIP-415): the work of a member goes on during a round, and the leader first takes work away and gives it to another
 * member in the next round. This class knows nothing about the work. Two loops run side by side, on connections of
 * their own: rounds (join, assign, sync) and heartbeats.
 */
export class GroupMember<M extends object, A extends Assignment> {
  readonly #options: GroupMemberOptions<M, A>
  readonly #coordinator: GroupCoordinator
  readonly #lease: Lease
  readonly #instance: InstanceState<M>
  readonly #heartbeatIntervalMs: number
  readonly #stop = new AbortController()
  #life: AbortSignal = this.#stop.signal
  #loops: Promise<unknown> = Promise.resolve()
  readonly #first = Promise.withResolvers<void>()

  #memberId = ''
  #generation = -1
  #leader = ''
  /**
   * An assignment arrived since the last join as a new member. Before that a heartbeat proves nothing about what this
   * member owns.
   */
  #settled = false
  #round: 'wanted' | 'joining' | 'none' = 'none'
  /** `rejoin` was called during a round, which may have begun with older metadata. */
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
    this.#heartbeatIntervalMs = options.heartbeatIntervalMs ?? HEARTBEAT_INTERVAL_MS
    this.#instance = new InstanceState(options.instance, this.#heartbeatIntervalMs)
    this.#coordinator = new GroupCoordinator({
      connection: options.connection,
      groupId: options.groupId,
      instanceId: options.instance?.id ?? null,
      sessionTimeoutMs,
      rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? 10_000,
    })
    const clock = options.clock ?? systemLeaseClock
    this.#lease = new Lease(sessionTimeoutMs * LEASE_SHARE, clock, this.#instance.pauseMs)
  }

  /** '' before the first round, and after the group forgot this member. */
  get memberId(): string {
    return this.#memberId
  }
  /** The generation of the last round of this member; -1 when it is in none. */
  get generation(): number {
    return this.#generation
  }
  get isLeader(): boolean {
    return this.#memberId !== '' && this.#leader === this.#memberId
  }

  /** Call this before every side effect. False means that another member may own the work of this one. */
  leaseValid(): boolean {
    return this.#lease.valid()
  }
  /** Resolves when the lease is valid. Rejects with the reason of the signal. */
  waitForLease(signal: AbortSignal): Promise<void> {
    return this.#lease.wait(signal)
  }

  /**
   * Joins the group and resolves after the first assignment. An outage is waited for. The signal ends the membership,
   * like `close`. Rejects when the broker refuses for good (credentials, authorization, a session timeout out of its
   * range).
   */
  start(signal: AbortSignal): Promise<void> {
    this.#life = anySignal(signal, this.#stop.signal)
    signal.addEventListener('abort', () => void this.close(), { once: true, signal: this.#stop.signal })
    this.#round = 'wanted'
    this.#loops = Promise.all([this.#runRounds(), this.#runHeartbeats()])
    this.#watchPauses()
    return abortable(this.#first.promise, this.#life)
  }

  /** Asks for another round: the result of `metadata()` has changed, or the assignment should be made again. */
  rejoin(): void {
    if (this.#round === 'joining') this.#again = true
    else this.#wantRound(REJOIN_DEBOUNCE_MS)
  }

  /**
   * The first step of a graceful leave. Joins again as a leaving member and resolves when an assignment arrived that
   * takes everything away, as `over` says; by default that is the first one. Then stop the work and call `leave`.
   */
  async drain(signal: AbortSignal, over: (assignment: A) => boolean = () => true): Promise<void> {
    this.#leaving = true
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#draining = { sequence: this.#sequence, over, resolve }
    this.rejoin()
    await abortable(promise, AbortSignal.any([signal, this.#life]))
  }

  /**
   * Removes another member that is known to be gone, so that nobody waits for the end of its session. A living member
   * would join again, so use this only for work that is fenced otherwise. Rejects with a KafkaError. A member that does
   * not exist is no error.
   */
  async evict(memberId: string): Promise<void> {
    try {
      await abortable(this.#coordinator.evict(memberId), AbortSignal.timeout(LEAVE_TIMEOUT_MS))
    } catch (error) {
      if ((error as KafkaError).code !== FORGOTTEN) throw error
    }
  }

  /**
   * Leaves the group at once, so that the others need not wait for the end of the session. Only when no work runs any
   * more.
   */
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

  /** Ends without leaving: the group notices at the end of the session. Idempotent. */
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

  /** Takes part in one round: joins, assigns when it is the leader, syncs, and passes on its assignment. */
  async #takePart(): Promise<void> {
    this.#again = false
    if (this.#memberId === '') await abortable(this.#instance.look(this.#coordinator), this.#life)
    const sequence = ++this.#sequence
    // The broker ignores a follower that joins again with the same bytes. The sequence number makes them differ.
    const { life, holdMs: hold } = this.#instance
    const metadata = { ...this.#options.metadata(), v: 1, seq: sequence, leaving: this.#leaving, life, hold }
    const round = await abortable(this.#coordinator.join(this.#memberId, encodePayload(metadata)), this.#life)
    this.#instance.joined()
    this.#memberId = round.memberId
    this.#generation = round.generation
    this.#leader = round.leader
    const assignments = this.isLeader ? await this.#assign(round) : new Map<string, Buffer>()
    // A broker that answers without a round has no leader that would wait for the predecessor.
    if (this.#instance.holdMs > 0) await sleep(this.#instance.holdMs, this.#life)
    const sentAt = this.#lease.now()
    const bytes = await abortable(this.#coordinator.sync(round.memberId, round.generation, assignments), this.#life)
    this.#apply(bytes, sequence)
    this.#settled = true
    // Renewed only after the assignment was passed on, so that with a fresh lease only the remaining work may go on.
    this.#lease.renew(sentAt)
    this.#up()
    this.#first.resolve()
    // rejoin() may have been called while the assignment was passed on.
    this.#round = this.#again ? 'wanted' : 'none'
    if (this.#again) await sleep(REJOIN_DEBOUNCE_MS, this.#life)
  }

  async #assign(round: JoinedRound): Promise<Map<string, Buffer>> {
    const { assign, log, groupId, readsMetadata } = this.#options
    const members: RoundMember<M>[] = []
    const lives = new Map<string, string | undefined>()
    let holdMs = 0
    for (const { memberId, metadata } of round.members) {
      const decoded = readPayload<M & Envelope>(metadata, readsMetadata)
      if (decoded) members.push({ memberId, leaving: decoded.leaving === true, metadata: decoded })
      else log.warn('group_member_unreadable', { group: groupId, member: memberId })
      lives.set(memberId, decoded?.life)
      holdMs = Math.max(holdMs, this.#instance.boundedHold(decoded?.hold))
    }
    // A process that was fenced by this round may still run. All members go on with what they have meanwhile.
    if (holdMs > 0) await sleep(holdMs, this.#life)
    members.sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
    const assignments = await abortable(Promise.resolve(assign(members, round.generation)), this.#life)
    log.info('group_round', { group: groupId, generation: round.generation, members: round.members.length })
    const payloadOf = (id: string, assignment: A): Buffer => encodePayload({ ...assignment, life: lives.get(id) })
    return new Map(Array.from(assignments, ([id, assignment]) => [id, payloadOf(id, assignment)]))
  }

  #apply(bytes: Buffer, sequence: number): void {
    const { log, groupId, onAssignment, readsAssignment } = this.#options
    const assignment = readPayload<A & Envelope>(bytes, readsAssignment)
    if (!assignment) {
      log.warn('group_assignment_unreadable', { group: groupId, generation: this.#generation })
      return
    }
    this.#fastUntil = assignment.followup === true ? performance.now() + FOLLOWUP_LIMIT_MS : 0
    this.#wakeHeartbeats?.()
    // A leader of an earlier version names no life.
    const inherited = assignment.life !== undefined && assignment.life !== this.#instance.life
    if (inherited) this.#again = true
    onAssignment(assignment, this.#generation, inherited)
    const draining = this.#draining
    if (draining && !inherited && sequence > draining.sequence && draining.over(assignment)) draining.resolve()
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
        // A round was completed meanwhile; its sync is the newer proof of life.
        if (memberId !== this.#memberId || generation !== this.#generation) continue
        code = (error as KafkaError).code
        if (code === 'ILLEGAL_GENERATION' && this.#round === 'joining') continue
        if (code !== 'REBALANCE_IN_PROGRESS') this.#failed(error)
        if (![FORGOTTEN, 'REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION'].includes(code)) continue
        this.#wantRound(0)
      }
      // The broker answers a heartbeat during a round with an error but renews the session all the same.
      const accepted = code === '' || code === 'REBALANCE_IN_PROGRESS'
      if (accepted && this.#settled && memberId === this.#memberId) this.#lease.renew(sentAt)
    }
  }

  async #heartbeatDue(): Promise<void> {
    const fast = performance.now() < this.#fastUntil && this.#round === 'none'
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, fast ? FOLLOWUP_INTERVAL_MS : this.#heartbeatIntervalMs)
    this.#wakeHeartbeats = resolve
    await promise
    clearTimeout(timer)
    this.#wakeHeartbeats = null
  }

  /** After a pause of this process the next heartbeat, which asks whether the place is still its own, goes out at once. */
  #watchPauses(): void {
    const { pauseMs } = this.#instance
    if (pauseMs === Infinity) return
    const timer = setInterval(() => {
      if (this.#lease.pulse()) this.#wakeHeartbeats?.()
    }, pauseMs / 4)
    this.#life.addEventListener('abort', () => clearInterval(timer), { once: true })
  }

  // Errors

  /** Records what went wrong. Returns true when the next round may begin at once. */
  #failed(error: unknown): boolean {
    const { groupId, log } = this.#options
    if (!(error instanceof KafkaError)) {
      // An exception of metadata, assign or onAssignment.
      log.error('group_callback_failed', { group: groupId, error: (error as Error).stack })
      return false
    }
    if (error.code === FENCED) {
      this.#fenced(error)
    } else if (error.code === FORGOTTEN) {
      const wasMember = this.#settled
      this.#memberId = ''
      this.#generation = -1
      this.#settled = false
      this.#lease.revoke()
      if (wasMember) {
        log.warn('group_lost', { group: groupId, reason: error.code })
        this.#report(() => this.#options.onLost(error.code))
      }
    } else if (!REJOIN_AT_ONCE.includes(error.code) && !this.#down) {
      this.#down = true
      log.warn('group_unreachable', { group: groupId, error: error.message })
    }
    const healable = error.retriable || REJOIN_AT_ONCE.includes(error.code)
    if (!healable) this.#first.reject(error)
    return REJOIN_AT_ONCE.includes(error.code)
  }

  /** Another process has the place for good. One that took the place back would be fenced in turn, and so on. */
  #fenced(cause: KafkaError): void {
    const { groupId, instance, log } = this.#options
    const message =
      `Another process has joined the group ${groupId} under the instance id ${instance?.id}, so this one has stopped all ` +
      'its work and stays out of the group. No two running processes may have one id: give each its own, then restart this one.'
    const error = new KafkaError(FENCED, message, false, cause)
    this.#end(message)
    this.#memberId = ''
    this.#generation = -1
    log.error('group_instance_fenced', { group: groupId, instance: instance?.id, message })
    this.#report(() => instance?.onFenced(error))
  }

  #report(callback: () => void): void {
    const { groupId, log } = this.#options
    try {
      callback()
    } catch (error) {
      log.error('group_callback_failed', { group: groupId, error: (error as Error).stack })
    }
  }

  #up(): void {
    if (this.#down) this.#options.log.info('group_reached', { group: this.#options.groupId })
    this.#down = false
  }
}
