import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Turns } from './turns.ts'

test('of many so many go on in each turn of the event loop, in their order', async () => {
  const turns = new Turns(2)
  const log: string[] = []
  let running = true
  const count = (): void => {
    log.push('turn')
    if (running) setImmediate(count)
  }
  setImmediate(count)
  await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => turns.next().then(() => log.push(name))))
  running = false
  const groups = log
    .join('')
    .split(/(?:turn)+/)
    .filter((group) => group !== '')
  assert.deepEqual(groups, ['ab', 'cd', 'e'])
})

test('who comes alone does not wait for the event loop', async () => {
  const turns = new Turns(2)
  let turned = false
  setImmediate(() => (turned = true))
  await turns.next()
  assert.equal(turned, false)
})
