import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import type { Clock } from '@tributary/async'
import type { SqsApi } from '../aws/sqs-api.ts'
import type { Queue, SqsMessage } from '../message.ts'
import type { SqsCounters, SqsTaskOptions } from '../task-parts.ts'

/** Longest long poll of a lane beside others, in s: long enough that SQS asks all its servers, short enough for a lane to end soon. */
const EXTRA_WAIT_SECONDS = 1
/** First and longest wait in ms between receives of a queue that shows only messages that are known. */
const KNOWN_MS = 500
const KNOWN_MAX_MS = 20_000

const NEVER = new AbortController().signal
const nothing = (): void => {}

/** Messages of an answer, and those of them that are new to the task. */
interface Answered {
  readonly count: number
  readonly fresh: number
}

export interface LanesOptions {
  readonly api: Pick<SqsApi, 'receive'>
  readonly queue: Queue
  readonly options: Pick<SqsTaskOptions, 'maxMessages' | 'waitSeconds' | 'visibilitySeconds' | 'pollIntervalMs'>
  readonly clock: Clock
  readonly counters: SqsCounters
  /** Whether the task may have another lane. */
  readonly mayAdd: () => boolean
  /** Whether so many more messages have room, beside those that lanes are about to bring. */
  readonly hasRoom: (messages: number) => boolean
  /**
   * Messages of one answer, in order; [] when none came. Returns how many of them the task had not seen before. Also called after
   * `stop`: then they are to be given back.
   */
  readonly onMessages: (messages: readonly SqsMessage[]) => number
  /** A receive failed. All lanes end, until the next `start`. */
  readonly onFailure: (error: unknown) => void
}

/**
 * The receives of one queue. One long poll waits on an idle queue. An answer that is full adds a lane, as there is a backlog; one that
 * is less than half full ends its lane, unless it is the last one. No lane receives while there is no room.
 */
export class Lanes {
  readonly #options: LanesOptions
  #running = false
  /** Lanes, those that wait for room included. */
  #lanes = 0
  /** Messages that receives under way may bring. */
  #expected = 0
  /** Wakes the lanes that wait for room. */
  #wake = Promise.withResolvers<void>()
  /** Ends the pauses between receives that bring nothing. */
  #ended = Promise.withResolvers<void>()
  /** Answers in a row that brought messages, and none that was new. */
  #known = 0
  readonly #requests = new Set<Promise<void>>()
  /** Ends receives whose answers can be asked for again. */
  readonly #giveUp = new AbortController()
  /** The first receive since the last start, until it is answered. */
  #first: Promise<void> | null = null
  /** Once: the lanes will not start again. */
  #released = false

