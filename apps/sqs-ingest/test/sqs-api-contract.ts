import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ConnectError } from '@tributary/connect-api'
import type { SqsApi } from '../src/aws/sqs-api.ts'
import type { Queue, SqsMessage } from '../src/message.ts'

/** Of the body `hellö`. */
const MD5 = '86fe9b646740eefefef05af49fe6dbc6'

export interface Sent {
  readonly body: string
  /** FIFO queues. */
  readonly group?: string
  readonly id?: string
  /** Texts. */
  readonly attributes?: Readonly<Record<string, string>>
}

/** A server of SQS, or what stands for one, and a client of it. */
export interface SqsPlace {
  readonly api: SqsApi
  /** `attributes` of CreateQueue. A name that ends with `.fifo` makes a FIFO queue. */
  createQueue(name: string, attributes?: Readonly<Record<string, string>>): Promise<Queue>
  send(queue: Queue, message: Sent): Promise<void>
  close(): Promise<void>
}

const { signal } = new AbortController()
const bodies = (messages: readonly SqsMessage[]): string[] => messages.map(({ body }) => body)

/** A place, with the words of the cases. */
class Contract {
  /** A part of the names of this run's queues. */
  readonly run = `${process.pid}-${Date.now() % 100_000}`
  readonly place: SqsPlace
  #queues = 0

  constructor(place: SqsPlace) {
    this.place = place
  }

  /** A new queue with these messages. */
  async queueOf(messages: readonly Sent[] = [], suffix = ''): Promise<Queue> {
    const queue = await this.place.createQueue(`contract-${this.run}-${++this.#queues}${suffix}`)
    for (const message of messages) await this.place.send(queue, message)
    return queue
  }

  receive(queue: Queue, waitSeconds = 0): Promise<SqsMessage[]> {
    return this.place.api.receive(queue, { maxMessages: 10, waitSeconds, visibilitySeconds: 30 }, signal)
  }

  /** Receives until the queue has given `count` messages; SQS may give fewer at a time. */
  async receiveAll(queue: Queue, count: number): Promise<SqsMessage[]> {
    const all: SqsMessage[] = []
    for (let tries = 0; all.length < count && tries < 20; tries++) all.push(...(await this.receive(queue, 1)))
    assert.equal(all.length, count)
    return all
  }

  async change(queue: Queue, message: SqsMessage | undefined, visibilitySeconds: number): Promise<void> {
    const changes = [{ receiptHandle: message!.receiptHandle, visibilitySeconds }]
    assert.deepEqual(await this.place.api.changeVisibilityBatch(queue, changes, signal), [])
  }

  /** Messages to be received, and messages in flight. */
  async depth({ url }: Queue): Promise<unknown[]> {
    const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible']
    const attributes = await this.place.api.queueAttributes(url, names, signal)
    return names.map((name) => attributes[name])
  }
}

/**
 * What the source relies on in SQS, as cases that run alike on each implementation of `SqsApi`. Waits are those of SQS itself, whose
 * shortest visibility timeout is 1 s.
 */
export function sqsApiContract(name: string, open: () => Promise<SqsPlace>): void {
  describe(`SqsApi on ${name}`, () => {
    let contract: Contract | undefined
    before(async () => (contract = new Contract(await open())))
    after(() => contract?.place.close())
    for (const [title, run] of [...receives, ...settles, ...keepsOrder, ...describesQueues]) {
      test(title, () => run(contract!))
    }
  })
}

type Case = readonly [title: string, run: (at: Contract) => Promise<void>]

