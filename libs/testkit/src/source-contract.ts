import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Props, SourcePlugin, SourceRecord } from '@tributary/connect-api'
import { handOverContract } from './hand-over-contract.ts'
import { type Scene, type Scenario, startScene } from './scene.ts'
import type { SourceFixture, TaskRunner } from './source-fixture.ts'
import { settled, throughout, until } from './until.ts'

const QUEUE_BOUND = 500
const IN_FLIGHT_BOUND = 1000
const POLL_BOUND = 500
/** A fixture that allows more than this many times what a blocked server writes would hide an unbounded buffer. */
const GENEROUS = 3

/**
 * Tests what every source promises, whatever its transport. `createRunner` is called once for each scenario, so that each has its
 * own topic.
 */
export function sourceContract(name: string, fixture: SourceFixture, createRunner: () => Promise<TaskRunner>): void {
  const scenario = (title: string, extra: Props | ((runner: TaskRunner) => Props), play: Scenario): void => {
    test(title, async () => {
      const runner = await createRunner()
      const scene = await startScene(fixture, runner, typeof extra === 'function' ? extra(runner) : extra)
      try {
        await play(scene)
      } finally {
        await scene.stop()
      }
    })
  }

  describe(`the contract of a source: ${name}`, () => {
    scenario('delivers in order, without loss', {}, deliversInOrder)
    scenario('does not spin while the source is idle', {}, doesNotSpin)
    scenario(
      'slows the sender down while Kafka is away, and loses nothing',
      {
        ...fixture.queueBound(QUEUE_BOUND),
        'max.in.flight.records': String(IN_FLIGHT_BOUND),
        'max.poll.records': String(POLL_BOUND),
      },
      (scene) => slowsTheSenderDown(scene, fixture),
    )
    scenario('never commits an offset before Kafka has its record', {}, (scene) => commitsAfterTheAck(scene, fixture))
    scenario('reads nothing while paused and goes on without loss', fixture.queueBound(100), pauses)
    scenario('delivers what it has received when it is stopped', {}, drains)
    scenario('sends only a record that is too large to the dead-letter topic', tolerant, sendsToDeadLetters)
    scenario('makes the record of a dead letter anew', {}, redelivers)
    scenario('fails on a record that is too large where errors are not tolerated', {}, (scene) =>
      failsOnTooLarge(scene, fixture),
    )
    if (fixture.resume) {
      scenario('loses and repeats nothing over a cut', fixture.resume, resumesAfterACut)
      scenario('delivers again what was not acknowledged at a crash', fixture.resume, deliversAgain)
    }
    if (!fixture.alwaysResumes) {
      scenario('connects again after a cut, and counts the gap', {}, countsTheCut)
    }
    if (fixture.plugin.handOver) handOverContract(fixture, scenario)
    test('documents every configuration key', () => documented(fixture.plugin.connector.spec))
  })
}

async function deliversInOrder({ feed, arrived, numbers }: Scene): Promise<void> {
  feed.send(5000)
  await arrived(5000)
  assert.deepEqual(await numbers(), range(1, 5000))
}

async function doesNotSpin({ task }: Scene): Promise<void> {
  const before = task.polls
  await throughout(2000, () => {})
  assert.ok(task.polls - before <= 20, `${task.polls - before} polls in two idle seconds`)
}

async function slowsTheSenderDown({ task, feed, arrived, numbers }: Scene, fixture: SourceFixture): Promise<void> {
  feed.send(1)
  await arrived(1)
  task.kafka('down')
  const inTransport = Math.ceil(fixture.transportBytes / fixture.messageBytes)
  // With exactly once as many again wait for the next transaction.
  const inFlight = IN_FLIGHT_BOUND * (feed.props['exactly.once.support'] === 'required' ? 2 : 1)
  const most = 1 + QUEUE_BOUND + fixture.queueOvershoot + inFlight + 2 * POLL_BOUND + inTransport
  feed.send(2 * most)
  const written = await settled(() => feed.written, 'the server is blocked')
  assert.ok(written <= most, `the server could write ${written}, at most ${most} are bounded`)
  const generous = `the fixture allows ${most} messages, but a blocked server could write ${written} only: lower transportBytes or queueOvershoot`
  assert.ok(most <= GENEROUS * written, generous)
  const held = QUEUE_BOUND + fixture.queueOvershoot
  assert.ok(task.stats.queueSize <= held, `${task.stats.queueSize} records are queued, at most ${held} are bounded`)
  task.kafka('up')
  await arrived(2 * most + 1)
  assert.deepEqual(await numbers(), range(1, 2 * most + 1))
  assert.equal(feed.connections, 1, 'the connection to the source outlives the outage')
}

async function commitsAfterTheAck({ task, feed, arrived, numbers }: Scene, fixture: SourceFixture): Promise<void> {
  const committed = (): number => {
    const offset = task.committedOffset()
    return offset === null ? 0 : fixture.numberAt(offset)
  }
  feed.send(100)
  await arrived(100)
  await until(() => committed() === 100, 'the offset of the first records is committed')
  task.topic('closed')
  feed.send(100)
  await until(() => task.stats.messagesReceived >= 200, 'the task has received more messages')
  await throughout(1500, () => assert.equal(committed(), 100))
  assert.equal((await numbers()).length, 100, 'the topic was closed')
  task.topic('open')
  await arrived(200)
  await until(() => committed() === 200, 'the offset of the other records is committed')
}

