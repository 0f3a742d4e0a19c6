import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SharedRun, Turns } from './coalesce.ts'

/** Runs that the test ends. */
function manual() {
  const runs: PromiseWithResolvers<number>[] = []
  const shared = new SharedRun<number>(() => {
    runs.push(Promise.withResolvers<number>())
    return runs.at(-1)!.promise
  })
  const begun = async (count: number): Promise<void> => {
    while (runs.length < count) await Promise.resolve()
  }
  return { runs, shared, begun }
}

test('callers that ask at the same time share one run', async () => {
  const { runs, shared, begun } = manual()
  const asked = [shared.ask(), shared.ask()]
  await begun(1)
  runs[0]!.resolve(7)
  assert.deepEqual(await Promise.all(asked), [7, 7])
  assert.equal(runs.length, 1)
})

test('a caller that asks during a run gets the outcome of the next run, which begins when the present run ends', async () => {
  const { runs, shared, begun } = manual()
  const first = shared.ask()
  await begun(1)
  const later = [shared.ask(), shared.ask()]
  runs[0]!.resolve(1)
  assert.equal(await first, 1)
  await begun(2)
  runs[1]!.resolve(2)
  assert.deepEqual(await Promise.all(later), [2, 2])
})

test('a failed run rejects all callers that shared it, and the next run begins nevertheless', async () => {
  const { runs, shared, begun } = manual()
  const first = shared.ask()
  await begun(1)
  const second = shared.ask()
  runs[0]!.reject(new Error('away'))
  await assert.rejects(first, /away/)
  await begun(2)
  runs[1]!.resolve(2)
  assert.equal(await second, 2)
})

test('a limited number of callers continue in each turn of the event loop, in order', async () => {
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

test('a single caller does not wait for the event loop', async () => {
  const turns = new Turns(2)
  let turned = false
  setImmediate(() => (turned = true))
  await turns.next()
  assert.equal(turned, false)
})
