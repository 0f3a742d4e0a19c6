import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AssignorMember, assignUnits } from './assignor.ts'

const member = (memberId: string, own: readonly string[], ready: readonly string[]): AssignorMember => ({
  memberId,
  leaving: false,
  own: own.map((unit) => ({ unit, epoch: 1, stopping: false })),
  prepared: new Map(ready.map((unit) => [unit, true])),
})

test('a member gets the orphans that it prepared, and a later round balances the loads', () => {
  const units = ['a', 'b', 'c', 'd', 'e', 'f']
  const canPrepare = (): boolean => true
  const members = [member('one', ['a', 'b'], []), member('two', ['c', 'd'], ['e', 'f'])]
  const first = assignUnits(members, units, { allowMoves: false, canPrepare })
  assert.deepEqual([...first.assignments.get('two')!.run].sort(), ['c', 'd', 'e', 'f'])
  assert.equal(first.movesPending, true)

  const then = [member('one', ['a', 'b'], []), member('two', ['c', 'd', 'e', 'f'], [])]
  const second = assignUnits(then, units, { allowMoves: true, canPrepare })
  assert.equal(second.assignments.get('one')!.prepare.length, 1)
})
