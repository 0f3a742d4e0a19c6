import assert from 'node:assert/strict'
import test from 'node:test'
import { KeyedLock } from './keyed-lock.ts'

test('operations of one key run one after the other, operations of different keys run at the same time', async () => {
  const lock = new KeyedLock()
  const order: string[] = []
  const gate = Promise.withResolvers<void>()
  const first = lock.run('a', async () => {
    await gate.promise
    order.push('a1')
  })
  const second = lock.run('a', () => Promise.resolve(order.push('a2')))
  await lock.run('b', () => Promise.resolve(order.push('b')))
  gate.resolve()
  await Promise.all([first, second])
  assert.deepEqual(order, ['b', 'a1', 'a2'])
})

test('a failed operation is reported to its caller and delays nobody', async () => {
  const lock = new KeyedLock()
  const failed = lock.run('a', () => Promise.reject(new Error('no')))
  const next = lock.run('a', () => Promise.resolve(1))
  await assert.rejects(failed, /no/)
  assert.equal(await next, 1)
})
