import { setMaxListeners } from 'node:events'
import { abortable } from '@tributary/async'
import {
  commonErrors,
  type ConnectError,
  type DeadLetter,
  END_OF_INPUT,
  errorKind,
  NotConnectedError,
  type Polled,
  RecordQueue,
  type SourceRecord,
  type SourceTask,
  type TaskContext,
} from '@tributary/connect-api'
import { isGone } from './aws/failure.ts'
import { sqsErrors, textOf } from './errors.ts'
import { redeliver } from './letter.ts'
import type { Queue } from './message.ts'
import { Conversions } from './prepare/conversions.ts'
import { QueueReader } from './queue-reader.ts'
import { Room } from './receive/room.ts'
import type { Delivery } from './settle/delivery.ts'
import type { SqsTaskParts } from './task-parts.ts'

/** Longest wait of a poll for a message, in ms. A message ends the wait at once. */
const POLL_TIMEOUT_MS = 1000
/** While a queue has a backlog, a poll waits for so many messages for so many ms: a batch of ten costs Kafka as much as one of a hundred. */
const BACKLOG_RECORDS = 500
const BACKLOG_MS = 20
/** A stop waits at most this long, in ms, for SQS to answer what is deleted and returned. The runtime waits 5 s for a stop. */
const STOP_MS = 3000

/**
 * Makes the task of an SQS source. It receives by itself, and `poll` returns what is received and converted. Kafka's acknowledgement
 * of a batch (`commitBatch`; with exactly once, after the commit of its transaction) lets its messages be deleted, and nothing else does.
 */
export function sqsTask(create: (context: TaskContext) => SqsTaskParts | Promise<SqsTaskParts>): SourceTask {
  let run: SqsRun | null = null
  const started = (): SqsRun => {
    if (run === null) throw commonErrors.TASK_NOT_STARTED('the task was used before its start, or after its stop')
    return run
  }
  return {
    start: async (context) => {
      run = new SqsRun(await create(context), context)
    },
    connect: async (signal) => started().connect(signal),
    poll: async (signal) => started().poll(signal),
    commitBatch: (polled) => run?.commitBatch(polled),
    caution: () => run?.caution() ?? null,
    redeliver: (letter) => started().redeliver(letter),
    paused: () => run?.pause(),
    resumed: () => run?.resume(),
    drain: () => run?.drain(),
    stop: async () => run?.stop(),
  }
}

/** Messages of one queue that can be polled, in order. */
interface Batch {
  readonly reader: QueueReader
  readonly deliveries: readonly Delivery[]
}

class SqsRun {
  readonly #parts: SqsTaskParts
  readonly #context: TaskContext
  readonly #queue: RecordQueue<Batch>
  readonly #room: Room
  readonly #conversions: Conversions
  readonly #readers = new Map<string, QueueReader>()
  /** Of queues that are no longer the task's, until Kafka has what was polled of them. */
  readonly #leaving = new Set<QueueReader>()
  /** What was polled and is not acknowledged, by the array that `poll` returned. */
  readonly #polled = new Map<readonly Polled[], readonly Batch[]>()
  /** Ends conversions, and, after the last answer of SQS, all requests. */
  readonly #converting = new AbortController()
  readonly #requesting = new AbortController()
  #paused = false
  #draining = false
  #connected = false
  #failure: unknown = null
  #lookAgainAt = Infinity
  #looking = false
  /** Why the last look at the queues failed; null: it did not. */
  #lookFailure: unknown = null
  #stopping: Promise<void> | null = null

