import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodePayload } from '@tributary/kafka'
import { type AssignmentResult, type AssignOptions, type AssignorMember, assignUnits } from './assignor.ts'
import { type MemberAssignment, type MemberMetadata, unitOf } from './group.ts'

type Prepared = Record<string, boolean>

/** A member that runs `own` and prepares the units of `prepared`; true: it is ready. */
const member = (
  memberId: string,
  own: readonly string[] = [],
  prepared: Prepared = {},
  extra: Partial<AssignorMember> = {},
): AssignorMember => ({
  memberId,
  leaving: false,
  own: own.map((unit) => ({ unit, epoch: 1, stopping: false })),
  prepared: new Map(Object.entries(prepared)),
  ...extra,
})
/** A member of a version that cannot prepare units. */
const oldMember = (memberId: string, own: readonly string[] = []): AssignorMember => {
  const { prepared: _, ...rest } = member(memberId, own)
  return rest
}
const leaving = (memberId: string, own: readonly string[]): AssignorMember =>
  member(memberId, own, {}, { leaving: true })
const all: AssignOptions = { allowMoves: true, canPrepare: () => true }

/** `a: 't0 t1 + t2'`: the units that the member runs, and those that it prepares. */
function summary(result: AssignmentResult): Record<string, string> {
  const text = (units: readonly string[]): string => [...units].sort().join(' ')
  return Object.fromEntries(
    [...result.assignments].map(([id, { run, prepare }]) => {
      return [id, prepare.length === 0 ? text(run) : `${text(run)} + ${text(prepare)}`.trim()]
    }),
  )
}
const round = (members: readonly AssignorMember[], units: string, options = all): Record<string, string> =>
  summary(assignUnits(members, units.split(' '), options))

test('the owner of a unit keeps running it while the next owner prepares it', () => {
  const result = assignUnits([member('a', ['t0', 't1']), member('b')], ['t0', 't1'], all)
  assert.deepEqual(summary(result), { a: 't0 t1', b: '+ t1' })
  assert.equal(result.followup, true)
  assert.deepEqual(round([member('a', ['t0', 't1']), member('b', [], { t1: false })], 't0 t1'), {
    a: 't0 t1',
    b: '+ t1',
  })
})

test('the group revokes a unit once the next owner is ready, and assigns it once the owner has stopped it', () => {
  const ready = { t1: true }
  assert.deepEqual(round([member('a', ['t0', 't1']), member('b', [], ready)], 't0 t1'), { a: 't0', b: '+ t1' })
  const stopping = member('a', [], {}, { own: [{ unit: 't0', epoch: 1, stopping: false }, { unit: 't1', epoch: 1, stopping: true }] }) // prettier-ignore
  assert.deepEqual(round([stopping, member('b', [], ready)], 't0 t1'), { a: 't0', b: '+ t1' })
  const over = assignUnits([member('a', ['t0']), member('b', [], ready)], ['t0', 't1'], all)
  assert.deepEqual(summary(over), { a: 't0', b: 't1' })
  assert.equal(over.followup, false)
})

test('a unit that cannot run with overlap is revoked before the next owner gets it', () => {
  const options = { allowMoves: true, canPrepare: (unit: string): boolean => unit === 't3' }
  const members = [member('a', ['t0', 't1', 't2', 't3']), member('b')]
  assert.deepEqual(round(members, 't0 t1 t2 t3', options), { a: 't0 t1 t3', b: '+ t3' })
})

test('a leaving member keeps each unit until another member is ready for it, also while moves for balance wait', () => {
  for (const allowMoves of [true, false]) {
    const options = { ...all, allowMoves }
    const first = round([leaving('a', ['t0', 't1']), member('b'), member('c')], 't0 t1', options)
    assert.deepEqual(first, { a: 't0 t1', b: '+ t0', c: '+ t1' })
    const second = [leaving('a', ['t0', 't1']), member('b', [], { t0: true }), member('c', [], { t1: false })]
    assert.deepEqual(round(second, 't0 t1', options), { a: 't1', b: '+ t0', c: '+ t1' })
  }
})

test('a leaving member stops its units when the group has no other member', () => {
  const result = assignUnits([leaving('a', ['t0'])], ['t0'], all)
  assert.deepEqual(summary(result), { a: '' })
  assert.equal(result.followup, false)
})

test('when the owner dies, the member that prepares the unit gets it, ready or not', () => {
  assert.deepEqual(round([member('b', [], { t0: false }), member('c')], 't0'), { b: 't0', c: '' })
  assert.deepEqual(round([member('b'), member('c', [], { t0: true })], 't0'), { b: '', c: 't0' })
})

