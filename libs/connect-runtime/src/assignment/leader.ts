import type { Clock, SourcePlugin } from '@tributary/connect-api'
import type { ConfigStore } from '@tributary/connect-storage'
import { type AssignorMember, assignUnits } from './assignor.ts'
import type { RoundMember } from '@tributary/kafka'
import type { MemberAssignment, MemberMetadata } from './group.ts'
import { unitsOf } from './units.ts'

export interface LeaderOptions {
  readonly config: ConfigStore
  readonly plugins: readonly SourcePlugin[]
  readonly clock: Clock
  /** ms after the last change of the membership before anything moves for balance alone; orphans are placed at once. */
  readonly settleMs: number
  /** Asks for another round. */
  readonly rejoin: () => void
}

/** What the group's leader does in each round: reads the config topic as far as any member has, and assigns. */
export class Leader {
  readonly #options: LeaderOptions
  #members = ''
  #changedAt = 0
  #settleTimer: NodeJS.Timeout | null = null

  constructor(options: LeaderOptions) {
    this.#options = options
  }

  async assign(members: readonly RoundMember<MemberMetadata>[]): Promise<Map<string, MemberAssignment>> {
    const { config, plugins, clock, settleMs } = this.#options
    const furthest = members.map((m) => BigInt(m.metadata.cfg)).reduce((max, cfg) => (cfg > max ? cfg : max), 0n)
    if (config.snapshot.appliedOffset < furthest) await config.refresh()
    const allowMoves = this.#settled(members, clock.monotonic())
    const assignorMembers = members.map(({ memberId, leaving, metadata }): AssignorMember => ({
      memberId,
      leaving,
      own: metadata.own.map(([unit, epoch, stopping]) => ({ unit, epoch, stopping: stopping === 1 })),
    }))
    const { connectors, tasks } = unitsOf(config.snapshot, plugins)
    const results = [connectors, tasks].map((units) => assignUnits(assignorMembers, units, { allowMoves }))
    if (results.some((r) => r.movesPending)) this.#roundAfter(settleMs)
    const followup = results.some((r) => r.followup)
    const cfg = String(config.snapshot.appliedOffset)
    return new Map(
      members.map(({ memberId }) => [
        memberId,
        { cfg, followup, run: results.flatMap((r) => r.assignments.get(memberId)?.run ?? []) },
      ]),
    )
  }

  close(): void {
    if (this.#settleTimer) clearTimeout(this.#settleTimer)
  }

  /** A group that just came together has nothing to move; later joins wait until no other followed for a while. */
  #settled(members: readonly RoundMember<MemberMetadata>[], now: number): boolean {
    const present = members.map((m) => m.memberId).join()
    if (present !== this.#members) {
      this.#members = present
      this.#changedAt = now
    }
    return now - this.#changedAt >= this.#options.settleMs
  }

  #roundAfter(ms: number): void {
    if (this.#settleTimer) clearTimeout(this.#settleTimer)
    this.#settleTimer = setTimeout(() => this.#options.rejoin(), ms + 10)
  }
}
