import assert from 'node:assert/strict'
import test from 'node:test'
import { AbandonedError, UnderWay } from './under-way.ts'

test('the wait ends with the last operation, whether it succeeds or fails', async () => {
  const underWay = new UnderWay()
  const [one, other] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()]
  const results = Promise.allSettled([underWay.run(() => one.promise), underWay.run(() => other.promise)])
  let over = false
  const ended = underWay.ended(60_000).then(() => (over = true))
  one.resolve('done')
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(over, false)
  other.reject(new Error('failed'))
  await ended
  assert.deepEqual((await results).map(({ status }) => status), ['fulfilled', 'rejected']) // prettier-ignore
  await underWay.ended(60_000)
})

test('operations that do not end in time can be abandoned', async () => {
  const underWay = new UnderWay()
  const never = underWay.run(() => new Promise(() => undefined))
  await underWay.ended(1)
  underWay.abandon('it stops')
  await assert.rejects(never, AbandonedError)
  await underWay.ended(60_000)
})