test('when the next owner dies or leaves, another member prepares the unit and the owner keeps running it', () => {
  const members = [member('a', ['t0', 't1']), member('c')]
  assert.deepEqual(round(members, 't0 t1'), { a: 't0 t1', c: '+ t1' })
  const left = member('b', [], { t1: true }, { leaving: true })
  assert.deepEqual(round([members[0]!, left, members[1]!], 't0 t1'), { a: 't0 t1', b: '', c: '+ t1' })
})

test('when both owner and next owner die, the unit is placed like any orphan', () => {
  assert.deepEqual(round([member('c')], 't0'), { c: 't0' })
})

test('a member stops preparing a unit that is no longer due to move, or no longer exists', () => {
  assert.deepEqual(round([member('a', ['t0', 't1']), member('b', ['t2'], { t1: true })], 't0 t1 t2'), { a: 't0 t1', b: 't2' }) // prettier-ignore
  assert.deepEqual(round([member('a', ['t0']), member('b', [], { gone: true })], 't0'), { a: 't0', b: '' })
})

test('new preparations for balance wait, as moves do, until moves are allowed', () => {
  const options = { ...all, allowMoves: false }
  const members = [member('a', ['t0', 't1', 't2', 't3']), member('b', [], { t3: true }), member('c')]
  const result = assignUnits(members, ['t0', 't1', 't2', 't3'], options)
  assert.deepEqual(summary(result), { a: 't0 t1 t2 t3', b: '+ t3', c: '' })
  assert.equal(result.movesPending, true)
  assert.deepEqual(round(members, 't0 t1 t2 t3'), { a: 't0 t1 t2', b: '+ t3', c: '+ t2' })
})

test('units that are being prepared move first, and to the member that prepares them', () => {
  const first = [member('a', ['t0', 't1', 't2', 't3']), member('b', [], { t0: false })]
  assert.deepEqual(round(first, 't0 t1 t2 t3'), { a: 't0 t1 t2 t3', b: '+ t0 t3' })
  // What b prepares counts towards its load, so b and not a has the larger quota.
  const odd = [leaving('l', ['t1']), member('a', ['t0', 't2']), member('b', ['t3', 't4'], { t1: false })]
  assert.deepEqual(round(odd, 't0 t1 t2 t3 t4'), { l: 't1', a: 't0 t2', b: 't3 t4 + t1' })
})

test('a member prepares no more than its quota, and keeps the ready units first', () => {
  const prepared = { t2: false, t3: true }
  const members = [member('a', ['t0', 't1', 't2', 't3']), member('b', [], prepared), member('c')]
  assert.deepEqual(round(members, 't0 t1 t2 t3'), { a: 't0 t1 t2', b: '+ t3', c: '+ t2' })
})

test('of two members that prepare a unit the ready one continues', () => {
  const members = [member('a', ['t0', 't1', 't2']), member('b', [], { t2: false }), member('c', [], { t2: true })]
  assert.deepEqual(round(members, 't0 t1 t2'), { a: 't0 t1', b: '+ t1', c: '+ t2' })
})

test('a member whose version cannot prepare gets a unit only after its owner has stopped it', () => {
  assert.deepEqual(round([member('a', ['t0', 't1']), oldMember('b')], 't0 t1'), { a: 't0', b: '' })
  assert.deepEqual(round([oldMember('a', ['t0', 't1']), member('b')], 't0 t1'), { a: 't0 t1', b: '+ t1' })
})

interface Running {
  readonly own: Map<string, { readonly epoch: number; stopping: boolean }>
  readonly prepared: Map<string, boolean>
  readonly old: boolean
  leaving: boolean
}

