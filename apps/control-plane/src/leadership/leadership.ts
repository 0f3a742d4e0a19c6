import type { KafkaConnection } from '@tributary/config'
import { GroupMember, type GroupMemberOptions, type KafkaAdmin } from '@tributary/kafka'
import type { Logger } from '@tributary/telemetry'
import { setTimeout as sleep } from 'node:timers/promises'
import { electLeader, type LeaderAssignment, type Replica, type ReplicaMetadata } from './elect.ts'
import { clientIdOf, ReplicaList } from './replica-list.ts'
import { UnderWay } from './under-way.ts'

export interface LeadershipOptions {
  readonly connection: KafkaConnection
  /** `<cluster>-control-plane` */
  readonly groupId: string
  readonly timing: Pick<
    GroupMemberOptions<ReplicaMetadata, LeaderAssignment>,
    'sessionTimeoutMs' | 'heartbeatIntervalMs' | 'rebalanceTimeoutMs'
  >
  readonly groups: Pick<KafkaAdmin, 'describeGroup'>
  /** Fences the former leader and reads all that it wrote. */
  readonly claim: (signal: AbortSignal) => Promise<void>
  /** What only the leader does, beside writing; the signal aborts when it leads no more. */
  readonly lead: (signal: AbortSignal) => void
  readonly log: Logger
}

/** The last round, in which the others hear that this replica leaves, may take this long before it just leaves. */
const DRAIN_TIMEOUT_MS = 2000
/** The lease has no change to wait for. */
const LOOK_MS = 100
/** Writes that a replica took as a leader have this long to end before it becomes leader again, or stops. */
const WRITES_END_MS = { beforeTerm: 90_000, beforeStop: 2500 } as const
const CLAIM_RETRY_MS = 500

/**
 * Which replica writes. The replicas are one Kafka group, whose assignment names the leader to all of them; the leader then
 * claims the config topic's transactional id. The group decides who should write; the claim makes sure that nobody else does,
 * a leader included that was suspended and has not heard of its end.
 *
 * follower → elected (claims) → leader; a lost session, a lost claim or another's election make it a follower.
 */
export class Leadership {
  readonly #options: LeadershipOptions
  readonly #replicas: ReplicaList
  readonly #writes = new UnderWay()
  /** null before the start. */
  #member: GroupMember<ReplicaMetadata, LeaderAssignment> | null = null
  #leader: Replica | null = null
  #term: AbortController | null = null
  /** End of the last claim: there is one at a time. */
  #claiming: Promise<void> = Promise.resolve()
  /** Generation in which the present term began. */
  #since = 0
  #claimed = false
  /** `leaving`: takes no more writes; `left`: the others have heard of it. */
  #stopping: 'no' | 'leaving' | 'left' = 'no'
  #change = Promise.withResolvers<void>()

  constructor(options: LeadershipOptions) {
    this.#options = options
    this.#replicas = new ReplicaList(options.groups, options.groupId, options.log)
  }

