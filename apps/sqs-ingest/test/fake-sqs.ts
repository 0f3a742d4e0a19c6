import { createHash, randomUUID } from 'node:crypto'
import type { Clock } from '@tributary/connect-api'
import { sqsErrors } from '../src/errors.ts'
import type { EntryFailure, ReceiveRequest, SqsApi, VisibilityChange } from '../src/aws/sqs-api.ts'
import type { MessageAttribute, Queue, SqsMessage } from '../src/message.ts'

type Call = 'receive' | 'delete' | 'visibility' | 'queueUrl' | 'attributes' | 'list'

export interface SendOptions {
  readonly group?: string
  readonly deduplicationId?: string
  readonly attributes?: Readonly<Record<string, MessageAttribute>>
}

interface Stored {
  readonly id: string
  readonly body: string
  readonly sentAt: number
  readonly group: string | null
  readonly deduplicationId: string | null
  readonly attributes: Readonly<Record<string, MessageAttribute>>
  readonly sequence: number
  receives: number
  firstReceivedAt: number
  visibleAt: number
  /** Of the last receive; null before it. */
  handle: string | null
}

interface State {
  readonly queue: Queue
  readonly attributes: Record<string, string>
  messages: Stored[]
  /** Receives that wait for a message. */
  waiting: (() => void)[]
  /** What the answer to a ReceiveRequestAttemptId held. */
  readonly attempts: Map<string, readonly Stored[]>
}

/** Longest that a message is hidden after its receive, in ms. */
const MAX_HIDDEN_MS = 12 * 3600 * 1000
const DEDUPLICATION_MS = 300_000

/**
 * SQS in memory, with the rules that the source relies on: visibility timeouts, receipt handles that expire, message groups whose
 * messages wait for each other, de-duplication of sends, answers that go on after the request was given up. Time is the clock's.
 */
export class FakeSqs implements SqsApi {
  readonly clock: Clock
  /** Requests by kind, in order: the entries of each. */
  readonly requests: { readonly call: Call; readonly url: string; readonly entries: number; readonly at: number }[] = []
  /** Called before a request is served. Throws to make it fail, or waits. */
  onRequest: (call: Call, url: string) => void | Promise<void> = () => {}
  /** Says how an entry of a batch fails; null: it does not. */
  failEntry: (call: 'delete' | 'visibility', id: string) => EntryFailure['reason'] | null = () => null
  closed = false
  readonly #states = new Map<string, State>()
  #sequence = 0

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Makes a queue. One whose name ends with `.fifo` is a FIFO queue. */
  create(name: string, attributes: Record<string, string> = {}): Queue {
    const queue = { url: `http://sqs.test/1/${name}`, name, fifo: name.endsWith('.fifo') }
    this.#states.set(queue.url, { queue, attributes, messages: [], waiting: [], attempts: new Map() })
    return queue
  }

  drop(queue: Queue): void {
    this.#states.delete(queue.url)
  }

  /** Returns the id of the message; of the first one, if the message is a duplicate of another one (FIFO). */
  send(queue: Queue, body: string, options: SendOptions = {}): string {
    const state = this.#state(queue.url)
    const now = this.clock.now()
    const { group = 'default', attributes = {} } = options
    const deduplicationId = queue.fifo ? (options.deduplicationId ?? randomUUID()) : null
    const twin = state.messages.find((m) => m.deduplicationId === deduplicationId && now - m.sentAt < DEDUPLICATION_MS)
    if (deduplicationId !== null && twin !== undefined) return twin.id
    const id = randomUUID()
    state.messages.push({
      id,
      body,
      sentAt: now,
      group: queue.fifo ? group : null,
      deduplicationId,
      attributes,
      sequence: ++this.#sequence,
      receives: 0,
      firstReceivedAt: 0,
      visibleAt: 0,
      handle: null,
    })
    this.#wake(state)
    return id
  }

  /** Bodies of the messages that were not deleted, in the order of their sends. */
  bodies(queue: Queue): string[] {
    return this.#state(queue.url).messages.map(({ body }) => body)
  }

