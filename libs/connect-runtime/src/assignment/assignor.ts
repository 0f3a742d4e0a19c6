/**
 * The pure assignor: sticky, cooperative (KIP-415): a unit of work that anyone still owns is only ever given to its
 * owner; it is revoked first and given to another in the next round. A unit that can run with overlap is first prepared by
 * the member that is to have it, while its owner runs on; it is revoked once that member is ready. All that a round needs
 * is in what the members say, so that the next round may have another leader.
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
  /** Units of others that it prepares, true for those that it is ready to take. Absent: its version prepares nothing. */
  readonly prepared?: ReadonlyMap<string, boolean>
}

export interface UnitAssignment {
  /** All units that the member should run. */
  readonly run: readonly string[]
  /** All units that it should prepare, or keep prepared: they will be its own. */
  readonly prepare: readonly string[]
}

export interface AssignmentResult {
  readonly assignments: ReadonlyMap<string, UnitAssignment>
  /** Something waits until its owner has stopped it, or the next owner is ready: another round follows. */
  readonly followup: boolean
  /** Moves for balance that `allowMoves: false` put off. */
  readonly movesPending: boolean
}

export interface AssignOptions {
  /** False: orphans are placed and leaving members relieved, but nothing is taken from anyone for balance alone. */
  readonly allowMoves: boolean
  /** Whether two runs of the unit may overlap. Asked for units that are to move; absent: none may. */
  readonly canPrepare?: (unit: string) => boolean
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
  const preparers = preparersOf(staying, wanted, owners)
  const quotas = quotasOf(staying, owners, preparers, wanted.size)
  const plan = new Plan(members, staying, quotas)

  const { moves, putOff } = keepWithinQuotas(members, { owners, preparers, quotas, plan }, options)
  // All that anyone keeps is placed: what is prepared already goes on, as far as the quotas allow.
  for (const unit of [...owners.contested, ...putOff]) plan.prepareFurther(unit, preparers.get(unit))
  for (const { unit, owner } of moves) {
    if (plan.prepareFurther(unit, preparers.get(unit)) && !preparers.get(unit)!.ready) plan.run(owner, unit)
  }
  for (const unit of units) {
    if (owners.owned.has(unit) || owners.contested.has(unit)) continue
    const to = preparers.get(unit)?.memberId ?? plan.leastLoaded()?.memberId
    if (to !== undefined) plan.run(to, unit)
  }
  for (const { unit, owner } of moves) {
    if (plan.isPrepared(unit)) continue
    const target = plan.leastLoaded(owner)
    if (target?.prepared === undefined || !options.canPrepare?.(unit)) continue
    plan.prepare(target.memberId, unit)
    plan.run(owner, unit)
  }
  const unfinished = owners.contested.size + moves.length > 0
  // What was placed where it had been prepared may lie unevenly, which a later round mends.
  const movesPending = putOff.length > 0 || (!unfinished && plan.uneven)
  return { assignments: plan.assignments, followup: unfinished && staying.length > 0, movesPending }
}

interface Move {
  readonly unit: string
  readonly owner: string
}

interface Standing {
  readonly owners: Owners
  readonly preparers: Preparers
  readonly quotas: Quotas
  readonly plan: Plan
}

