import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { SourcePlugin } from '@tributary/connect-api'
import type { Feed, RunningTask, SourceFixture, TaskRunner } from './source-fixture.ts'
import { until } from './until.ts'

/** What every source promises, whatever its transport (design: the contract of a source). */
export function sourceContract(name: string, fixture: SourceFixture, createRunner: () => Promise<TaskRunner>): void {
  describe(`the contract of a source: ${name}`, () => {
    const scenario = (
      title: string,
      extra: Record<string, string>,
      run: (task: RunningTask, feed: Feed, runner: TaskRunner) => Promise<void>,
    ): void => {
      test(title, async () => {
        const feed = await fixture.startFeed()
        const runner = await createRunner()
        const task = await runner.start(fixture.plugin, { ...feed.props, ...extra, 'kafka.topic': runner.topic })
        try {
          await until(() => feed.connections === 1, 'the source is connected')
          await run(task, feed, runner)
        } finally {
          task.kafka('up')
          await task.stop()
          await feed.stop()
        }
      })
    }
    const numbers = async (task: RunningTask): Promise<number[]> =>
      (await task.kept()).flatMap((r) => (r.value === null ? [] : (fixture.numberOf(r.value) ?? [])))
    const arrived = (task: RunningTask, count: number): Promise<void> =>
      until(async () => (await numbers(task)).length >= count, `${count} records are there`, 30_000)

    scenario('delivers in order, without loss', {}, async (task, feed) => {
      feed.send(5000)
      await arrived(task, 5000)
      assert.deepEqual(await numbers(task), range(1, 5000))
    })

    scenario('does not spin while the source is idle', {}, async (task) => {
      await until(() => task.state === 'running', 'it runs')
      const before = task.polls
      await new Promise((resolve) => setTimeout(resolve, 1000))
      assert.ok(task.polls - before <= 25, `${task.polls - before} polls in an idle second`)
    })

    scenario(
      'slows the sender down while Kafka is away, and loses nothing',
      fixture.queueBound(500),
      async (task, feed) => {
        feed.send(1)
        await arrived(task, 1)
        task.kafka('down')
        const count = 60_000 + Math.ceil((4 * fixture.transportBytes) / fixture.messageBytes)
        feed.send(count)
        await stays(() => feed.written, 'the server is blocked')
        const most = 1 + 500 + 20_000 + 2000 + Math.ceil(fixture.transportBytes / (fixture.messageBytes / 2))
        assert.ok(feed.written <= most, `the server could write ${feed.written}, at most ${most} are bounded`)
        task.kafka('up')
        await arrived(task, count + 1)
        assert.deepEqual(await numbers(task), range(1, count + 1))
      },
    )

    scenario('never commits an offset before Kafka has the record', {}, async (task, feed) => {
      task.kafka('down')
      feed.send(100)
      await new Promise((resolve) => setTimeout(resolve, 500))
      assert.equal(task.committedOffset(), null)
      task.kafka('up')
      await until(() => task.committedOffset() !== null, 'the offset is committed')
      await arrived(task, 100)
    })

    scenario('connects again after a cut', {}, async (task, feed) => {
      feed.send(10)
      await arrived(task, 10)
      feed.cut()
      await until(() => feed.connections >= 2, 'it connects again')
      feed.send(10)
      await arrived(task, 20)
    })

    scenario('reads nothing while paused and goes on without loss', fixture.queueBound(100), async (task, feed) => {
      feed.send(10)
      await arrived(task, 10)
      task.pause()
      await until(() => task.state === 'paused', 'it is paused')
      feed.send(500)
      await new Promise((resolve) => setTimeout(resolve, 400))
      const polls = task.polls
      const before = (await numbers(task)).length
      await new Promise((resolve) => setTimeout(resolve, 400))
      assert.deepEqual([task.polls, (await numbers(task)).length], [polls, before])
      task.resume()
      await arrived(task, 510)
      assert.deepEqual(await numbers(task), range(1, 510))
    })

    scenario('drains what it has received when it is stopped', {}, async (task, feed) => {
      task.kafka('down')
      feed.send(300)
      await until(() => feed.written >= 300, 'all are sent')
      await new Promise((resolve) => setTimeout(resolve, 300))
      const stopped = task.stop()
      task.kafka('up')
      await stopped
      assert.deepEqual(await numbers(task), range(1, 300))
    })

    scenario('sets a record aside that is too large, alone', tolerant(), async (task, feed, runner) => {
      feed.send(5)
      feed.sendLarge(runner.maxRecordBytes)
      feed.send(5)
      await arrived(task, 10)
      assert.notEqual(task.state, 'failed')
    })

    if (fixture.resume) {
      scenario('delivers again what was not acknowledged at a crash', fixture.resume, async (task, feed) => {
        feed.send(1000)
        await arrived(task, 1000)
        await until(() => task.committedOffset() !== null, 'an offset is committed')
        task.kafka('down')
        feed.send(500)
        await new Promise((resolve) => setTimeout(resolve, 300))
        await task.crash()
        task.kafka('up')
        await task.restart()
        feed.send(1)
        await until(async () => new Set(await numbers(task)).size >= 1501, 'all numbers are there', 30_000)
        assert.deepEqual(
          [...new Set(await numbers(task))].sort((a, b) => a - b),
          range(1, 1501),
        )
      })
    }

    test('documents every configuration key', () => documented(fixture.plugin.connector.spec))
  })
}

function documented(spec: SourcePlugin['connector']['spec']): void {
  for (const [key, { doc, group }] of Object.entries(spec.keys)) {
    assert.ok(doc.trim().length > 10, `${key} has no documentation`)
    assert.ok(group, `${key} has no group`)
  }
}

function tolerant(): Record<string, string> {
  return { 'errors.tolerance': 'all' }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i)
}

/** Waits until a number has not changed for a second. */
async function stays(read: () => number, what: string): Promise<void> {
  let last = -1
  let since = performance.now()
  await until(
    () => {
      if (read() !== last) [last, since] = [read(), performance.now()]
      return performance.now() - since > 1000
    },
    what,
    60_000,
  )
}