  /** Who leads, as the group said last, when it is another replica; null while that is not known. */
  get other(): Replica | null {
    return this.#leader?.id === this.#member?.memberId ? null : this.#leader
  }
  /** This replica is to write: it does, or is about to. */
  get elected(): boolean {
    return this.#term !== null && this.#stopping === 'no'
  }
  /** It leaves, and nobody is there to take over. */
  get ended(): boolean {
    return this.#stopping === 'left' && this.#leader === null
  }
  /** True, or in words why nobody can write. */
  get writable(): true | string {
    if (this.#leader === null)
      return 'No control-plane replica leads: reads are answered, writes wait for the election.'
    if (this.#term && !this.#claimed) return 'The leader of the control plane is about to take over: writes wait.'
    if (this.#member?.leaseValid() !== true)
      return 'The group of the control plane does not answer: writes wait for it.'
    return true
  }

  /** True as soon as writes are possible; in words why they are not after `timeoutMs`. */
  async untilWritable(timeoutMs: number): Promise<true | string> {
    const deadline = performance.now() + timeoutMs
    while (this.writable !== true && performance.now() < deadline) await this.change(LOOK_MS)
    return this.writable
  }

  /** The replicas that live. */
  async replicas(): Promise<readonly { readonly address: string; readonly leader: boolean }[]> {
    const replicas = await this.#replicas.read()
    return replicas.map(({ id, rest }) => ({ address: rest, leader: id === this.#leader?.id }))
  }

  /** Joins the group, and resolves when a leader is elected. `rest`: host:port of our REST API, which listens already. */
  async start(rest: string, signal: AbortSignal): Promise<void> {
    const { connection, groupId, log, timing } = this.#options
    this.#member = new GroupMember<ReplicaMetadata, LeaderAssignment>({
      connection: { ...connection, clientId: clientIdOf(rest) },
      groupId,
      log,
      ...timing,
      metadata: () => ({ rest, leads: this.#term ? this.#since : 0 }),
      assign: (members) => {
        const leader = electLeader(members)
        return new Map(members.map(({ memberId }) => [memberId, { leader }]))
      },
      onAssignment: ({ leader }, generation) => this.#assigned(leader, generation),
      onLost: () => this.#assigned(null, 0),
    })
    // A replica that was killed and started again need not wait until its former session ends.
    for (const replica of await this.#replicas.read()) if (replica.rest === rest) await this.#evict(replica.id)
    await this.#member.start(signal)
  }

  /** Runs a write when this replica leads; null when it does not. */
  write<T>(operation: () => Promise<T>): Promise<T> | null {
    if (!this.elected || !this.#claimed || this.#member?.leaseValid() !== true) return null
    return this.#writes.run(operation)
  }

  /** Resolves when who leads has changed, after `timeoutMs` at the latest. */
  async change(timeoutMs: number): Promise<void> {
    const timeout = new AbortController()
    const { signal } = timeout
    await Promise.race([this.#change.promise, sleep(timeoutMs, undefined, { signal }).catch(() => undefined)])
    timeout.abort()
  }

  /** The config topic is claimed by another, or its writer is broken: it is for the group to say who goes on. */
  claimLost(error: Error): void {
    this.#options.log.warn('leadership_claim_lost', { error: error.message })
    this.#endTerm()
    this.#member?.rejoin()
  }

  /**
   * Nobody listens at the leader's address: its process is gone, which the group would only notice when its session ends. Should
   * it live all the same, at an address that does not lead to it, the claim of the next leader fences it.
   */
  async leaderGone({ id, rest }: Replica): Promise<void> {
    if (this.#leader?.id !== id) return
    this.#leader = null
    this.#options.log.warn('leader_gone', { leader: rest })
    await this.#evict(id)
    this.#member?.rejoin()
  }

  /** Before the stop: takes no more writes, lets those under way end, and hands the leadership to another replica. */
  async handOver(): Promise<void> {
    this.#stopping = 'leaving'
    if (this.#member) {
      await this.#writes.ended(WRITES_END_MS.beforeStop)
      this.#writes.abandon('this replica stopped before the write had ended')
      try {
        await this.#member.drain(AbortSignal.timeout(DRAIN_TIMEOUT_MS))
      } catch (error) {
        this.#options.log.warn('drain_failed', { error })
      }
    }
    this.#stopping = 'left'
    if (this.#term) this.#assigned(null, 0)
    this.#changed()
  }

  async leave(): Promise<void> {
    this.#endTerm()
    await this.#member?.leave()
  }

  #assigned(leader: Replica | null, generation: number): void {
    const { log } = this.#options
    if (leader?.id !== this.#leader?.id && leader) log.info('leader_elected', { leader: leader.rest, generation })
    this.#leader = leader
    const ours = leader !== null && leader.id === this.#member?.memberId
    if (!ours) this.#endTerm()
    else if (!this.#term) this.#beginTerm(generation)
    this.#changed()
  }

  #beginTerm(generation: number): void {
    this.#since = generation
    this.#term = new AbortController()
    const { signal } = this.#term
    this.#claiming = this.#claiming.then(() => this.#claim(signal))
  }

  #endTerm(): void {
    if (this.#claimed) this.#options.log.info('leadership_ended')
    this.#term?.abort(new Error('this replica leads no more'))
    this.#term = null
    this.#claimed = false
    this.#changed()
  }

  async #claim(term: AbortSignal): Promise<void> {
    const { claim, lead, log } = this.#options
    // A write of our former term may rest on what it read then.
    await this.#writes.ended(WRITES_END_MS.beforeTerm)
    while (!term.aborted) {
      try {
        await claim(term)
        if (term.aborted) return
        this.#claimed = true
        log.info('leadership_taken', { generation: this.#since })
        lead(term)
        this.#changed()
        return
      } catch (error) {
        if (term.aborted) return
        log.error('leadership_claim_failed', { error })
        await sleep(CLAIM_RETRY_MS, undefined, { signal: term }).catch(() => undefined)
      }
    }
  }

  async #evict(memberId: string): Promise<void> {
    try {
      await this.#member?.evict(memberId)
    } catch (error) {
      // Then the end of its session tells.
      this.#options.log.warn('group_eviction_failed', { member: memberId, error })
    }
  }

  #changed(): void {
    const { resolve } = this.#change
    this.#change = Promise.withResolvers<void>()
    resolve()
  }
}