/** Everyone keeps what it has up to its quota; answers what is to move, and what would if moves were allowed. */
function keepWithinQuotas(
  members: readonly AssignorMember[],
  { owners, preparers, quotas, plan }: Standing,
  { allowMoves }: AssignOptions,
): { moves: Move[]; putOff: string[] } {
  const rank = (unit: string): number => (preparers.has(unit) ? (preparers.get(unit)!.ready ? 2 : 1) : 0)
  const moves: Move[] = []
  const putOff: string[] = []
  for (const { memberId: owner, leaving } of members) {
    const quota = leaving ? 0 : quotas.get(owner)!
    // What someone prepares already is the first to go.
    const own = [...owners.byMember.get(owner)!].sort((a, b) => rank(a) - rank(b))
    const beyond = own.splice(quota)
    for (const unit of own) plan.run(owner, unit)
    if (leaving || allowMoves) moves.push(...beyond.map((unit) => ({ unit, owner })))
    else {
      for (const unit of beyond) plan.run(owner, unit)
      putOff.push(...beyond)
    }
  }
  return { moves: moves.sort((a, b) => rank(b.unit) - rank(a.unit)), putOff }
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

interface Preparer {
  readonly memberId: string
  readonly ready: boolean
}
type Preparers = ReadonlyMap<string, Preparer>

/** Who is about to take which unit over: of two the one that is ready. */
function preparersOf(staying: readonly AssignorMember[], wanted: ReadonlySet<string>, owners: Owners): Preparers {
  const preparers = new Map<string, Preparer>()
  for (const { memberId, prepared } of staying) {
    for (const [unit, ready] of prepared ?? []) {
      if (!wanted.has(unit) || owners.byMember.get(memberId)!.includes(unit)) continue
      const other = preparers.get(unit)
      if (!other || (ready && !other.ready)) preparers.set(unit, { memberId, ready })
    }
  }
  return preparers
}

type Quotas = ReadonlyMap<string, number>

/** floor(n/m) for everyone, one more for the n mod m members that have, or are about to have, most already. */
function quotasOf(staying: readonly AssignorMember[], owners: Owners, preparers: Preparers, total: number): Quotas {
  const counts = new Map(staying.map(({ memberId }) => [memberId, owners.byMember.get(memberId)!.length]))
  for (const { memberId } of preparers.values()) counts.set(memberId, counts.get(memberId)! + 1)
  const count = ({ memberId }: AssignorMember): number => counts.get(memberId)!
  const byLoad = [...staying].sort((a, b) => count(b) - count(a) || (a.memberId < b.memberId ? -1 : 1))
  const floor = Math.floor(total / Math.max(staying.length, 1))
  const extra = total - floor * staying.length
  return new Map(byLoad.map((m, i) => [m.memberId, floor + (i < extra ? 1 : 0)]))
}

/** The assignments of a round as they come about. */
class Plan {
  readonly assignments: ReadonlyMap<string, { readonly run: string[]; readonly prepare: string[] }>
  readonly #staying: readonly AssignorMember[]
  readonly #quotas: Quotas
  readonly #prepared = new Set<string>()

  constructor(members: readonly AssignorMember[], staying: readonly AssignorMember[], quotas: Quotas) {
    this.assignments = new Map(members.map(({ memberId }) => [memberId, { run: [], prepare: [] }]))
    this.#staying = staying
    this.#quotas = quotas
  }

  run(memberId: string, unit: string): void {
    this.assignments.get(memberId)!.run.push(unit)
  }

  prepare(memberId: string, unit: string): void {
    this.assignments.get(memberId)!.prepare.push(unit)
    this.#prepared.add(unit)
  }

  isPrepared(unit: string): boolean {
    return this.#prepared.has(unit)
  }

  /** Whoever prepares the unit goes on with it, unless that would be more than its quota. */
  prepareFurther(unit: string, preparer: Preparer | undefined): boolean {
    if (!preparer || this.#load(preparer.memberId) >= this.#quotas.get(preparer.memberId)!) return false
    this.prepare(preparer.memberId, unit)
    return true
  }

  /** Someone that stays has, and is about to have, more than one unit more than another. */
  get uneven(): boolean {
    const loads = this.#staying.map(({ memberId }) => this.#load(memberId))
    return Math.max(...loads) - Math.min(...loads) > 1
  }

  /** Of those that stay, the owner left out, the one that has, and is about to have, least; the first by member id. */
  leastLoaded(owner?: string): AssignorMember | null {
    let least: AssignorMember | null = null
    for (const member of this.#staying) {
      if (member.memberId === owner) continue
      if (!least || this.#load(member.memberId) < this.#load(least.memberId)) least = member
    }
    return least
  }

  #load(memberId: string): number {
    const { run, prepare } = this.assignments.get(memberId)!
    return run.length + prepare.length
  }
}
