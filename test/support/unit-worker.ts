import { type Assignment, type GroupInstance, GroupMember, type RoundMember } from '@tributary/kafka'
import type { Logger } from '@tributary/telemetry'

/** A worker of the group tests. It runs its assigned units, which only tick while the lease is valid. */
export interface UnitWorkerOptions {
  readonly brokers: readonly string[]
  readonly groupId: string
  readonly name: string
  /** All units of the group. The leader reads them in every round. */
  readonly units: () => readonly string[]
  readonly sessionTimeoutMs?: number
  /** Makes the worker a static member. `ended`: what it believes about its predecessor. */
  readonly instance?: { readonly id: string; readonly ended: boolean }
  readonly onTick: (tick: Tick) => void
}

interface UnitMetadata {
  readonly worker: string
  readonly own: readonly string[]
}
interface UnitAssignment extends Assignment {
  readonly run: readonly string[]
}

export const quietLogger: Logger = {
  name: 'test',
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (event, fields) => console.error(event, fields),
  child: () => quietLogger,
}

const STOP_MS = 20
const TICK_MS = 20

export class UnitWorker {
  readonly name: string
  readonly member: GroupMember<UnitMetadata, UnitAssignment>
  /** Unit → its epoch: the generation in which it was started on this worker. */
  readonly running = new Map<string, number>()
  readonly starts: string[] = []
  lost = 0
  /** The code of the error that ended the membership for good. */
  fenced: string | null = null
  readonly #stopping = new Set<string>()
  readonly #ticker: NodeJS.Timeout

  constructor(options: UnitWorkerOptions) {
    this.name = options.name
    this.member = new GroupMember<UnitMetadata, UnitAssignment>({
      connection: { brokers: options.brokers, clientId: options.name },
      groupId: options.groupId,
      sessionTimeoutMs: options.sessionTimeoutMs ?? 6000,
      rebalanceTimeoutMs: Math.max(10_000, options.sessionTimeoutMs ?? 0),
      ...(options.instance && { instance: this.#instance(options.instance) }),
      log: quietLogger,
      metadata: () => ({ worker: options.name, own: [...this.running.keys(), ...this.#stopping] }),
      assign: (members) => assignSticky(members, options.units()),
      onAssignment: (assignment, generation) => this.#apply(new Set(assignment.run), generation),
      onLost: () => {
        this.lost++
        this.running.clear()
      },
    })
    this.#ticker = setInterval(() => {
      if (!this.member.leaseValid()) return
      for (const [unit, epoch] of this.running) options.onTick({ unit, worker: this.name, epoch, at: Date.now() })
    }, TICK_MS)
  }

  start(): Promise<void> {
    return this.member.start(new AbortController().signal)
  }

  async leave(): Promise<void> {
    await this.member.drain(AbortSignal.timeout(20_000))
    while (this.running.size + this.#stopping.size > 0) await new Promise((resolve) => setTimeout(resolve, 5))
    await this.member.leave()
    clearInterval(this.#ticker)
  }

  async close(): Promise<void> {
    clearInterval(this.#ticker)
    await this.member.close()
  }

  #instance({ id, ended }: { readonly id: string; readonly ended: boolean }): GroupInstance<UnitMetadata> {
    return {
      id,
      ended: () => ended,
      onFenced: ({ code }) => {
        this.fenced = code
        this.running.clear()
      },
    }
  }

  #apply(run: ReadonlySet<string>, generation: number): void {
    for (const unit of run) {
      if (this.running.has(unit)) continue
      this.running.set(unit, generation)
      this.starts.push(unit)
    }
    const taken = [...this.running.keys()].filter((unit) => !run.has(unit))
    if (taken.length === 0) return
    for (const unit of taken) {
      this.running.delete(unit)
      this.#stopping.add(unit)
    }
    setTimeout(() => {
      for (const unit of taken) this.#stopping.delete(unit)
      this.member.rejoin()
    }, STOP_MS)
  }
}

/** Each member keeps its units up to its share. No unit of a member goes to another member in the same round. */
function assignSticky(
  members: readonly RoundMember<UnitMetadata>[],
  units: readonly string[],
): Map<string, UnitAssignment> {
  const wanting = members.filter((member) => !member.leaving)
  const share = (index: number): number =>
    Math.floor(units.length / wanting.length) + (index < units.length % wanting.length ? 1 : 0)
  const owned = new Set(members.flatMap((member) => member.metadata.own))
  const free = units.filter((unit) => !owned.has(unit))
  const runs = new Map<string, string[]>(members.map((member) => [member.memberId, []]))
  let followup = false
  wanting.forEach((member, index) => {
    const kept = member.metadata.own.filter((unit) => units.includes(unit))
    runs.set(member.memberId, kept.slice(0, share(index)))
    if (kept.length > share(index)) followup = true
  })
  wanting.forEach((member, index) => {
    const run = runs.get(member.memberId)!
    run.push(...free.splice(0, share(index) - run.length))
  })
  if (members.some((member) => member.leaving && member.metadata.own.length > 0)) followup = true
  return new Map(Array.from(runs, ([memberId, run]) => [memberId, { run, followup }]))
}

export interface Tick {
  readonly unit: string
  readonly worker: string
  readonly epoch: number
  /** In ms since the epoch. All processes are on one machine. */
  readonly at: number
}

/** The ticks of a zombie: those that follow the first tick of a later owner of the unit. */
export function overlaps(ticks: readonly Tick[]): string[] {
  const found: string[] = []
  const highest = new Map<string, Tick>()
  for (const tick of [...ticks].sort((a, b) => a.at - b.at)) {
    const latest = highest.get(tick.unit)
    if (!latest || tick.epoch >= latest.epoch) highest.set(tick.unit, tick)
    else found.push(`${tick.unit}: ${tick.worker} (${tick.epoch}) after ${latest.worker} (${latest.epoch})`)
  }
  return found
}
