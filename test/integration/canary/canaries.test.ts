import assert from 'node:assert/strict'
import { test } from 'node:test'
import { echoes, leaksIn, newCanary } from './canaries.ts'

test('the search for canaries finds each form in which a server may repeat one, and nothing else', () => {
  const canary = newCanary()
  for (const form of echoes(canary)) assert.notDeepEqual(leaksIn(`x ${form} y`), [], form)
  for (const cut of [canary.slice(0, 8), canary.slice(-8)]) assert.notDeepEqual(leaksIn(`x ${cut}…`), [], cut)
  assert.deepEqual(leaksIn(`${canary.slice(0, 7)}… ${canary.slice(14, 34)} …${canary.slice(-7)}`), [])
})