const receives: readonly Case[] = [
  [
    'a message comes with its id, its body, its times and its attributes',
    async (at) => {
      const queue = await at.queueOf([{ body: 'hellö', attributes: { kind: 'greeting' } }])
      const [message] = await at.receiveAll(queue, 1)
      assert.ok(message)
      assert.equal(message.queue, queue)
      assert.equal(message.body, 'hellö')
      assert.match(message.id, /./)
      assert.equal(message.md5OfBody ?? MD5, MD5)
      assert.equal(message.system['ApproximateReceiveCount'], '1')
      assert.ok(Math.abs(Number(message.system['SentTimestamp']) - Date.now()) < 60_000)
      assert.deepEqual(message.attributes['kind'], { dataType: 'String', stringValue: 'greeting' })
    },
  ],
  [
    'an empty queue answers with no message',
    async (at) => {
      assert.deepEqual(await at.receive(await at.queueOf()), [])
    },
  ],
  [
    'a long poll ends with the first message',
    async (at) => {
      const queue = await at.queueOf()
      const polled = at.receive(queue, 20)
      await at.place.send(queue, { body: 'late' })
      assert.deepEqual(bodies(await polled), ['late'])
    },
  ],
  [
    'an aborted long poll rejects with the reason',
    async (at) => {
      const queue = await at.queueOf()
      const controller = new AbortController()
      const request = { maxMessages: 10, waitSeconds: 20, visibilitySeconds: 30 }
      const polled = at.place.api.receive(queue, request, controller.signal)
      const reason = new Error('enough')
      setTimeout(() => controller.abort(reason), 50)
      await assert.rejects(polled, (error) => error === reason)
    },
  ],
  [
    'a received message is hidden, and comes again after its visibility timeout with another handle',
    async (at) => {
      const queue = await at.queueOf([{ body: 'again' }])
      const [first] = await at.receiveAll(queue, 1)
      assert.deepEqual(await at.receive(queue), [])
      await at.change(queue, first, 1)
      const [second] = await at.receiveAll(queue, 1)
      assert.equal(second?.id, first?.id)
      assert.equal(second?.system['ApproximateReceiveCount'], '2')
      assert.notEqual(second?.receiptHandle, first?.receiptHandle)
    },
  ],
]

const settles: readonly Case[] = [
  [
    'a deleted message is gone; the entry of a handle that SQS never gave fails by itself',
    async (at) => {
      const queue = await at.queueOf([{ body: 'a' }, { body: 'b' }])
      const [a, b] = await at.receiveAll(queue, 2)
      const failed = await at.place.api.deleteBatch(queue, [a!.receiptHandle, 'no-handle', b!.receiptHandle], signal)
      assert.deepEqual(
        failed.map(({ index, reason }) => ({ index, reason })),
        [{ index: 1, reason: 'gone' }],
      )
      assert.deepEqual(await at.depth(queue), ['0', '0'])
    },
  ],
  [
    'a message is returned at once with 0, and the others stay hidden',
    async (at) => {
      const queue = await at.queueOf([{ body: 'returned' }, { body: 'kept' }])
      const received = await at.receiveAll(queue, 2)
      const changes = received.map(({ receiptHandle, body }) => ({
        receiptHandle,
        visibilitySeconds: body === 'returned' ? 0 : 60,
      }))
      assert.deepEqual(await at.place.api.changeVisibilityBatch(queue, changes, signal), [])
      assert.deepEqual(bodies(await at.receiveAll(queue, 1)), ['returned'])
      assert.deepEqual(await at.receive(queue), [])
    },
  ],
  [
    'the visibility of a deleted message cannot be changed: gone',
    async (at) => {
      const queue = await at.queueOf([{ body: 'a' }, { body: 'b' }])
      const [a, b] = await at.receiveAll(queue, 2)
      assert.deepEqual(await at.place.api.deleteBatch(queue, [a!.receiptHandle], signal), [])
      const changes = [a, b].map((message) => ({ receiptHandle: message!.receiptHandle, visibilitySeconds: 40 }))
      const failed = await at.place.api.changeVisibilityBatch(queue, changes, signal)
      assert.deepEqual(
        failed.map(({ index, reason }) => ({ index, reason })),
        [{ index: 0, reason: 'gone' }],
      )
    },
  ],
  [
    'a message that was received as often as its queue allows goes to the other queue',
    async (at) => {
      const dead = await at.queueOf()
      const { QueueArn } = await at.place.api.queueAttributes(dead.url, ['QueueArn'], signal)
      const policy = JSON.stringify({ deadLetterTargetArn: QueueArn, maxReceiveCount: '1' })
      const queue = await at.place.createQueue(`contract-${at.run}-limit`, { RedrivePolicy: policy })
      await at.place.send(queue, { body: 'bad' })
      const [message] = await at.receiveAll(queue, 1)
      await at.change(queue, message, 0)
      assert.deepEqual(await at.receive(queue), [])
      assert.deepEqual(bodies(await at.receiveAll(dead, 1)), ['bad'])
    },
  ],
]

