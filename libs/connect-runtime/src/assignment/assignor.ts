/**
 * The assignor: pure, sticky and cooperative (KIP-415). While a member owns a unit of work, no other member gets the unit.
 * A move revokes the unit first, and assigns the unit to the next owner in the next round. A unit that can run with overlap
 * is prepared before: the next owner prepares the unit while its owner runs it, and the group revokes the unit once the
 * next owner is ready. The members' metadata holds all that a round needs, so each round may have another leader.
 */

/** A unit that a member runs or is stopping. `epoch` is the generation in which the member started the unit. */
export interface OwnedUnit {
  readonly unit: string
  readonly epoch: number
  readonly stopping: boolean
}

export interface AssignorMember {
  readonly memberId: string
  /** The member leaves the group: it gets no units and gives up its own. */
  readonly leaving: boolean
  readonly own: readonly OwnedUnit[]
  /** Other members' units that this member prepares; true: it is ready to take the unit. Absent: its version prepares none. */
  readonly prepared?: ReadonlyMap<string, boolean>
}

export interface UnitAssignment {
  /** All units that the member should run. */
  readonly run: readonly string[]
  /** All units that the member should prepare, or keep prepared, because it will own them. */
  readonly prepare: readonly string[]
}

export interface AssignmentResult {
  readonly assignments: ReadonlyMap<string, UnitAssignment>
  /** Another round must follow: a unit waits until its owner has stopped it, or until the next owner is ready. */
  readonly followup: boolean
  /** A later round has units to move for balance: `allowMoves: false` put the moves off, or this round left loads uneven. */
  readonly movesPending: boolean
}

export interface AssignOptions {
  /** False: the round places orphans and relieves leaving members, but moves no unit for balance alone. */
  readonly allowMoves: boolean
  /** Whether two runs of the unit may overlap. The assignor asks about units that must move. Absent: no unit may overlap. */
  readonly canPrepare?: (unit: string) => boolean
}

/** Assigns `units` of one kind (connectors, or tasks) to the members. Deterministic. */
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
  // All kept units are placed now. Preparations that have begun continue, as far as the quotas allow.
  for (const unit of [...owners.contested, ...putOff]) plan.continuePreparing(unit, preparers.get(unit))
  for (const { unit, owner } of moves) {
    if (plan.continuePreparing(unit, preparers.get(unit)) && !preparers.get(unit)!.ready) plan.run(owner, unit)
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
  // Orphans go to the member that prepared them. That can leave the loads uneven; a later round balances them.
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

/** Lets each member keep its units up to its quota. Returns the units that move, and those whose moves are put off. */
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
    // Units that another member prepares already leave first.
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
  /** Units without an owner that some member is still stopping: no member gets them in this round. */
  readonly contested: ReadonlySet<string>
}

/** Finds the owner of each unit. Of two claims the higher epoch wins; the other member's assignment drops the unit. */
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

/** Finds the member that prepares each unit. Of two preparers a ready one wins. */
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

/** Quota of each member: floor(n/m), and one more for the n mod m members that own and prepare most. */
function quotasOf(staying: readonly AssignorMember[], owners: Owners, preparers: Preparers, total: number): Quotas {
  const counts = new Map(staying.map(({ memberId }) => [memberId, owners.byMember.get(memberId)!.length]))
  for (const { memberId } of preparers.values()) counts.set(memberId, counts.get(memberId)! + 1)
  const count = ({ memberId }: AssignorMember): number => counts.get(memberId)!
  const byLoad = [...staying].sort((a, b) => count(b) - count(a) || (a.memberId < b.memberId ? -1 : 1))
  const floor = Math.floor(total / Math.max(staying.length, 1))
  const extra = total - floor * staying.length
  return new Map(byLoad.map((m, i) => [m.memberId, floor + (i < extra ? 1 : 0)]))
}

/** The assignments of a round, while the assignor builds them. */
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

  /** Lets the preparer of the unit continue, unless its load has reached its quota. Returns whether it continues. */
  continuePreparing(unit: string, preparer: Preparer | undefined): boolean {
    if (!preparer || this.#load(preparer.memberId) >= this.#quotas.get(preparer.memberId)!) return false
    this.prepare(preparer.memberId, unit)
    return true
  }

  /** The loads of two staying members differ by more than one unit. A load counts what a member runs and prepares. */
  get uneven(): boolean {
    const loads = this.#staying.map(({ memberId }) => this.#load(memberId))
    return Math.max(...loads) - Math.min(...loads) > 1
  }

  /** The staying member with the smallest load, `owner` left out. Of equal loads the first in `staying` wins. */
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
