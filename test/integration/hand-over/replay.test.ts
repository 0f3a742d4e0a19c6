import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sharedKafka } from '@tributary/harness'
import { createTopic, readPartition } from '../../support/kafka-topic.ts'
import { addresses, letter, write } from '../replay/letters.ts'
import { HandOverScene } from './rig.ts'

const LETTERS = 3000
const BATCH = 100

for (const support of ['requested', 'required']) {
  test(`a replay goes on over hand-overs: each letter comes once, exactly.once.support=${support}`, async (t) => {
    const { brokers } = await sharedKafka()
    const [dlq, target] = await Promise.all([createTopic(brokers), createTopic(brokers)])
    await write(
      brokers,
      Array.from({ length: LETTERS }, (_, i) => letter(dlq, target, `r${i}`)),
    )
    const scene = await HandOverScene.start(t, { 'exactly.once.support': support })
    scene.feed.run(500)
    const changes = (async () => {
      for (let i = 1; i <= 2; i++) {
        await scene.change({ version: String(i) })
        await scene.handedOver(i)
      }
    })()
    let open = Array.from({ length: LETTERS }, (_, i) => i)
    let refused = 0
    // Letters that are to be tried again come before those that follow, as the leader sends them.
    for (let batch = 0; open.length > 0 && batch < 10_000; batch++) {
      const letters = open.slice(0, BATCH)
      const outcomes = await scene.replay({ batch, letters: addresses(dlq, letters), targetTopic: target })
      if (outcomes === null) {
        refused++
        await new Promise((resolve) => setTimeout(resolve, 5))
        continue
      }
      const again = letters.filter((_, i) => outcomes[i]!.outcome !== 'written')
      for (const outcome of outcomes) assert.match(outcome.outcome, /^(written|later)$/, JSON.stringify(outcome))
      open = [...again, ...open.slice(BATCH)]
    }
    await changes
    const values = (await readPartition(brokers, target, 0, { committed: true })).map(({ value }) => String(value))
    assert.deepEqual(
      values,
      Array.from({ length: LETTERS }, (_, i) => `r${i}`),
      `${refused} batches were refused`,
    )
    await scene.assertExact()
    assert.deepEqual(scene.states, ['RUNNING'])
  })
}
