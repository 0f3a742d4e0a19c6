import type { KafkaConnection } from '@tributary/config'
import { GroupMember, type GroupMemberOptions, type KafkaAdmin } from '@tributary/kafka'
import type { Logger } from '@tributary/telemetry'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  clientIdOf,
  electLeader,
  type LeaderAssignment,
  type Replica,
  ReplicaList,
  type ReplicaMetadata,
} from './replicas.ts'
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
  /** Fences the predecessor and reads everything that it wrote. */
  readonly claim: (signal: AbortSignal) => Promise<void>
  /** Starts the leader's work other than writes. The signal aborts when this replica stops leading. */
  readonly lead: (signal: AbortSignal) => void
  readonly log: Logger
}

/** In the last round the other replicas hear that this replica leaves. After this time it leaves without that round. */
const DRAIN_TIMEOUT_MS = 2000
/** The time between two looks at the lease, whose renewal and expiry raise no event. */
const LOOK_MS = 100
/** How long writes of an earlier term may take to end: before this replica leads again, and before it stops. */
const WRITES_END_MS = { beforeTerm: 90_000, beforeStop: 2500 } as const
const CLAIM_RETRY_MS = 500

/**
 * Decides which replica writes. The replicas form one Kafka group, and its assignment names the leader to all of them.
 * The leader then claims the transactional id of the config topic. The group decides who should write. The claim makes
 * sure that nobody else can write, not even a leader that was suspended and has not heard of its end.
 *
 * States: follower → elected (claims) → leader. A lost session, a lost claim, or the election of another replica makes
 * a replica a follower.
 */
export class Leadership {
  readonly #options: LeadershipOptions
  readonly #replicas: ReplicaList
  readonly #writes = new UnderWay()
  /** null before the start. */
  #member: GroupMember<ReplicaMetadata, LeaderAssignment> | null = null
  #leader: Replica | null = null
  #term: AbortController | null = null
  /** The end of the last claim. Claims run one after the other. */
  #claiming: Promise<void> = Promise.resolve()
  /** The generation in which the current term began. */
  #since = 0
  #claimed = false
  /** `leaving`: takes no more writes. `left`: the other replicas know it. */
  #stopping: 'no' | 'leaving' | 'left' = 'no'
  #change = Promise.withResolvers<void>()

  constructor(options: LeadershipOptions) {
    this.#options = options
    this.#replicas = new ReplicaList(options.groups, options.groupId, options.log)
  }

  /**
   * The leader according to the last assignment, if another replica leads; null when this replica leads or the leader
   * is unknown.
   */
  get other(): Replica | null {
    return this.#leader?.id === this.#member?.memberId ? null : this.#leader
  }
  /** Whether this replica writes, or is about to. */
  get elected(): boolean {
    return this.#term !== null && this.#stopping === 'no'
  }
  /** Whether this replica is leaving and no other replica can take over. */
  get ended(): boolean {
    return this.#stopping === 'left' && this.#leader === null
  }
  /** True, or the reason why nobody can write. */
  get writable(): true | string {
    if (this.#leader === null)
      return 'No control-plane replica leads: reads are answered, writes wait for the election.'
    if (this.#term && !this.#claimed) return 'The leader of the control plane is about to take over: writes wait.'
    if (this.#member?.leaseValid() !== true)
      return 'The group of the control plane does not answer: writes wait for it.'
    return true
  }

  /** Resolves with true as soon as writes are possible, or with the reason why they are not after `timeoutMs`. */
  async untilWritable(timeoutMs: number): Promise<true | string> {
    const deadline = performance.now() + timeoutMs
    while (this.writable !== true && performance.now() < deadline) await this.change(LOOK_MS)
    return this.writable
  }

  /** The live replicas. */
  async replicas(): Promise<readonly { readonly address: string; readonly leader: boolean }[]> {
    const replicas = await this.#replicas.read()
    return replicas.map(({ id, rest }) => ({ address: rest, leader: id === this.#leader?.id }))
  }

  /**
   * Joins the group, and resolves when a leader is elected. `rest` is host:port of this replica's REST API, which
   * already listens; with `tls` by https.
   */
  async start(rest: string, signal: AbortSignal, tls = false): Promise<void> {
    const { connection, groupId, log, timing } = this.#options
    this.#member = new GroupMember<ReplicaMetadata, LeaderAssignment>({
      connection: { ...connection, clientId: clientIdOf(rest) },
      groupId,
      log,
      ...timing,
      metadata: () => ({ rest, ...(tls && { tls }), leads: this.#term ? this.#since : 0 }),
      assign: (members) => {
        const leader = electLeader(members)
        return new Map(members.map(({ memberId }) => [memberId, { leader }]))
      },
      onAssignment: ({ leader }, generation) => this.#assigned(leader, generation),
      onLost: () => this.#assigned(null, 0),
    })
    // A replica that was killed and restarted removes its predecessor from the group. Otherwise the group would wait
    // for the end of the predecessor's session.
    for (const replica of await this.#replicas.read()) if (replica.rest === rest) await this.#evict(replica.id)
    await this.#member.start(signal)
  }

  /** Runs a write when this replica leads; returns null when it does not. */
  write<T>(operation: () => Promise<T>): Promise<T> | null {
    if (!this.elected || !this.#claimed || this.#member?.leaseValid() !== true) return null
    return this.#writes.run(operation)
  }

  /** Resolves when the leader has changed, or after `timeoutMs`. */
  async change(timeoutMs: number): Promise<void> {
    const timeout = new AbortController()
    const { signal } = timeout
    await Promise.race([this.#change.promise, sleep(timeoutMs, undefined, { signal }).catch(() => undefined)])
    timeout.abort()
  }

  /**
   * Another replica has claimed the config topic, or the transactional writer is broken. The group then decides who
   * continues.
   */
  claimLost(error: Error): void {
    this.#options.log.warn('leadership_claim_lost', { error: error.message })
    this.#endTerm()
    this.#member?.rejoin()
  }

  /**
   * Removes a leader from the group when nothing listens at its address: its process is gone, but the group would
   * notice only at the end of the session. If the leader lives after all, behind an address that does not lead to it,
   * the next leader's claim fences it.
   */
  async leaderGone({ id, rest }: Replica): Promise<void> {
    if (this.#leader?.id !== id) return
    this.#leader = null
    this.#options.log.warn('leader_gone', { leader: rest })
    await this.#evict(id)
    this.#member?.rejoin()
  }

  /**
   * Prepares the stop: takes no more writes, lets the writes under way end, and hands the leadership to another
   * replica.
   */
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
    // A write of this replica's earlier term may depend on what it read in that term.
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
      // Without the eviction, the end of the session removes the member.
      this.#options.log.warn('group_eviction_failed', { member: memberId, error })
    }
  }

  #changed(): void {
    const { resolve } = this.#change
    this.#change = Promise.withResolvers<void>()
    resolve()
  }
}