  constructor(options: LanesOptions) {
    this.#options = options
    // One listener for each receive under way.
    setMaxListeners(0, this.#giveUp.signal)
  }

  get running(): boolean {
    return this.#running
  }

  get lanes(): number {
    return this.#lanes
  }

  get expected(): number {
    return this.#expected
  }

  /** Begins to receive. The first receive does not wait for messages: resolves when SQS has answered it, rejects with its error. */
  async start(): Promise<void> {
    // A connect that was given up has begun already.
    if (this.#running) return this.#first ?? undefined
    this.#running = true
    // A lane whose answer was still out at the last stop goes on, so that a pause does not add lanes.
    if (this.#lanes > 0 || this.#released) return
    this.#lanes++
    const first = Promise.withResolvers<void>()
    this.#first = first.promise
    void this.#lane(first)
    try {
      await first.promise
    } finally {
      this.#first = null
    }
  }

  /** Receives nothing more. What receives under way bring is still passed on. */
  stop(): void {
    this.#running = false
    this.#ended.resolve()
    this.#ended = Promise.withResolvers()
    this.wake()
  }

  /** There may be room again. */
  wake(): void {
    const { resolve } = this.#wake
    this.#wake = Promise.withResolvers()
    resolve()
  }

  /**
   * The end: `stop`, then what receives under way bring. SQS may have handed out messages that are still on their way, so their answers
   * are awaited; only with an id does SQS repeat the answer to a receive that was given up, and that is asked for at once. Resolves
   * when nothing more will come.
   */
  async release(): Promise<void> {
    this.#released = true
    this.stop()
    if (this.#repeats) this.#giveUp.abort(new Error('the lanes end'))
    await Promise.all(this.#requests)
  }

  /** Whether SQS takes ids of receives: a standard queue does not, although settings may say that it is read as a FIFO queue. */
  get #repeats(): boolean {
    return this.#options.queue.name.endsWith('.fifo')
  }

  async #lane(first: PromiseWithResolvers<void> | null): Promise<void> {
    const { options, hasRoom, mayAdd, onFailure } = this.#options
    const { maxMessages, waitSeconds } = options
    let probe = first
    try {
      while (this.#running) {
        if (!hasRoom(this.#expected + maxMessages)) {
          probe?.resolve()
          probe = null
          if (this.#lanes > 1) break
          await this.#wake.promise
          continue
        }
        const wait = this.#lanes > 1 ? Math.min(EXTRA_WAIT_SECONDS, waitSeconds) : waitSeconds
        const startedAt = this.#options.clock.monotonic()
        const { count, fresh } = await this.#tracked(probe === null ? wait : 0)
        const probed = probe !== null
        probe?.resolve()
        probe = null
        if (!this.#running) break
        if (count === maxMessages && mayAdd() && hasRoom(this.#expected + 2 * maxMessages)) {
          this.#lanes++
          void this.#lane(null)
        }
        if (count * 2 < maxMessages && this.#lanes > 1) break
        this.#known = fresh > 0 || count === 0 ? 0 : this.#known + 1
        if (fresh === 0 && !probed) await this.#pause(startedAt)
      }
    } catch (error) {
      this.#running = false
      this.wake()
      if (probe !== null) probe.reject(error)
      else if (!this.#released) onFailure(error)
    }
    probe?.resolve()
    this.#lanes--
    // A stop and a start may have come while this lane, the last one, was about to end.
    if (this.#lanes === 0 && this.#running) {
      this.#lanes++
      void this.#lane(null)
    }
  }

  /** Receives once, and passes the messages on. Returns their number, and that of the new ones. */
  async #tracked(waitSeconds: number): Promise<Answered> {
    const request = this.#receive(waitSeconds)
    const settled = request.then(nothing, nothing)
    this.#requests.add(settled)
    try {
      return await request
    } finally {
      this.#requests.delete(settled)
    }
  }

  async #receive(waitSeconds: number): Promise<Answered> {
    const { signal } = this.#giveUp
    const { api, queue, options, counters, onMessages } = this.#options
    const { maxMessages, visibilitySeconds } = options
    const request = {
      maxMessages,
      waitSeconds,
      visibilitySeconds,
      ...(this.#repeats ? { attemptId: randomUUID() } : {}),
    }
    counters.receives++
    this.#expected += maxMessages
    let messages: SqsMessage[]
    try {
      messages = await api.receive(queue, request, signal)
    } catch (error) {
      if (!signal.aborted) throw error
      messages = await api.receive(queue, { ...request, waitSeconds: 0 }, NEVER)
    } finally {
      this.#expected -= maxMessages
    }
    if (messages.length === 0) counters.emptyReceives++
    return { count: messages.length, fresh: onMessages(messages) }
  }

  /**
   * Waits out `poll.interval.ms` after a receive that brought nothing, since short polls would follow each other without a pause. The
   * wait doubles while a mirrored queue shows nothing but messages that were returned to it.
   */
  async #pause(startedAt: number): Promise<void> {
    const { clock, options } = this.#options
    const intervalMs = this.#known === 0 ? options.pollIntervalMs : Math.min(KNOWN_MAX_MS, KNOWN_MS * 2 ** this.#known)
    const restMs = startedAt + intervalMs - clock.monotonic()
    if (restMs <= 0) return
    const ended = new AbortController()
    await Promise.race([clock.sleep(restMs, ended.signal).catch(() => {}), this.#ended.promise])
    ended.abort()
  }
}