  constructor(parts: SqsTaskParts, context: TaskContext) {
    const { converter, options } = parts
    const { stats, memory } = context
    this.#parts = parts
    this.#context = context
    // The room bounds what waits, since messages wait in front of the queue too.
    this.#queue = new RecordQueue({ maxRecords: Infinity, maxBytes: Infinity, split: cut })
    const { maxRecords, maxBytes } = options
    this.#room = new Room({ maxRecords, maxBytes, memory, onRoom: () => this.#wake() })
    this.#conversions = new Conversions({
      converter,
      signal: this.#converting.signal,
      maxUnderWay: options.maxConversions,
      hasRoom: (bytes) => this.#room.hasRoomFor(bytes),
    })
    // A listener for each request under way.
    setMaxListeners(0, this.#converting.signal, this.#requesting.signal)
    stats.queueCapacity = maxRecords
    stats.queueMaxBytes = maxBytes
  }

  /** Resolves once SQS has answered for a queue. Rejects if it answers for none, or if a user must change something. */
  async connect(signal: AbortSignal): Promise<void> {
    const { queues } = this.#parts
    if (this.#failure !== null) throw this.#failure
    await this.#adopt(await queues.resolve(signal), signal)
    if (this.#draining) return
    this.#queue.reopen()
    this.#connected = true
    const starts = [...this.#readers.values()].map((reader) => (this.#paused ? Promise.resolve() : reader.start()))
    const results = await abortable(Promise.allSettled(starts), signal)
    const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
    const bad = errors.find((error) => errorKind(error) !== 'retriable')
    if (bad !== undefined) throw bad
    if (errors.length > 0 && errors.length === results.length) throw this.#disconnected(errors[0])
  }

  async poll(signal: AbortSignal): Promise<Polled[] | typeof END_OF_INPUT> {
    const { options, records } = this.#parts
    const { clock } = this.#context
    for (const reader of this.#readers.values()) reader.sweep()
    if (clock.monotonic() >= this.#lookAgainAt && !this.#looking) void this.#lookAgain()
    if (this.#backlog && this.#queue.size < BACKLOG_RECORDS) await clock.sleep(BACKLOG_MS, signal)
    const batches = await this.#take(this.#room.polls(options.maxPollRecords), signal)
    if (batches === null) return END_OF_INPUT
    const polled: SourceRecord[] = []
    const now = clock.monotonic()
    let bytes = 0
    for (const { reader, deliveries } of batches) {
      for (const delivery of deliveries) {
        const place = reader.handOut(delivery, now)
        if (place === null) continue
        const { message, converted, deadLetter } = delivery
        bytes += delivery.bytes
        polled.push(
          deadLetter === null
            ? records.record(message!, converted!, place)
            : records.deadLetter(message!, deadLetter, place),
        )
      }
    }
    this.#room.polled(polled.length, bytes)
    this.#gauge()
    if (batches.length > 0) this.#wake()
    else this.#conversions.wake()
    if (polled.length > 0) this.#polled.set(polled, batches)
    return polled
  }

  commitBatch(polled: readonly Polled[]): void {
    const batches = this.#polled.get(polled)
    if (batches === undefined) return
    this.#polled.delete(polled)
    for (const { reader, deliveries } of batches) reader.delivered(deliveries)
  }

  /** See SourceTask. */
  redeliver(letter: DeadLetter): SourceRecord | null | Promise<SourceRecord | null> {
    return redeliver(letter, this.#parts, this.#converting.signal)
  }

  /** What health adds; null for nothing. */
  caution(): string | null {
    const cautions = [...this.#readers.values()].flatMap((reader) => reader.cautions(this.#connected))
    if (this.#lookFailure !== null) {
      cautions.unshift(
        `The queues could not be looked up again, so new ones are not read: ${textOf(this.#lookFailure)}.`,
      )
    }
    cautions.push(...[this.#parts.notGivenBack?.() ?? []].flat())
    return cautions.length === 0 ? null : cautions.slice(0, 3).join(' ')
  }

  pause(): void {
    this.#paused = true
    for (const reader of this.#readers.values()) reader.pause()
    this.#room.count()
    this.#gauge()
  }

  resume(): void {
    this.#paused = false
    for (const reader of this.#readers.values()) {
      reader.resume()
      if (this.#connected) void reader.start().catch(() => {})
    }
  }

  drain(): void {
    if (this.#draining) return
    this.#draining = true
    for (const reader of this.#readers.values()) reader.drain()
    this.#room.count()
    this.#queue.end()
    this.#gauge()
  }

  stop(): Promise<void> {
    return (this.#stopping ??= this.#stop())
  }

  async #stop(): Promise<void> {
    const { clock } = this.#context
    this.drain()
    this.#converting.abort(new Error('the task has stopped'))
    this.#polled.clear()
    const readers = [...this.#readers.values(), ...this.#leaving]
    const released = Promise.all(readers.map((reader) => reader.release()))
    const receivesEnded = Promise.all(readers.map((reader) => reader.receivesEnded()))
    const closed = this.#close(readers, released, receivesEnded)
    const timeout = new AbortController()
    // A preview is over when the queues have all of their messages again.
    const ended = this.#parts.giveBack === undefined ? released : closed
    await Promise.race([ended, clock.sleep(STOP_MS, timeout.signal).catch(() => {})])
    timeout.abort()
    this.#room.close()
    this.#gauge()
  }

  /** A long poll may be answered only after the stop. Its messages go back then, and the client is closed after that. */
  async #close(readers: readonly QueueReader[], ...ends: Promise<unknown>[]): Promise<void> {
    await Promise.allSettled(ends)
    for (const reader of readers) reader.close()
    await this.#parts.giveBack?.()
    this.#requesting.abort(new Error('the task has stopped'))
    this.#parts.api.close()
  }

  /** The next messages; [] after a while without one; null at the end of a drained run. */
  async #take(max: number, signal: AbortSignal): Promise<Batch[] | null> {
    try {
      return await this.#queue.take(max, POLL_TIMEOUT_MS, signal)
    } catch (error) {
      if (this.#draining && !signal.aborted) return null
      throw error
    }
  }

  /** Reads these queues from now on. A queue that has gone is settled, and read no more. */
  async #adopt(queues: readonly Queue[], signal: AbortSignal): Promise<void> {
    const { lookAgainMs } = this.#parts.queues
    const { clock } = this.#context
    this.#lookAgainAt = lookAgainMs === null ? Infinity : clock.monotonic() + lookAgainMs
    const urls = new Set(queues.map(({ url }) => url))
    for (const [url, reader] of this.#readers) {
      if (urls.has(url)) continue
      this.#readers.delete(url)
      this.#leaving.add(reader)
      void reader.leave().finally(() => {
        this.#leaving.delete(reader)
        reader.close()
      })
    }
    const fresh = queues.filter(({ url }) => !this.#readers.has(url))
    const timeouts = await Promise.all(fresh.map((queue) => this.#visibilitySeconds(queue, signal)))
    for (const [i, queue] of fresh.entries()) {
      // A look and a connect may find the same queue at the same time.
      if (!this.#draining && !this.#readers.has(queue.url)) {
        this.#readers.set(queue.url, this.#reader(queue, timeouts[i]!))
      }
    }
  }

  /** The timeout of the settings; without one the queue's own, which must be known to be extended in time. */
  async #visibilitySeconds(queue: Queue, signal: AbortSignal): Promise<number> {
    const { api, options, queues } = this.#parts
    if (options.visibilitySeconds > 0) return options.visibilitySeconds
    // SQS's default. A timeout of 0 would give a message to several readers at once.
    const standard = 30
    try {
      const { VisibilityTimeout } = await api.queueAttributes(queue.url, ['VisibilityTimeout'], signal)
      return Number(VisibilityTimeout ?? 0) || standard
    } catch (error) {
      // The receives find out, too.
      if (isGone(error) && queues.mayGo(queue.url)) return standard
      throw error
    }
  }

  #reader(queue: Queue, visibilitySeconds: number): QueueReader {
    const { maxRecords, maxLanes } = this.#parts.options
    const reader: QueueReader = new QueueReader({
      queue,
      parts: this.#parts,
      context: this.#context,
      signal: this.#requesting.signal,
      room: this.#room,
      conversions: this.#conversions,
      visibilitySeconds,
      mayAddLane: () => this.#lanes < maxLanes,
      share: () => Math.max(1, Math.floor(maxRecords / this.#readers.size)),
      onReady: (deliveries) => {
        this.#queue.push({ reader, deliveries }, 0, deliveries.length)
        this.#gauge()
      },
      onChange: () => this.#changed(reader),
      onFailure: (error) => this.#fail(error),
    })
    return reader
  }

  /** A standard queue has more than one lane. The next messages of a FIFO queue wait for those that are ready, so they are not held up. */
  get #backlog(): boolean {
    if (this.#draining) return false
    for (const { lanes, queue } of this.#readers.values()) if (lanes > 1 && !queue.fifo) return true
    return false
  }

  /** Receives of all queues. */
  get #lanes(): number {
    let lanes = 0
    for (const reader of this.#readers.values()) lanes += reader.lanes
    return lanes
  }

  async #lookAgain(): Promise<void> {
    const { queues } = this.#parts
    this.#looking = true
    try {
      const { signal } = this.#requesting
      const found = await queues.resolve(signal)
      this.#lookFailure = null
      if (this.#draining) return
      await this.#adopt(found, signal)
      if (!this.#paused && this.#connected) {
        for (const reader of this.#readers.values()) if (reader.failure === null) void reader.start().catch(() => {})
      }
    } catch (error) {
      // The queues that are known are read on.
      this.#lookFailure = error
      this.#context.log.warn('sqs_queues_lookup_failed', { error })
      this.#lookAgainAt = this.#context.clock.monotonic() + (queues.lookAgainMs ?? Infinity)
    } finally {
      this.#looking = false
    }
  }

  /** A queue cannot be read, or can again. While others can, it is tried again beside them; without one, the task connects again. */
  #changed(reader: QueueReader): void {
    if (!this.#connected || this.#draining || reader.failure === null) return
    this.#context.log.error('sqs_receive_failed', {
      message: 'Failed to receive messages from SQS',
      queue_url: reader.queue.url,
      error: reader.failure,
    })
    for (const { failure } of this.#readers.values()) if (failure === null) return reader.startLater()
    this.#queue.end(this.#disconnected(reader.failure))
  }

  #disconnected(error: unknown): ConnectError {
    this.#connected = false
    if (error instanceof NotConnectedError) return error
    const { message, retryAfterMs } = error as ConnectError
    return sqsErrors.SQS_UNREADABLE(message, { cause: error, retryAfterMs })
  }

  #fail(error: unknown): void {
    if (this.#draining) return
    this.#failure ??= error
    this.#queue.end(error)
  }

  #wake(): void {
    this.#conversions.wake()
    for (const reader of this.#readers.values()) reader.wake()
  }

  #gauge(): void {
    const { stats } = this.#context
    stats.queueSize = this.#room.size
    stats.queueBytes = this.#room.bytes
  }
}

function cut({ reader, deliveries }: Batch, count: number): readonly [Batch, Batch] {
  return [
    { reader, deliveries: deliveries.slice(0, count) },
    { reader, deliveries: deliveries.slice(count) },
  ]
}
