import type { Clock, SourcePlugin } from '@tributary/connect-api'
import type { ConfigStore } from '@tributary/connect-storage'
import { type AssignorMember, assignUnits } from './assignor.ts'
import type { RoundMember } from '@tributary/kafka'
import type { MemberAssignment, MemberMetadata } from './group.ts'
import type { Overlaps } from './overlaps.ts'
import { unitsOf } from './units.ts'

export interface LeaderOptions {
  readonly config: ConfigStore
  readonly plugins: readonly SourcePlugin[]
  readonly overlaps: Pick<Overlaps, 'allowed' | 'learn'>
  readonly clock: Clock
  /** ms without a change of the membership, after which units move for balance alone. Orphans do not wait. */
  readonly settleMs: number
  /** Asks for another round. */
  readonly rejoin: () => void
}

/** The group's leader. In each round the leader reads the config topic as far as any member has read, then assigns. */
export class Leader {
  readonly #options: LeaderOptions
  #members = ''
  #changedAt = 0
  #settleTimer: NodeJS.Timeout | null = null
  #closed = false

  constructor(options: LeaderOptions) {
    this.#options = options
  }

  async assign(members: readonly RoundMember<MemberMetadata>[]): Promise<Map<string, MemberAssignment>> {
    const { config, plugins, overlaps, clock, settleMs } = this.#options
    const furthest = members.map((m) => BigInt(m.metadata.cfg)).reduce((max, cfg) => (cfg > max ? cfg : max), 0n)
    if (config.snapshot.appliedOffset < furthest) await config.refresh()
    await overlaps.learn(config.snapshot)
    const allowMoves = this.#settled(members, clock.monotonic())
    const assignorMembers = members.map(assignorMember)
    const { connectors, tasks } = unitsOf(config.snapshot, plugins)
    const canPrepare = (unit: string): boolean => overlaps.allowed(config.snapshot, unit)
    const results = [
      assignUnits(assignorMembers, connectors, { allowMoves }),
      assignUnits(assignorMembers, tasks, { allowMoves, canPrepare }),
    ]
    if (results.some((r) => r.movesPending)) this.#roundAfter(settleMs)
    const followup = results.some((r) => r.followup)
    const cfg = String(config.snapshot.appliedOffset)
    const prepared = new Set(results.flatMap((r) => [...r.assignments.values()].flatMap((a) => a.prepare)))
    return new Map(
      members.map(({ memberId }) => {
        const assigned = results.map((r) => r.assignments.get(memberId)!)
        const prepare = assigned.flatMap((a) => a.prepare)
        const run = assigned.flatMap((a) => a.run)
        const moving = run.filter((unit) => prepared.has(unit))
        return [
          memberId,
          { cfg, followup, run, ...(prepare.length > 0 && { prepare }), ...(moving.length > 0 && { moving }) },
        ]
      }),
    )
  }

  close(): void {
    this.#closed = true
    if (this.#settleTimer) clearTimeout(this.#settleTimer)
  }

  /** Whether the membership has stayed the same for `settleMs`. */
  #settled(members: readonly RoundMember<MemberMetadata>[], now: number): boolean {
    const present = members.map((m) => m.memberId).join()
    if (present !== this.#members) {
      this.#members = present
      this.#changedAt = now
    }
    return now - this.#changedAt >= this.#options.settleMs
  }

  #roundAfter(ms: number): void {
    if (this.#closed) return
    if (this.#settleTimer) clearTimeout(this.#settleTimer)
    this.#settleTimer = setTimeout(() => this.#options.rejoin(), ms + 10)
  }
}

function assignorMember({ memberId, leaving, metadata }: RoundMember<MemberMetadata>): AssignorMember {
  const { own, preparing, ready } = metadata
  const prepared =
    ready && new Map([...(preparing ?? []).map((u) => [u, false] as const), ...ready.map((u) => [u, true] as const)])
  return {
    memberId,
    leaving,
    own: own.map(([unit, epoch, stopping]) => ({ unit, epoch, stopping: stopping === 1 })),
    ...(prepared && { prepared }),
  }
}
