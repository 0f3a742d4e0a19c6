import assert from 'node:assert/strict'
import type { Props } from '@tributary/connect-api'
import type { Scenario, Scene } from './scene.ts'
import type { SourceFixture } from './source-fixture.ts'
import { until } from './until.ts'

const HAND_OVERS = 3

/**
 * The promises of a source whose plugin has `handOver`. A run connects while its predecessor still runs, and continues where the
 * predecessor ended. No message is lost. If the source can find duplicates, no message is delivered twice.
 */
export function handOverContract(
  fixture: SourceFixture,
  scenario: (title: string, extra: Props, play: Scenario) => void,
): void {
  scenario('hands over with overlap, and loses nothing', {}, handsOver)
  scenario('hands over while Kafka is away, and loses nothing', {}, handsOverWithoutKafka)
  if (fixture.alwaysResumes) {
    scenario('hands over with overlap, and repeats nothing', {}, (scene) => repeatsNothing(scene))
    return
  }
  if (fixture.deduplicates) scenario('hands over, and repeats nothing', fixture.deduplicates, repeatsNothing)
  if (fixture.resume) {
    scenario('hands over a stream that resumes, and repeats nothing', fixture.resume, async (scene) => {
      await repeatsNothing(scene)
      await resumesAfterwards(scene)
    })
  }
}

async function handsOver(scene: Scene): Promise<void> {
  const { task, feed, numbers } = scene
  const sent = await handOverUnderLoad(scene)
  const first = [...new Set(await numbers())]
  assert.deepEqual(first, range(1, sent))
  assert.deepEqual([task.state, task.stats.sequenceGaps], ['running', 0])
  assert.equal(feed.connections, 1 + HAND_OVERS)
}

async function repeatsNothing(scene: Scene): Promise<void> {
  const sent = await handOverUnderLoad(scene)
  assert.deepEqual(await scene.numbers(), range(1, sent))
  assert.equal(scene.task.stats.sequenceGaps, 0)
}

async function resumesAfterwards({ feed, task, arrived, numbers }: Scene): Promise<void> {
  const before = (await numbers()).length
  const { connections } = feed
  feed.cut()
  feed.send(10)
  await arrived(before + 10)
  assert.deepEqual(await numbers(), range(1, before + 10))
  assert.equal(feed.connections, connections + 1)
  assert.equal(task.stats.sequenceGaps, 0)
}

/** The predecessor cannot end before Kafka has its messages. The successor holds those that arrive meanwhile. */
async function handsOverWithoutKafka({ task, feed, arrived, numbers }: Scene): Promise<void> {
  feed.send(10)
  await arrived(10)
  task.kafka('down')
  feed.send(200)
  await until(() => task.stats.messagesReceived >= 210, 'the task has received all messages')
  const handedOver = task.handOver()
  await until(() => feed.connections === 2, 'the successor is connected')
  feed.send(200)
  task.kafka('up')
  await handedOver
  feed.send(10)
  await until(async () => (await numbers()).includes(420), 'the last message is in the topic', 60_000)
  assert.deepEqual([...new Set(await numbers())], range(1, 420))
}

/** Returns the number of messages sent, once all are in the topic. */
async function handOverUnderLoad({ task, feed, numbers, arrived }: Scene): Promise<number> {
  let sent = 100
  feed.send(sent)
  await arrived(sent)
  const timer = setInterval(() => {
    feed.send(5)
    sent += 5
  }, 2)
  try {
    for (let i = 1; i <= HAND_OVERS; i++) {
      await task.handOver()
      const before = sent
      await until(async () => (await numbers()).includes(before + 1), 'the new run delivers')
    }
  } finally {
    clearInterval(timer)
  }
  await until(async () => (await numbers()).includes(sent), 'the last message is in the topic', 60_000)
  return sent
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i)
}