  /** Bodies of the messages that a receive could get. */
  visible(queue: Queue): string[] {
    return this.#state(queue.url)
      .messages.filter((message) => this.#isVisible(message))
      .map(({ body }) => body)
  }

  /** ms until SQS shows the message; 0: it does. */
  hiddenFor(queue: Queue, body: string): number {
    const message = this.#state(queue.url).messages.find((each) => each.body === body)
    return Math.max(0, (message?.visibleAt ?? 0) - this.clock.monotonic())
  }

  receivesOf(queue: Queue, body: string): number {
    return this.#state(queue.url).messages.find((each) => each.body === body)?.receives ?? 0
  }

  count(call: Call): number {
    return this.requests.filter((request) => request.call === call).length
  }

  async receive(queue: Queue, request: ReceiveRequest, signal: AbortSignal): Promise<SqsMessage[]> {
    await this.#begin('receive', queue.url, 1)
    const answer = this.#receive(queue, request)
    signal.throwIfAborted()
    // The server does not see that the client has gone: what it hands out later is hidden all the same.
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      answer.then(resolve, reject)
    })
  }

  async #receive(queue: Queue, request: ReceiveRequest): Promise<SqsMessage[]> {
    const end = this.clock.monotonic() + request.waitSeconds * 1000
    for (;;) {
      const state = this.#state(queue.url)
      this.#redrive(state)
      const messages = this.#take(state, request)
      if (messages.length > 0) return messages
      const restMs = end - this.clock.monotonic()
      if (restMs <= 0) return []
      const ended = new AbortController()
      const woken = new Promise<void>((resolve) => state.waiting.push(resolve))
      // A message may also become visible by itself.
      const next = state.messages.map(({ visibleAt }) => visibleAt - this.clock.monotonic()).filter((ms) => ms > 0)
      const sleepMs = Math.min(restMs, ...next)
      await Promise.race([this.clock.sleep(sleepMs, ended.signal).catch(() => {}), woken])
      ended.abort()
    }
  }

  async deleteBatch(queue: Queue, handles: readonly string[]): Promise<EntryFailure[]> {
    await this.#begin('delete', queue.url, handles.length)
    const state = this.#state(queue.url)
    return handles.flatMap((handle, index) => {
      const message = this.#inFlight(state, handle)
      const reason = message === null ? 'gone' : this.failEntry('delete', message.id)
      if (reason !== null) return [failure(index, reason)]
      state.messages = state.messages.filter((each) => each !== message)
      this.#wake(state)
      return []
    })
  }

  async changeVisibilityBatch(queue: Queue, changes: readonly VisibilityChange[]): Promise<EntryFailure[]> {
    await this.#begin('visibility', queue.url, changes.length)
    const state = this.#state(queue.url)
    const now = this.clock.monotonic()
    return changes.flatMap(({ receiptHandle, visibilitySeconds }, index) => {
      const message = this.#inFlight(state, receiptHandle)
      let reason = message === null ? ('gone' as const) : this.failEntry('visibility', message.id)
      const visibleAt = now + visibilitySeconds * 1000
      if (message !== null && visibleAt > message.firstReceivedAt + MAX_HIDDEN_MS) reason = 'refused'
      if (message === null || reason !== null) return [failure(index, reason ?? 'gone')]
      message.visibleAt = visibleAt
      this.#wake(state)
      return []
    })
  }

  async queueUrl(name: string): Promise<string> {
    await this.#begin('queueUrl', name, 1)
    return this.#state(`http://sqs.test/1/${name}`).queue.url
  }

  async queueAttributes(url: string): Promise<Readonly<Record<string, string | undefined>>> {
    await this.#begin('attributes', url, 1)
    const { attributes, messages } = this.#state(url)
    const visible = messages.filter((message) => this.#isVisible(message)).length
    return {
      QueueArn: url,
      ...attributes,
      ApproximateNumberOfMessages: String(visible),
      ApproximateNumberOfMessagesNotVisible: String(messages.length - visible),
    }
  }

  async listQueues(prefix: string): Promise<string[]> {
    await this.#begin('list', prefix, 1)
    return [...this.#states.values()].filter(({ queue }) => queue.name.startsWith(prefix)).map(({ queue }) => queue.url)
  }

  close(): void {
    this.closed = true
  }

  async #begin(call: Call, url: string, entries: number): Promise<void> {
    if (entries < 1 || entries > 10) throw new RangeError(`${entries} entries in one ${call}`)
    if (this.closed) throw new Error(`${call} after the client was closed`)
    this.requests.push({ call, url, entries, at: this.clock.monotonic() })
    await this.onRequest(call, url)
  }

  #take(state: State, { maxMessages, visibilitySeconds, attemptId }: ReceiveRequest): SqsMessage[] {
    const now = this.clock.monotonic()
    const repeated = attemptId === undefined ? undefined : state.attempts.get(attemptId)
    const taken =
      repeated?.filter((message) => state.messages.includes(message) && message.visibleAt > now) ??
      this.#next(state, maxMessages)
    if (attemptId !== undefined && taken.length > 0) state.attempts.set(attemptId, taken)
    return taken.map((message) => {
      if (repeated === undefined) message.receives++
      message.firstReceivedAt = now
      message.visibleAt = now + visibilitySeconds * 1000
      message.handle = randomUUID()
      return this.#asReceived(state.queue, message)
    })
  }

  /** Messages that a receive gets. None of a group with a message in flight, and those of a group in order. */
  #next({ queue, messages }: State, max: number): Stored[] {
    if (!queue.fifo) return messages.filter((message) => this.#isVisible(message)).slice(0, max)
    const blocked = new Set(messages.filter((message) => !this.#isVisible(message)).map(({ group }) => group))
    return messages.filter(({ group }) => !blocked.has(group)).slice(0, max)
  }

  /** Messages that were received as often as the queue allows go to its dead letter queue. */
  #redrive(state: State): void {
    const text = state.attributes['RedrivePolicy']
    if (text === undefined) return
    const policy = JSON.parse(text) as { readonly deadLetterTargetArn: string; readonly maxReceiveCount: string }
    const used = state.messages.filter((m) => this.#isVisible(m) && m.receives >= Number(policy.maxReceiveCount))
    state.messages = state.messages.filter((message) => !used.includes(message))
    this.#state(policy.deadLetterTargetArn).messages.push(...used)
  }

  #asReceived(queue: Queue, message: Stored): SqsMessage {
    const { id, body, handle, sentAt, receives, group, deduplicationId, attributes, sequence } = message
    return {
      queue,
      id,
      receiptHandle: handle!,
      body,
      md5OfBody: createHash('md5').update(body).digest('hex'),
      system: {
        SentTimestamp: String(sentAt),
        ApproximateReceiveCount: String(receives),
        ApproximateFirstReceiveTimestamp: String(sentAt),
        ...(group === null ? {} : { MessageGroupId: group, SequenceNumber: String(sequence).padStart(20, '0') }),
        ...(deduplicationId === null ? {} : { MessageDeduplicationId: deduplicationId }),
      },
      attributes,
    }
  }

  #isVisible({ visibleAt }: Stored): boolean {
    return visibleAt <= this.clock.monotonic()
  }

  /** The message of a receipt handle that is still good. */
  #inFlight({ messages }: State, handle: string): Stored | null {
    return messages.find((message) => message.handle === handle && !this.#isVisible(message)) ?? null
  }

  #wake(state: State): void {
    for (const wake of state.waiting.splice(0)) wake()
  }

  #state(url: string): State {
    const state = this.#states.get(url)
    if (state === undefined) throw sqsErrors.SQS_QUEUE_GONE(`no queue ${url}`)
    return state
  }
}

function failure(index: number, reason: EntryFailure['reason']): EntryFailure {
  const code = { gone: 'ReceiptHandleIsInvalid', retriable: 'InternalError', refused: 'InvalidParameterValue' }[reason]
  return { index, reason, code, message: `${code} of the fake` }
}
