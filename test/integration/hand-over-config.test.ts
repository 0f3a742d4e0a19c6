import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HandOverScene } from './hand-over-rig.ts'
import { ONLY_ONE, REFUSED } from './live-feed.ts'
import { until } from './until.ts'

const RATE = 2000

for (const support of ['requested', 'required']) {
  test(`changed configurations cost no gap and no duplicate, exactly.once.support=${support}`, async (t) => {
    const scene = await HandOverScene.start(t, { 'exactly.once.support': support })
    const { feed } = scene
    feed.run(RATE)
    for (let i = 1; i <= 4; i++) {
      const before = feed.sent
      await scene.change({ version: String(i) })
      await scene.handedOver(i)
      await until('the new run delivers', async () => (await scene.numbers()).at(-1)! > before)
    }
    await scene.assertExact()
    assert.deepEqual([feed.connections, feed.mostOpen], [5, 2])
    assert.deepEqual(scene.states, ['RUNNING'])
    assert.equal((await scene.health())?.gaps, 0)
  })
}
