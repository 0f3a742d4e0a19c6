import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodePayload } from '@tributary/kafka'
import { type AssignorMember, assignUnits } from './assignor.ts'
import { type MemberAssignment, type MemberMetadata, unitOf } from './group.ts'

const member = (memberId: string, own: string[] = [], extra: Partial<AssignorMember> = {}): AssignorMember => ({
  memberId,
  leaving: false,
  own: own.map((unit) => ({ unit, epoch: 1, stopping: false })),
  ...extra,
})
const units = (n: number): string[] => Array.from({ length: n }, (_, i) => `t${String(i).padStart(2, '0')}`)
const sizes = (result: ReturnType<typeof assignUnits>): number[] =>
  [...result.assignments.values()].map((a) => a.run.length).sort()

test('orphans are spread evenly in one round', () => {
  const result = assignUnits([member('a'), member('b'), member('c')], units(7), { allowMoves: true })
  assert.deepEqual(sizes(result), [2, 2, 3])
  assert.equal(result.followup, false)
})

test('a balanced assignment does not change', () => {
  const members = [member('a', ['t00', 't03']), member('b', ['t01', 't02'])]
  const result = assignUnits(members, units(4), { allowMoves: true })
  assert.deepEqual(result.assignments.get('a')?.run, ['t00', 't03'])
  assert.deepEqual(result.assignments.get('b')?.run, ['t01', 't02'])
  assert.equal(result.followup, false)
})

test('a new member gets its share only after the owner has stopped the units', () => {
  const first = assignUnits([member('a', units(4)), member('b')], units(4), { allowMoves: true })
  assert.equal(first.assignments.get('a')?.run.length, 2)
  assert.deepEqual(first.assignments.get('b')?.run, [])
  assert.equal(first.followup, true)
  const kept = [...first.assignments.get('a')!.run]
  const second = assignUnits([member('a', kept), member('b')], units(4), { allowMoves: true })
  assert.deepEqual(sizes(second), [2, 2])
  assert.deepEqual(second.assignments.get('a')?.run, kept)
})

test('moves for balance wait until they are allowed, orphans do not', () => {
  const result = assignUnits([member('a', units(4)), member('b')], [...units(4), 't99'], { allowMoves: false })
  assert.deepEqual(result.assignments.get('a')?.run, units(4))
  assert.deepEqual(result.assignments.get('b')?.run, ['t99'])
  assert.equal(result.movesPending, true)
  assert.equal(result.followup, false)
})

test('a leaving member gives up all its units, and nobody gets them in the same round', () => {
  const leaving = member('a', units(3), { leaving: true })
  const first = assignUnits([leaving, member('b')], units(3), { allowMoves: true })
  assert.deepEqual(first.assignments.get('a')?.run, [])
  assert.deepEqual(first.assignments.get('b')?.run, [])
  assert.equal(first.followup, true)
})

test('of two claims to a unit the higher epoch wins', () => {
  const claim = (memberId: string, epoch: number): AssignorMember =>
    member(memberId, [], { own: [{ unit: 't00', epoch, stopping: false }] })
  const result = assignUnits([claim('a', 3), claim('b', 5)], ['t00'], { allowMoves: true })
  assert.deepEqual(result.assignments.get('a')?.run, [])
  assert.deepEqual(result.assignments.get('b')?.run, ['t00'])
})

test('a unit that its owner is stopping is assigned to nobody', () => {
  const stopping = member('a', [], { own: [{ unit: 't00', epoch: 1, stopping: true }] })
  const result = assignUnits([stopping, member('b')], ['t00'], { allowMoves: true })
  assert.deepEqual(
    [...result.assignments.values()].flatMap((a) => a.run),
    [],
  )
  assert.equal(result.followup, true)
})

test('over random joins, leaves and changes no unit has two owners, and the loads end up even', () => {
  let state = 42
  const random = (n: number): number => (state = (state * 1103515245 + 12345) & 0x7fffffff) % n
  const running = new Map<string, Set<string>>([['m0', new Set()]])
  let all = units(10)
  for (let round = 0; round < 400; round++) {
    const what = random(6)
    if (what === 0 && running.size < 6) running.set(`m${round}`, new Set())
    if (what === 1 && running.size > 1) running.delete([...running.keys()][random(running.size)]!)
    if (what === 2) all = units(5 + random(30))
    const members = [...running].map(([id, own]) => member(id, [...own]))
    const result = assignUnits(members, all, { allowMoves: true })
    const owners = new Map<string, string>()
    for (const [id, { run }] of result.assignments) {
      for (const unit of run) {
        assert.equal(owners.get(unit), undefined, `${unit} has two owners`)
        const owner = [...running].find(([, own]) => own.has(unit))
        assert.ok(owner === undefined || owner[0] === id, `${unit} moved while another member owned it`)
        owners.set(unit, id)
      }
      running.set(id, new Set(run))
    }
  }
  for (let settle = 0; settle < 3; settle++) {
    const members = [...running].map(([id, own]) => member(id, [...own]))
    for (const [id, { run }] of assignUnits(members, all, { allowMoves: true }).assignments)
      running.set(id, new Set(run))
  }
  const counts = [...running.values()].map((own) => own.size)
  assert.equal(
    counts.reduce((a, b) => a + b),
    all.length,
  )
  assert.ok(Math.max(...counts) - Math.min(...counts) <= 1)
})

test('the payloads of 10,000 tasks over 50 members fit into half a megabyte, as the broker keeps them in one record', () => {
  const tasks = Array.from({ length: 10_000 }, (_, i) =>
    unitOf.task(`orders-from-region-${i % 5000}`, Math.floor(i / 5000)),
  )
  const connectors = Array.from({ length: 5000 }, (_, i) => unitOf.connector(`orders-from-region-${i}`))
  const members = Array.from({ length: 50 }, (_, i) => member(`grpc-ingest-${i}-7b3c`))
  const results = [connectors, tasks].map((all) => assignUnits(members, all, { allowMoves: true }))
  let bytes = 0
  for (const { memberId } of members) {
    const run = results.flatMap(({ assignments }) => assignments.get(memberId)!.run)
    const assignment: MemberAssignment = { run, cfg: '20500', followup: false }
    const own = run.map((unit, i) => [unit, 100 + (i % 7), 0] as const)
    const metadata: MemberMetadata = { worker: '10.0.17.23:8091', cfg: '20500', own }
    bytes += encodePayload(assignment).length + encodePayload({ ...metadata, v: 1, seq: 12_345, leaving: false }).length
  }
  assert.ok(bytes < 512 * 1024, `${bytes} bytes`)
})
