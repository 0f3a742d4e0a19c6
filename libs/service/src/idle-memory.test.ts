import assert from 'node:assert/strict'
import { test } from 'node:test'
import { collectGarbage } from './idle-memory.ts'

test('a collection frees what nobody holds, and gives its pages back', () => {
  let garbage: object[] | null = Array.from({ length: 300_000 }, (_, i) => ({ i }))
  assert.equal(garbage.length, 300_000)
  const before = process.memoryUsage()
  garbage = null
  collectGarbage()
  const after = process.memoryUsage()
  assert.ok(after.heapUsed < before.heapUsed - 5e6, `${before.heapUsed} → ${after.heapUsed}`)
  assert.ok(after.heapTotal < before.heapTotal - 5e6, `${before.heapTotal} → ${after.heapTotal}`)
  assert.equal(Reflect.has(globalThis, 'gc'), false)
})
