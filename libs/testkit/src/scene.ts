import type { Props } from '@tributary/connect-api'
import type { Feed, RunningTask, SourceFixture, TaskRunner } from './source-fixture.ts'
import { until } from './until.ts'

/** A feed, a task that reads it, and the topic into which it writes. */
export interface Scene {
  readonly runner: TaskRunner
  readonly feed: Feed
  readonly task: RunningTask
  /** Numbers of the records in the topic, in order of offset. */
  readonly numbers: () => Promise<number[]>
  /** Resolves once the topic holds `count` numbers. */
  readonly arrived: (count: number) => Promise<void>
  readonly stop: () => Promise<void>
}

export type Scenario = (scene: Scene) => Promise<void>

/** Starts feed and task, and waits until they are connected. */
export async function startScene(fixture: SourceFixture, runner: TaskRunner, extra: Props): Promise<Scene> {
  const feed = await fixture.startFeed()
  const task = await runner.start(fixture.plugin, { ...feed.props, ...extra, 'kafka.topic': runner.topic })
  const read: number[] = []
  let records = 0
  const numbers = async (): Promise<number[]> => {
    const kept = await task.kept()
    for (; records < kept.length; records++) {
      const value = kept[records]?.value
      const number = value ? fixture.numberOf(value) : null
      if (number !== null) read.push(number)
    }
    return [...read]
  }
  const scene: Scene = {
    runner,
    feed,
    task,
    numbers,
    arrived: (count) =>
      until(async () => (await numbers()).length >= count, `${count} records are in the topic`, 60_000),
    stop: async () => {
      task.kafka('up')
      await task.stop()
      await feed.stop()
    },
  }
  try {
    await until(() => feed.connections > 0 && task.state === 'running', 'the source is connected')
    return scene
  } catch (error) {
    await scene.stop()
    throw error
  }
}
