import { Alarm, backoffMs } from '@tributary/async'
import { type ConnectError, errorKind, type SourcePartition, type TaskContext } from '@tributary/connect-api'
import { isGone } from './aws/failure.ts'
import { sqsErrors, textOf } from './errors.ts'
import { DeliveredIds } from './fifo/delivered-ids.ts'
import type { Queue, SqsMessage } from './message.ts'
import { type Conversions, sizeOf } from './prepare/conversions.ts'
import { Preparer } from './prepare/preparer.ts'
import { Lanes } from './receive/lanes.ts'
import type { Room } from './receive/room.ts'
import type { Delivery, DeliveryState } from './settle/delivery.ts'
import { Settler } from './settle/settler.ts'
import type { Place, SqsTaskParts } from './task-parts.ts'

/** Waits before the next try to receive from a queue that failed while others of the task go on, in ms. */
const RETRY = { baseMs: 1000, maxMs: 60_000 }
/** Messages whose delete SQS has not answered: lanes wait while there are more. */
const MAX_UNDELETED = 5000
/** Ids that a mirror remembers: about 64 bytes each. */
const MIRROR_IDS = 100_000

export interface QueueReaderOptions {
  readonly queue: Queue
  readonly parts: SqsTaskParts
  readonly context: TaskContext
  /** Aborts when the task has ended for good: all requests end. */
  readonly signal: AbortSignal
  readonly room: Room
  readonly conversions: Conversions
  /** In s: that of the settings, or the queue's own. */
  readonly visibilitySeconds: number
  /** Whether the task may have another lane. */
  readonly mayAddLane: () => boolean
  /** Messages of the queue that may wait in the task: its share of the room. */
  readonly share: () => number
  /** These can be polled. */
  readonly onReady: (deliveries: Delivery[]) => void
  /** The queue cannot be read at present, or it can again. */
  readonly onChange: () => void
  /** The task cannot go on. */
  readonly onFailure: (error: unknown) => void
}

/** Reads one queue: receives, converts, and settles its messages. */
export class QueueReader {
  readonly queue: Queue
  readonly settler: Settler
  /** Why the queue cannot be read at present; null: it can. */
  failure: ConnectError | null = null
  /** Messages of the queue in the room of the task. */
  #waiting = 0
  readonly #options: QueueReaderOptions
  readonly #lanes: Lanes
  readonly #preparer: Preparer
  readonly #ids: DeliveredIds | null
  readonly #retry: Alarm
  readonly #partition: SourcePartition
  #failures = 0
  #paused = false
  #ended = false
  /** Resolves once the task holds no message of the queue; null: nobody waits for that. */
  #empty: PromiseWithResolvers<void> | null = null

