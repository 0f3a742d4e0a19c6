import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SharedRun, Turns } from './coalesce.ts'

/** Runs that end when told to. */
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

test('those who ask at the same time share one run', async () => {
  const { runs, shared, begun } = manual()
  const asked = [shared.ask(), shared.ask()]
  await begun(1)
  runs[0]!.resolve(7)
  assert.deepEqual(await Promise.all(asked), [7, 7])
  assert.equal(runs.length, 1)
})

test('whoever asks during a run gets the outcome of the next one, which begins when it is over', async () => {
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

test('a run that failed is the failure of those who shared it, and the next one begins all the same', async () => {
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