const keepsOrder: readonly Case[] = [
  [
    'a FIFO queue keeps the order within a group, and holds a group of which a message is in flight',
    async (at) => {
      const messages = [1, 2, 3].flatMap((n) => ['x', 'y'].map((group) => ({ body: `${group}${n}`, group, id: `${group}${n}` }))) // prettier-ignore
      const queue = await at.queueOf([...messages, { body: 'x1 again', group: 'x', id: 'x1' }], '.fifo')
      assert.equal(queue.fifo, true)
      const request = { maxMessages: 1, waitSeconds: 1, visibilitySeconds: 30 }
      const [first] = await at.place.api.receive(queue, request, signal)
      const group = first!.system['MessageGroupId']
      assert.equal(first!.body, `${group}1`)
      assert.equal(first!.system['MessageDeduplicationId'], `${group}1`)
      assert.match(first!.system['SequenceNumber'] ?? '', /^\d+$/)
      const other = group === 'x' ? 'y' : 'x'
      assert.deepEqual(bodies(await at.receiveAll(queue, 3)), [`${other}1`, `${other}2`, `${other}3`])
      assert.deepEqual(await at.place.api.deleteBatch(queue, [first!.receiptHandle], signal), [])
      assert.deepEqual(bodies(await at.receiveAll(queue, 2)), [`${group}2`, `${group}3`])
    },
  ],
  [
    'a returned message of a FIFO queue comes before the later ones of its group',
    async (at) => {
      const queue = await at.queueOf([1, 2, 3].map((n) => ({ body: `${n}`, group: 'g', id: `${n}` })), '.fifo') // prettier-ignore
      const received = await at.receiveAll(queue, 3)
      const changes = received.map(({ receiptHandle }) => ({ receiptHandle, visibilitySeconds: 0 }))
      assert.deepEqual(await at.place.api.changeVisibilityBatch(queue, changes, signal), [])
      assert.deepEqual(bodies(await at.receiveAll(queue, 3)), ['1', '2', '3'])
    },
  ],
]

const describesQueues: readonly Case[] = [
  [
    'a queue that is not there is an error of kind config, whatever is asked of it',
    async (at) => {
      const { url } = await at.queueOf()
      const queue = { url: url.replace(/[^/]+$/, 'no-such-queue'), name: 'no-such-queue', fifo: false }
      assert.equal(await kindOf(at.receive(queue)), 'config')
      assert.equal(await kindOf(at.place.api.queueUrl('no-such-queue', signal)), 'config')
      assert.equal(await kindOf(at.place.api.queueAttributes(queue.url, ['All'], signal)), 'config')
    },
  ],
  [
    'a queue is found by its name, and queues by the beginning of their names',
    async (at) => {
      const [a, b] = [await at.queueOf(), await at.queueOf()]
      const other = await at.place.createQueue(`other-${at.run}`)
      assert.equal(await at.place.api.queueUrl(a.name, signal), a.url)
      const listed = await at.place.api.listQueues(`contract-${at.run}-`, signal)
      assert.ok(listed.includes(a.url) && listed.includes(b.url))
      assert.ok(!listed.includes(other.url))
      assert.deepEqual(await at.place.api.listQueues(`none-${at.run}`, signal), [])
    },
  ],
  [
    'the attributes of a queue tell its depth and its redrive policy',
    async (at) => {
      const dead = await at.queueOf()
      const { QueueArn } = await at.place.api.queueAttributes(dead.url, ['QueueArn'], signal)
      const policy = JSON.stringify({ deadLetterTargetArn: QueueArn, maxReceiveCount: '3' })
      const queue = await at.place.createQueue(`contract-${at.run}-redrive`, { RedrivePolicy: policy })
      for (const body of ['a', 'b', 'c']) await at.place.send(queue, { body })
      const request = { maxMessages: 1, waitSeconds: 1, visibilitySeconds: 30 }
      await at.place.api.receive(queue, request, signal)
      assert.deepEqual(await at.depth(queue), ['2', '1'])
      const attributes = await at.place.api.queueAttributes(queue.url, ['RedrivePolicy'], signal)
      assert.equal((JSON.parse(attributes['RedrivePolicy'] ?? '') as { deadLetterTargetArn: string }).deadLetterTargetArn, QueueArn) // prettier-ignore
      const none = await at.place.api.queueAttributes(dead.url, ['RedrivePolicy'], signal)
      assert.equal(none['RedrivePolicy'], undefined)
    },
  ],
]

async function kindOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(() => assert.fail('must reject'), (reason: unknown) => reason) // prettier-ignore
  assert.ok(error instanceof ConnectError, String(error))
  return error.kind
}