test('over random joins, leaves, deaths and slow members no unit has two owners, and none stops before its next owner is ready', () => {
  let state = 4711
  const random = (n: number): number => ((state = (state * 1103515245 + 12345) & 0x7fffffff) >> 8) % n
  const chance = (percent: number): boolean => random(100) < percent
  const fleet = new Map<string, Running>()
  const join = (id: string, old: boolean): void =>
    void fleet.set(id, { own: new Map(), prepared: new Map(), old, leaving: false })
  const mixed = (round: number): boolean => round % 600 >= 300
  const units = Array.from({ length: 17 }, (_, i) => `t${i}`)
  const canPrepare = (unit: string): boolean => unit !== 't3' && unit !== 't11'
  let revokedWhenReady = 0

  const meet = (epoch: number, allowMoves: boolean): boolean => {
    const members = [...fleet].map(([memberId, { own, prepared, old, leaving }]): AssignorMember => ({
      memberId,
      leaving,
      own: [...own].map(([unit, { epoch, stopping }]) => ({ unit, epoch, stopping })),
      ...(!old && { prepared }),
    }))
    const result = assignUnits(members, units, { allowMoves, canPrepare })
    const given = new Map<string, string>()
    const prepared = new Set<string>()
    for (const [id, { run, prepare }] of result.assignments) {
      const me = fleet.get(id)!
      for (const unit of run) {
        assert.ok(!given.has(unit), `${unit} is assigned twice`)
        given.set(unit, id)
        const otherOwners = [...fleet].filter(([other, { own }]) => other !== id && own.has(unit))
        assert.deepEqual(otherOwners, [], `${unit} is assigned while another member owns it`)
      }
      for (const unit of prepare) {
        assert.ok(!prepared.has(unit), `${unit} is prepared twice`)
        assert.ok(!me.own.has(unit) && !me.old && !me.leaving && !run.includes(unit))
        prepared.add(unit)
      }
    }
    for (const [id, me] of fleet) {
      const { run, prepare } = result.assignments.get(id)!
      for (const [unit, owned] of me.own) {
        if (run.includes(unit) || owned.stopping) continue
        owned.stopping = true
        const ready = [...fleet.values()].some((m) => m.prepared.get(unit) === true)
        const others = [...fleet].filter(([other, { leaving }]) => other !== id && !leaving)
        if (others.length === 0 || others.some(([, { old }]) => old) || !canPrepare(unit)) continue
        assert.ok(ready, `${unit} was revoked from ${id} before another member was ready`)
        revokedWhenReady++
      }
      for (const unit of me.prepared.keys()) if (!prepare.includes(unit)) me.prepared.delete(unit)
      for (const unit of prepare) if (!me.prepared.has(unit)) me.prepared.set(unit, false)
      for (const unit of run) if (!me.own.has(unit)) me.own.set(unit, { epoch, stopping: false })
    }
    return result.followup || result.movesPending
  }
  const progress = (percent: number): void => {
    for (const [id, { own, prepared, leaving }] of fleet) {
      for (const [unit, { stopping }] of own) if (stopping && chance(percent)) own.delete(unit)
      for (const unit of prepared.keys()) if (chance(percent)) prepared.set(unit, true)
      if (leaving && own.size === 0) fleet.delete(id)
    }
  }

  join('m0', false)
  for (let round = 1; round <= 3000; round++) {
    if (chance(12) && fleet.size < 7) join(`m${round}`, mixed(round) && chance(50))
    if (chance(5) && fleet.size > 1) fleet.delete([...fleet.keys()][random(fleet.size)]!)
    if (chance(8) && fleet.size > 1) [...fleet.values()][random(fleet.size)]!.leaving = true
    progress(40)
    meet(round, chance(70))
  }
  join('last', false)
  for (const me of fleet.values()) me.leaving = false
  for (let round = 3001; meet(round, true); round++) {
    assert.ok(round < 3100, 'the assignment becomes stable')
    progress(100)
  }
  const sizes = [...fleet.values()].map(({ own }) => own.size)
  assert.equal(sizes.reduce((a, b) => a + b), units.length) // prettier-ignore
  assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, sizes.join())
  assert.ok([...fleet.values()].every(({ prepared }) => prepared.size === 0))
  assert.ok(revokedWhenReady > 300, `${revokedWhenReady} moves`)
})

test('the payloads of 10,000 tasks, half of them moving to new members, fit into half a megabyte too', () => {
  const tasks = Array.from({ length: 10_000 }, (_, i) =>
    unitOf.task(`orders-from-region-${i % 5000}`, Math.floor(i / 5000)),
  )
  const ids = Array.from({ length: 50 }, (_, i) => `grpc-ingest-${i}-7b3c`)
  const before = assignUnits(ids.slice(0, 25).map((id) => member(id)), tasks, all) // prettier-ignore
  const moving = (prepared: ReadonlyMap<string, readonly string[]>, ready: boolean): AssignorMember[] =>
    ids.map((id) => {
      const mine = (prepared.get(id) ?? []).map((unit) => [unit, ready])
      return member(id, before.assignments.get(id)?.run ?? [], Object.fromEntries(mine) as Prepared)
    })
  const result = assignUnits(moving(new Map(), false), tasks, all)
  const prepared = new Map(ids.map((id) => [id, result.assignments.get(id)!.prepare]))
  assert.equal([...prepared.values()].flat().length, 5000)
  const bytes = moving(prepared, true).reduce((sum, { memberId, own }) => {
    const { run, prepare } = result.assignments.get(memberId)!
    const assignment: MemberAssignment = { run, prepare, cfg: '20500', followup: true }
    const owned = own.map(({ unit }, i) => [unit, 100 + (i % 7), 0] as const)
    const metadata: MemberMetadata = {
      worker: '10.0.17.23:8091',
      cfg: '20500',
      own: owned,
      preparing: [],
      ready: prepare,
    }
    return (
      sum + encodePayload(assignment).length + encodePayload({ ...metadata, v: 1, seq: 12_345, leaving: false }).length
    )
  }, 0)
  assert.ok(bytes < 512 * 1024, `${bytes} bytes`)
})
