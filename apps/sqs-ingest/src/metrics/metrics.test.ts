import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { systemClock } from '@tributary/async'
import { createTaskStats, type TaskContext } from '@tributary/connect-api'
import { type LogFields, prometheusText } from '@tributary/telemetry'
import { silentLog } from '@tributary/telemetry/testing'
import type { SqsApi } from '../aws/sqs-api.ts'
import { Histogram } from '../histogram.ts'
import type { Queue, SqsMessage } from '../message.ts'
import { createCounters } from '../task-parts.ts'
import { watched } from './watched-sqs.ts'

const QUEUE: Queue = { url: 'http://sqs/1/orders', name: 'orders', fifo: false }
const signal = AbortSignal.timeout(60_000)
const request = { maxMessages: 10, waitSeconds: 0, visibilitySeconds: 30 }

test('a histogram counts up to each bound, and what is beyond', () => {
  const histogram = new Histogram([10, 100])
  for (const value of [1, 10, 11, 1000]) histogram.observe(value)
  assert.deepEqual(histogram.cumulative(), [['10', 2], ['100', 3], ['+Inf', 4]]) // prettier-ignore
  assert.deepEqual([histogram.sum, histogram.count], [1022, 4])
})

describe('what is shown of a task', () => {
  /** A task whose sleeps end when the test says so. */
  function scene() {
    const state = { now: 1_000_000, sleeps: [] as (() => void)[], messages: [] as number[], lines: [] as LogFields[] }
    const clock = {
      ...systemClock,
      now: () => state.now,
      monotonic: () => state.now,
      sleep: () => new Promise<void>((resolve) => state.sleeps.push(resolve)),
    }
    const log = { ...silentLog, info: (_event: string, fields?: LogFields) => void state.lines.push(fields ?? {}) }
    const counters = createCounters()
    const context = { connector: 'c', task: 0, stats: createTaskStats(), clock, log } as unknown as TaskContext
    const sqs = {
      receive: () => Promise.resolve(state.messages.map((sentAt) => ({ system: { SentTimestamp: String(sentAt) } }) as unknown as SqsMessage)), // prettier-ignore
      queueAttributes: () => Promise.resolve({ ApproximateNumberOfMessages: '12' }),
      close: () => {},
    } as unknown as SqsApi
    const queues = { lookAgainMs: null, mayGo: () => false, resolve: () => Promise.resolve([QUEUE]) }
    const task = watched({ context, sqs, queues, counters, depthIntervalMs: 30_000 })
    const value = (name: string): string | undefined => new RegExp(`^${name}\\{connector="c",task="0".*\\} (.*)$`, 'm').exec(prometheusText())?.[1] // prettier-ignore
    return { state, task, counters, context, value }
  }

  test('the age of the oldest message grows until a receive brings another, or nothing', async () => {
    const { state, task, value } = scene()
    const age = (): string | undefined => value('aws_sqs_approximate_age_of_oldest_message')
    state.messages = [state.now - 500, state.now - 7000]
    await task.sqs.receive(QUEUE, request, signal)
    assert.equal(age(), '7')
    state.now += 1000
    assert.equal(age(), '8')
    state.messages = []
    await task.sqs.receive(QUEUE, request, signal)
    assert.equal(age(), '0')
    task.sqs.close()
    assert.equal(age(), undefined)
  })

  test('counts are the guide’s: failures that were tried again are retries', () => {
    const { task, counters, context, value } = scene()
    Object.assign(context.stats, { messagesReceived: 9 })
    Object.assign(counters, { failed: 5, retried: 3, deleted: 4 })
    const of = (name: string) => value(`kafka_connect_source_task_messages_${name}_total`)
    assert.deepEqual([of('received'), of('failed'), of('retried'), of('deleted')], ['9', '2', '3', '4'])
    task.sqs.close()
  })

  test('a run that ends after the next one has begun is shown no more, and does not hide the next one', () => {
    const first = scene()
    const second = scene()
    Object.assign(second.counters, { sent: 2 })
    const sent = (): string[] => prometheusText().match(/^kafka_connect_source_task_messages_sent_total.*$/gm) ?? []
    assert.deepEqual(sent().map((line) => line.split(' ')[1]), ['2']) // prettier-ignore
    first.task.sqs.close()
    assert.equal(sent().length, 1)
    second.task.sqs.close()
    assert.equal(sent().length, 0)
  })

  test('depths and the line task_metrics come each 30 s, from the first look at the queues on', async () => {
    const { state, task, value } = scene()
    await task.queues.resolve(signal)
    await task.queues.resolve(signal)
    await new Promise(setImmediate)
    assert.equal(value('aws_sqs_approximate_number_of_messages_visible'), '12')
    assert.deepEqual([state.sleeps.length, state.lines.length], [1, 0])
    state.sleeps.pop()!()
    await new Promise(setImmediate)
    assert.equal(state.lines[0]?.['messages_received'], 0)
    task.sqs.close()
  })
})