  constructor(options: QueueReaderOptions) {
    const { queue, parts, context, signal, visibilitySeconds } = options
    const { api, counters } = parts
    const settings = { ...parts.options, visibilitySeconds }
    const { clock, log } = context
    this.queue = queue
    this.#options = options
    this.#partition = { queue_url: queue.written ?? queue.url }
    const mirror = settings.mode === 'mirror'
    this.#ids =
      mirror || (queue.fifo && settings.deduplicate)
        ? new DeliveredIds({
            queue,
            windowMs: settings.deduplicationWindowMs,
            visibilityMs: visibilitySeconds * 1000,
            capacity: mirror ? MIRROR_IDS : Infinity,
            clock,
            offsets: context.offsets?.() ?? [],
            removeOffsets: (partitions) => context.removeOffsets?.(partitions),
          })
        : null
    this.settler = new Settler({
      api,
      queue,
      options: settings,
      clock,
      log,
      counters,
      signal,
      onSettled: (delivery) => {
        this.#ids?.deleted(delivery.id)
        if (this.settler.undeleted < MAX_UNDELETED) this.#lanes.wake()
        if (this.settler.held.size === 0) this.#empty?.resolve()
      },
      onLost: (delivery) => this.#lost(delivery),
      onFailure: (error) => {
        // The messages have gone with their queue.
        if (!this.#hasGone(error)) options.onFailure(error)
      },
    })
    this.#preparer = new Preparer({
      ...options,
      isDuplicate: (message) => this.#ids?.isDuplicate(message) ?? false,
      onReady: (deliveries) => this.#ready(deliveries),
      onDuplicate: (delivery) => this.#discard(delivery),
      onDelete: (delivery) => this.#delete(delivery),
      onReturn: (deliveries, seconds) => this.#giveBack(deliveries, seconds),
    })
    this.#retry = new Alarm(clock, () => void this.start().catch(() => {}))
    this.#lanes = new Lanes({
      api,
      queue,
      options: settings,
      clock,
      counters,
      mayAdd: options.mayAddLane,
      hasRoom: (messages) => this.#hasRoom(messages),
      onMessages: (messages) => this.#received(messages),
      onFailure: (error) => this.#failed(error),
    })
  }

  get lanes(): number {
    return this.#lanes.lanes
  }

  /** Begins to receive. Resolves when SQS has answered. Rejects with its error; the lanes then wait for the next call. */
  async start(): Promise<void> {
    if (this.#ended || this.#paused) return
    try {
      await this.#lanes.start()
    } catch (error) {
      throw this.#failed(error)
    }
    this.#failures = 0
    if (this.failure === null) return
    this.failure = null
    this.#options.onChange()
  }

  /** Tries to receive again after a while, since other queues of the task go on. */
  startLater(): void {
    this.#retry.set(this.#options.context.clock.monotonic() + backoffMs(this.#failures, RETRY))
  }

  /** Receives nothing more, and gives back what no poll has returned. Messages on their way to Kafka go on. */
  pause(): void {
    this.#paused = true
    this.#lanes.stop()
    this.#giveBackAll(['waiting', 'ready'])
  }

  resume(): void {
    this.#paused = false
  }

  /** There may be room again. */
  wake(): void {
    this.#lanes.wake()
  }

  /** Receives nothing more for good. What is ready may still be polled; what is not goes back. */
  drain(): void {
    this.#ended = true
    this.#retry.close()
    this.#lanes.stop()
    this.#giveBackAll(['waiting'])
  }

  /** The queue is another task's now, or gone: gives back what was not polled. Resolves when Kafka and SQS have the rest. */
  async leave(): Promise<void> {
    this.drain()
    this.#giveBackAll(['ready'])
    await this.#lanes.release()
    if (this.settler.held.size > 0) await (this.#empty = Promise.withResolvers()).promise
    await this.settler.flush()
  }

  /** Gives back all that Kafka does not have. Resolves when SQS has answered for all that the task held. */
  async release(): Promise<void> {
    this.drain()
    this.#giveBackAll(['ready', 'polled'])
    this.#preparer.close()
    await this.settler.flush()
  }

  /** Resolves when no receive is under way any more, and what the last ones brought is given back. */
  async receivesEnded(): Promise<void> {
    await this.#lanes.release()
    await this.settler.flush()
  }

  close(): void {
    this.settler.close()
  }

  /** A poll is about to return the message: null if it must not, as SQS may have shown it to others, or Kafka has it. */
  handOut(delivery: Delivery, now: number): Place | null {
    if (delivery.state !== 'ready') return null
    this.#leaveRoom(delivery)
    const message = delivery.message!
    if (now >= delivery.hiddenUntil) {
      this.settler.expired(delivery)
      return null
    }
    if (this.#ids === null) {
      delivery.state = 'polled'
      return { sourcePartition: this.#partition, sourceOffset: { message_id: delivery.id } }
    }
    if (this.#ids.isDuplicate(message)) {
      this.#discard(delivery)
      return null
    }
    delivery.state = 'polled'
    return this.#ids.place(message)
  }

  /** Kafka has the records of those of these messages that were polled. */
  delivered(deliveries: readonly Delivery[]): void {
    const polled = deliveries.every(isPolled) ? deliveries : deliveries.filter(isPolled)
    const { counters } = this.#options.parts
    const now = this.#options.context.clock.monotonic()
    counters.sent += polled.length
    for (const { receivedAt } of polled) counters.processing.observe(now - receivedAt)
    this.settler.delivered(polled)
  }

  sweep(): void {
    this.#ids?.sweep()
  }

  /** Sentences for health: what the queue's messages wait for. `connected`: false if health says already that nothing can be read. */
  cautions(connected: boolean): string[] {
    const { queue, settler } = this
    const cautions = this.#preparer.cautions()
    if (connected && this.failure !== null)
      cautions.unshift(`Queue ${queue.name} cannot be read: ${textOf(this.failure)}.`)
    if (settler.refusal !== null) {
      const why = textOf(settler.refusal)
      cautions.push(`The visibility timeout of messages of queue ${queue.name} cannot be extended: ${why}.`)
    }
    return cautions
  }

  #hasRoom(messages: number): boolean {
    const { room, share } = this.#options
    if (room.full || this.settler.undeleted >= MAX_UNDELETED) return false
    return this.#waiting + messages <= share() || this.#waiting + this.#lanes.expected === 0
  }

  #received(messages: readonly SqsMessage[]): number {
    const { room, context } = this.#options
    if (messages.length === 0) {
      this.#ids?.empty()
      return 0
    }
    const { stats, clock } = context
    const fresh = this.settler.received(messages)
    if (this.#ended || this.#paused) {
      this.settler.giveBack(fresh, 0)
      return fresh.length
    }
    let bytes = 0
    for (const delivery of fresh) {
      delivery.inRoom = true
      bytes += delivery.bytes
    }
    this.#waiting += fresh.length
    room.add(fresh.length, bytes)
    stats.messagesReceived += fresh.length
    stats.bytesReceived += bytes
    stats.lastMessageAt = clock.now()
    const before = this.#options.parts.counters.deduplicated
    this.#preparer.prepare(fresh)
    room.count()
    return fresh.length - (this.#options.parts.counters.deduplicated - before)
  }

  /** A receive failed. Returns what it means for the task: a queue that may go is only unreadable until the next look at the queues. */
  #failed(error: unknown): unknown {
    this.#failures++
    const meant = this.#hasGone(error) ? sqsErrors.SQS_UNREADABLE(textOf(error), { cause: error }) : error
    if (errorKind(meant) === 'retriable') {
      this.failure = meant as ConnectError
      this.#options.onChange()
    } else this.#options.onFailure(meant)
    return meant
  }

  #hasGone(error: unknown): boolean {
    return isGone(error) && this.#options.parts.queues.mayGo(this.queue.url)
  }

  #ready(deliveries: Delivery[]): void {
    for (const delivery of deliveries) this.#resize(delivery)
    this.#options.room.count()
    this.#options.onReady(deliveries)
  }

  /** Kafka has the message already, or has another one with its deduplication id. */
  #discard(delivery: Delivery): void {
    this.#options.parts.counters.deduplicated++
    this.#options.context.stats.duplicates++
    this.#delete(delivery)
  }

  #delete(delivery: Delivery): void {
    this.#leaveRoom(delivery)
    this.settler.delivered([delivery])
  }

  /** SQS shows the message to others, and with it the later ones of its group: they come again, in order. */
  #lost(delivery: Delivery): void {
    this.#leaveRoom(delivery)
    this.#preparer.forget([delivery])
    if (delivery.group === null) return
    const later = [...this.settler.held.values()].filter(
      ({ group, receivedAt, state }) =>
        group === delivery.group && receivedAt >= delivery.receivedAt && (state === 'waiting' || state === 'ready'),
    )
    this.#giveBack(later, 0)
  }

  #giveBackAll(states: readonly DeliveryState[]): void {
    const held = [...this.settler.held.values()].filter(({ state }) => states.includes(state))
    this.#giveBack(held, 0)
  }

  #giveBack(deliveries: readonly Delivery[], visibilitySeconds: number): void {
    for (const delivery of deliveries) this.#leaveRoom(delivery)
    this.#preparer.forget(deliveries)
    this.settler.giveBack(deliveries, visibilitySeconds)
  }

  #leaveRoom(delivery: Delivery): void {
    if (!delivery.inRoom) return
    delivery.inRoom = false
    this.#waiting--
    const { room } = this.#options
    room.add(-1, -delivery.bytes)
    room.readyBytes -= delivery.readyBytes
    delivery.readyBytes = 0
  }

  /** A converted value may be much larger than the message: inflated, or fetched from S3. */
  #resize(delivery: Delivery): void {
    const bytes = (delivery.converted && sizeOf(delivery.converted)) ?? delivery.bytes
    const { room } = this.#options
    if (delivery.inRoom) {
      room.add(0, bytes - delivery.bytes)
      room.readyBytes += bytes
      delivery.readyBytes = bytes
    }
    delivery.bytes = bytes
  }
}

const isPolled = ({ state }: Delivery): boolean => state === 'polled'
