/**
 * The pure assignor: sticky, cooperative (KIP-415): a unit of work that anyone still owns is only ever given to its
 * owner; it is revoked first and given to another in the next round.
 */

/** What a member says it has not fully stopped. `epoch` is the generation in which it started the unit. */
export interface OwnedUnit {
  readonly unit: string
  readonly epoch: number
  readonly stopping: boolean
}

export interface AssignorMember {
  readonly memberId: string
  /** Leaves the group: gets nothing new and gives up what it has. */
  readonly leaving: boolean
  readonly own: readonly OwnedUnit[]
}

export interface UnitAssignment {
  /** All units that the member should run. */
  readonly run: readonly string[]
}

export interface AssignmentResult {
  readonly assignments: ReadonlyMap<string, UnitAssignment>
  /** Something is withheld until its owner has stopped it: another round follows. */
  readonly followup: boolean
  /** Moves for balance that `allowMoves: false` put off. */
  readonly movesPending: boolean
}

export interface AssignOptions {
  /** False: orphans are placed, but nothing is taken from anyone for balance alone. */
  readonly allowMoves: boolean
}

/** Assigns `units` of one kind (connectors, or tasks) over the members. Deterministic. */
export function assignUnits(
  members: readonly AssignorMember[],
  units: readonly string[],
  options: AssignOptions,
): AssignmentResult {
  const wanted = new Set(units)
  const staying = members.filter((m) => !m.leaving)
  const owners = ownersOf(members, wanted)
  const run = new Map<string, string[]>(members.map((m) => [m.memberId, []]))
  const quotas = quotasOf(staying, owners, wanted.size)
  let withheld = owners.contested.size
  let movesPending = false

  for (const member of staying) {
    const keeps = run.get(member.memberId)!
    const quota = quotas.get(member.memberId)!
    for (const unit of owners.byMember.get(member.memberId) ?? []) {
      if (keeps.length < quota || !options.allowMoves) {
        if (keeps.length >= quota) movesPending = true
        keeps.push(unit)
      } else withheld++
    }
  }
  for (const member of members) if (member.leaving) withheld += owners.byMember.get(member.memberId)?.length ?? 0

  const orphans = units.filter((unit) => !owners.owned.has(unit) && !owners.contested.has(unit))
  place(orphans, staying, run)
  return {
    assignments: new Map([...run].map(([memberId, list]) => [memberId, { run: list }])),
    followup: withheld > 0 && staying.length > 0,
    movesPending,
  }
}

interface Owners {
  readonly byMember: ReadonlyMap<string, string[]>
  readonly owned: ReadonlySet<string>
  /** Being stopped by someone, or claimed by a second member too: nobody else may have it in this round. */
  readonly contested: ReadonlySet<string>
}

/** Who owns what: of two claims the one with the higher epoch holds, and the other member is told to drop it. */
function ownersOf(members: readonly AssignorMember[], wanted: ReadonlySet<string>): Owners {
  const best = new Map<string, { memberId: string; epoch: number }>()
  const contested = new Set<string>()
  for (const { memberId, own } of members) {
    for (const { unit, epoch, stopping } of own) {
      if (!wanted.has(unit)) continue
      if (stopping) {
        contested.add(unit)
        continue
      }
      const other = best.get(unit)
      if (!other || epoch > other.epoch) best.set(unit, { memberId, epoch })
    }
  }
  const byMember = new Map<string, string[]>(members.map((m) => [m.memberId, []]))
  for (const [unit, { memberId }] of best) byMember.get(memberId)!.push(unit)
  for (const unit of best.keys()) contested.delete(unit)
  for (const list of byMember.values()) list.sort()
  return { byMember, owned: new Set(best.keys()), contested }
}

/** floor(n/m) for everyone, one more for the n mod m members that have most already. */
function quotasOf(staying: readonly AssignorMember[], owners: Owners, total: number): Map<string, number> {
  const count = (m: AssignorMember): number => owners.byMember.get(m.memberId)?.length ?? 0
  const byLoad = [...staying].sort((a, b) => count(b) - count(a) || (a.memberId < b.memberId ? -1 : 1))
  const floor = Math.floor(total / Math.max(staying.length, 1))
  const extra = total - floor * staying.length
  return new Map(byLoad.map((m, i) => [m.memberId, floor + (i < extra ? 1 : 0)]))
}

/** Each orphan goes to the member with the least, in order of member id. */
function place(orphans: readonly string[], staying: readonly AssignorMember[], run: Map<string, string[]>): void {
  const lists = staying.map((m) => run.get(m.memberId)!)
  if (lists.length === 0) return
  for (const unit of orphans) {
    let least = lists[0]!
    for (const list of lists) if (list.length < least.length) least = list
    least.push(unit)
  }
}
