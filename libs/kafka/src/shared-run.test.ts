import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SharedRun } from './shared-run.ts'

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
