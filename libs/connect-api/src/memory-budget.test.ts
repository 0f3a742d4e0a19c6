import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, test } from 'node:test'
import { MemoryBudget, type MemoryShare } from './memory-budget.ts'

const READ = 64

/** Reads as long as the share lets it, as a source at full speed does. */
function fill(share: MemoryShare): void {
  while (!share.exceeded) share.set('queue', share.used + READ)
}

describe('a memory budget', () => {
  test('leaves a single loud task half, and its neighbours the other half', () => {
    const budget = new MemoryBudget(64_000)
    const [loud, quiet] = [budget.share(), budget.share()]
    fill(loud)
    assert.ok(loud.used >= 32_000 && loud.used <= 32_000 + READ, `${loud.used}`)
    quiet.set('queue', 10_000)
    assert.equal(quiet.exceeded, false)
  })

  test('gives many loud tasks the same, is not exceeded by all of them, and keeps as much for a quiet one', () => {
    const budget = new MemoryBudget(1_000_000)
    const loud = Array.from({ length: 99 }, () => budget.share())
    const quiet = budget.share()
    for (let round = 0; round < 1000; round++) {
      for (const share of loud) if (!share.exceeded) share.set('queue', share.used + READ)
    }
    assert.ok(budget.used <= 1_000_000, `${budget.used}`)
    for (const share of loud) assert.ok(Math.abs(share.used - 10_000) < 2 * READ, `${share.used}`)
    quiet.set('queue', 4500)
    assert.equal(quiet.exceeded, false)
  })

  test('lets a task without any bytes go on, whatever the others have', () => {
    const budget = new MemoryBudget(1000)
    const [first, second] = [budget.share(), budget.share()]
    first.set('inFlight', 5000)
    assert.equal(second.exceeded, false)
    second.set('queue', 1)
    assert.equal(second.exceeded, true)
    let went = false
    second.waitForSpace(() => (went = true))
    second.set('queue', 0)
    assert.deepEqual([went, second.waiting], [true, false])
  })

  test('tells a waiting task, in its own asynchronous context, when another task has freed memory', async () => {
    const budget = new MemoryBudget(1000)
    const [large, waiting] = [budget.share(), budget.share()]
    const context = new AsyncLocalStorage<string>()
    large.set('queue', 900)
    waiting.set('queue', 200)
    const told = new Promise((resolve) => {
      context.run('waiting', () => waiting.waitForSpace(() => resolve(context.getStore())))
    })
    context.run('large', () => large.set('queue', 500))
    assert.equal(waiting.waiting, true, 'it is told with others, a little later')
    context.run('large', () => large.set('queue', 100))
    await keepAlive(async () => assert.equal(await told, 'waiting'))
  })

  test('has its memory back when a task ends, also one that counts on after that', () => {
    const budget = new MemoryBudget(1000)
    const share = budget.share()
    share.set('queue', 100)
    share.set('inFlight', 200)
    assert.equal(budget.used, 300)
    share.close()
    share.set('inFlight', 100)
    assert.equal(budget.used, 0)
    assert.equal(budget.fairShare, 1000)
  })

  test('without a limit holds nobody', () => {
    const share = new MemoryBudget(Infinity).share()
    share.set('queue', 1e15)
    assert.equal(share.exceeded, false)
  })
})

/** The timer of a budget does not keep a process alive. */
async function keepAlive(work: () => Promise<void>): Promise<void> {
  const timer = setInterval(() => {}, 1000)
  await work()
  clearInterval(timer)
}