async function pauses({ task, feed, arrived, numbers }: Scene): Promise<void> {
  feed.send(10)
  await arrived(10)
  task.pause()
  await until(() => task.state === 'paused', 'the task is paused')
  // A poll that already waits may still return the next messages.
  feed.send(500)
  await until(() => task.stats.messagesReceived > 10, 'a message is received')
  await throughout(1500, () => {})
  const before = [task.polls, (await numbers()).length]
  feed.send(500)
  await throughout(1500, () => {})
  assert.deepEqual([task.polls, (await numbers()).length], before)
  task.resume()
  await arrived(1010)
  assert.deepEqual(await numbers(), range(1, 1010))
}

async function drains({ task, feed, arrived, numbers }: Scene): Promise<void> {
  task.kafka('down')
  feed.send(3000)
  await until(() => task.stats.messagesReceived >= 300, 'some messages are received')
  const received = task.stats.messagesReceived
  const stopped = task.stop()
  task.kafka('up')
  await stopped
  // A transaction's commit is answered before a reader sees its records.
  await arrived(received)
  const kept = await numbers()
  assert.deepEqual(kept, range(1, kept.length))
  assert.equal(task.state, 'stopped')
}

function tolerant({ deadLetterTopic }: TaskRunner): Props {
  return {
    'errors.tolerance': 'all',
    'errors.deadletterqueue.topic.name': deadLetterTopic,
    'errors.deadletterqueue.topic.replication.factor': '1',
  }
}

async function sendsToDeadLetters({ task, feed, runner, arrived, numbers }: Scene): Promise<void> {
  feed.send(5)
  feed.sendLarge(runner.maxRecordBytes)
  feed.send(5)
  await arrived(10)
  await until(async () => (await task.deadLetters()).length > 0, 'the dead-letter topic has a record')
  assert.deepEqual(await numbers(), [...range(1, 5), ...range(7, 11)])
  const [large, ...more] = await task.deadLetters()
  assert.equal(more.length, 0)
  assert.ok((large?.value?.length ?? Infinity) <= 64 * 1024, 'the dead letter is cut')
  assert.equal(task.state, 'running')
}

async function redelivers({ task, feed, arrived }: Scene): Promise<void> {
  feed.send(20)
  await arrived(20)
  const pairs = await task.redelivered()
  assert.ok(pairs.length > 0)
  for (const [record, again] of pairs) assert.deepEqual(again && partsOf(again), partsOf(record))
}

/** What a replay must give again. A record without a time gets that of its letter. */
function partsOf({
  topic,
  partition,
  key,
  keySchema,
  value,
  valueSchema,
  headers = [],
  timestamp,
}: SourceRecord): object {
  const shown = headers.map(({ name, value: text }) => [name, Buffer.from(text as never).toString()])
  return { topic, partition, key, keySchema, value, valueSchema, headers: shown, timestamp }
}

async function failsOnTooLarge(scene: Scene, fixture: SourceFixture): Promise<void> {
  const { task, feed, runner, numbers } = scene
  feed.send(5)
  feed.sendLarge(runner.maxRecordBytes)
  feed.send(5)
  await until(() => task.state === 'failed', 'the task fails')
  assert.match(String(task.failure), /Tolerance exceeded/)
  await throughout(500, () => {})
  const before = (await numbers()).filter((number) => number <= 5)
  assert.deepEqual(before, range(1, before.length))
  const offset = task.committedOffset()
  const covered = offset === null ? 0 : fixture.numberAt(offset)
  assert.ok(covered <= before.length, `the committed offset covers ${covered} records, Kafka has ${before.length}`)
}

async function resumesAfterACut({ task, feed, arrived, numbers }: Scene): Promise<void> {
  feed.send(10)
  await arrived(10)
  feed.cut()
  feed.send(10)
  await arrived(20)
  assert.deepEqual(await numbers(), range(1, 20))
  assert.equal(feed.connections, 2)
  assert.equal(task.stats.sequenceGaps, 0)
}

async function countsTheCut({ task, feed, arrived, numbers }: Scene): Promise<void> {
  feed.send(10)
  await arrived(10)
  feed.cut()
  await until(() => feed.connections === 2, 'the task connects again')
  feed.send(10)
  await arrived(20)
  assert.deepEqual(await numbers(), range(1, 20))
  assert.equal(task.stats.sequenceGaps, 1)
}

async function deliversAgain({ task, feed, numbers, arrived }: Scene): Promise<void> {
  feed.send(1000)
  await arrived(1000)
  await until(() => task.committedOffset() !== null, 'an offset is committed')
  task.kafka('down')
  feed.send(500)
  await until(() => task.stats.messagesReceived === 1500, 'the other messages are received')
  await task.crash()
  task.kafka('up')
  await task.restart()
  feed.send(1)
  await until(async () => (await numbers()).includes(1501), 'the last message is in the topic', 60_000)
  // Some of the first thousand may come twice, as their offsets may not have been committed yet. None is missing.
  assert.deepEqual([...new Set(await numbers())], range(1, 1501))
}

function documented(spec: SourcePlugin['connector']['spec']): void {
  for (const [key, { doc, group }] of Object.entries(spec.keys)) {
    assert.ok(doc.trim().length > 10, `${key} has no documentation`)
    assert.ok(group, `${key} has no group`)
  }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i)
}
