import { setTimeout as pause } from 'node:timers/promises'
import { SqsProxy } from '../../support/sqs-proxy.ts'
import { cpuUs } from '../process-usage.ts'
import { arrived, latencies, type Latencies, missing } from '../support/records.ts'
import type { Rig } from '../support/rig.ts'
import type { Tree } from '../support/tree.ts'
import { connector, type Queues } from './queues.ts'

/** The first seconds of a load, which are left out. */
const WARM_UP_S = 2

export interface Steady extends Latencies {
  readonly cpuUs: number
  readonly lost: number
  /** From the moment when SQS took the message, in ms: the source's and Kafka's own part. */
  readonly taken: Latencies
  /** Requests to SQS a message, by action. */
  readonly requests: Readonly<Record<string, number>>
}

/** An open loop of SendMessage; times from the moment when a message was due to its append by the broker. */
export async function steady(rig: Rig, tree: Tree, queues: Queues, rate: number, seconds: number): Promise<Steady> {
  const proxy = await SqsProxy.listen(queues.server)
  const topic = await rig.topic({ stamped: true })
  const queue = await queues.queue()
  // Through the proxy the requests could be counted, but the proxy would add to the times: two runs.
  const direct = await run(rig, tree, queues, queue, queue, topic, rate, seconds)
  const counted = await rig.topic()
  await run(rig, tree, queues, queue, queue.replace(queues.server, proxy.url), counted, rate, seconds)
  const requests = Object.fromEntries(
    [...proxy.calls].map(([action, n]) => [action, n / (rate * (WARM_UP_S + seconds))]),
  )
  await proxy.close()
  const messages = await arrived(rig.connection, topic)
  const measured = messages.filter(({ sequence }) => sequence > rate * WARM_UP_S)
  const taken = latencies(measured.map((message) => ({ ...message, lateMs: message.at + 0.5 - message.takenAt! })))
  return { ...latencies(measured), taken, ...direct, lost: missing(messages, rate * (WARM_UP_S + seconds)), requests }
}

async function run(
  rig: Rig,
  tree: Tree,
  queues: Queues,
  queue: string,
  read: string,
  topic: string,
  rate: number,
  seconds: number,
): Promise<{ readonly cpuUs: number }> {
  const cluster = await rig.cluster([connector(read, topic)])
  const child = await rig.startService(tree, 'sqs-ingest', cluster)
  await child.value('address')
  // The first long poll is open before the first message comes.
  await pause(1000)
  const sent = queues.send(queue, rate * (WARM_UP_S + seconds), rate)
  await pause(WARM_UP_S * 1000)
  const before = cpuUs(child.pid)
  await sent
  const used = (cpuUs(child.pid) - before) / (rate * seconds)
  await rig.reached(topic, rate * (WARM_UP_S + seconds), 15_000)
  await queues.emptied(queue)
  await child.stop()
  return { cpuUs: used }
}

export interface Idle {
  /** Requests a day at this pace, by action. */
  readonly perDay: Readonly<Record<string, number>>
  /** CPU of the process, ms a second. */
  readonly cpuMs: number
}

/** What an empty queue costs with long polls of 20 s. The first seconds, with the requests of the start, are left out. */
export async function idle(rig: Rig, tree: Tree, queues: Queues, seconds: number): Promise<Idle> {
  const proxy = await SqsProxy.listen(queues.server)
  const queue = (await queues.queue()).replace(queues.server, proxy.url)
  const cluster = await rig.cluster([connector(queue, await rig.topic(), { 'sqs.wait.time.seconds': '20' })])
  const child = await rig.startService(tree, 'sqs-ingest', cluster)
  await child.value('address')
  await pause(3000)
  const calls = new Map(proxy.calls)
  const before = cpuUs(child.pid)
  await pause(seconds * 1000)
  const cpuMs = (cpuUs(child.pid) - before) / 1000 / seconds
  const perDay = Object.fromEntries(
    [...proxy.calls].map(([action, n]) => [action, Math.round(((n - (calls.get(action) ?? 0)) * 86_400) / seconds)]),
  )
  await child.stop()
  await proxy.close()
  return { perDay, cpuMs }
}
