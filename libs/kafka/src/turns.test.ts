import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Turns } from './turns.ts'

test('each of many goes on in a turn of the event loop of its own, in their order', async () => {
  const turns = new Turns()
  const log: string[] = []
  let running = true
  const count = (): void => {
    log.push('turn')
    if (running) setImmediate(count)
  }
  setImmediate(count)
  await Promise.all(['a', 'b', 'c'].map((name) => turns.next().then(() => log.push(name))))
  running = false
  assert.deepEqual(
    log.filter((entry) => entry !== 'turn'),
    ['a', 'b', 'c'],
  )
  assert.ok(log.slice(log.indexOf('a'), log.indexOf('b')).includes('turn'))
  assert.ok(log.slice(log.indexOf('b'), log.indexOf('c')).includes('turn'))
})

test('who comes alone does not wait for the event loop', async () => {
  const turns = new Turns()
  let turned = false
  setImmediate(() => (turned = true))
  await turns.next()
  assert.equal(turned, false)
})
