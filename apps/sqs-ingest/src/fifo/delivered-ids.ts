import { createHash } from 'node:crypto'
import type { OffsetEntry, SourcePartition } from '@tributary/connect-api'
import type { Clock } from '@tributary/async'
import type { Queue, SqsMessage } from '../message.ts'
import type { Place } from '../task-parts.ts'

/** Ids of one offset. More would make each write longer, fewer would make more offsets. */
const SLOT_IDS = 64
/** SQS itself takes no second message with the same deduplication id within five minutes of the first, so only a longer window needs the ids. */
const SQS_WINDOW_MS = 300_000
/** Shortest time in ms between two looks at what may be forgotten. */
const SWEEP_MS = 1000

export interface DeliveredIdsOptions {
  readonly queue: Queue
  readonly windowMs: number
  /** `sqs.visibility.timeout.seconds` in ms: a message that an earlier run held is visible again after it. */
  readonly visibilityMs: number
  /** Most ids that are kept, for messages that are never deleted (`sqs.mode=mirror`). Infinity: each until it is deleted, and the window is over. */
  readonly capacity: number
  readonly clock: Clock
  /** The committed offsets of the connector. */
  readonly offsets: readonly OffsetEntry[]
  /** Removes offsets: `TaskContext.removeOffsets`. */
  readonly removeOffsets: (partitions: readonly SourcePartition[]) => void
}

/** The ids of one source partition: those of up to 64 messages that were delivered one after the other. */
interface Slot {
  readonly partition: SourcePartition
  readonly ids: string[]
  readonly keys: string[]
  /** What the offset holds: the entries, with a blank between them. */
  text: string
  /** Messages whose DeleteMessage SQS has not answered. */
  undeleted: number
  /** When the last of them was deleted, or the slot was made; ms of the monotonic clock. */
  since: number
  /** From an earlier run: which of its messages were deleted is not known. */
  readonly restored: boolean
}

/**
 * The messages of a queue that Kafka has: what comes again is a duplicate. An id is kept until its DeleteMessage was answered plus the
 * window. The ids are the offsets of the queue: `{queue_url, delivered: n}` → `{message_ids}`, so that they are committed with the
 * records; with exactly once, in the same transaction.
 */
export class DeliveredIds {
  readonly #options: DeliveredIdsOptions
  readonly #slots = new Set<Slot>()
  readonly #byId = new Map<string, Slot>()
  /** When the message with a deduplication id was sent, in ms since the epoch. */
  readonly #sentAt = new Map<string, number>()
  readonly #byDeduplicationId: boolean
  /** Messages that an earlier run held are visible again from then on. */
  readonly #restoredVisibleAt: number
  /** The queue was seen empty since then: none of its messages is one of an earlier run. */
  #seenEmpty = false
  #next = 0
  #open: Slot | null = null
  #sweepAt = 0

  constructor(options: DeliveredIdsOptions) {
    const { queue, windowMs, visibilityMs, clock, offsets } = options
    this.#options = options
    this.#byDeduplicationId = queue.fifo && windowMs > SQS_WINDOW_MS
    this.#restoredVisibleAt = clock.monotonic() + visibilityMs
    // Earlier versions named the queue by its URL in any case.
    const own = offsets.filter(({ partition: { queue_url: of } }) => of === queue.written || of === queue.url)
    own.sort((a, b) => Number(a.partition['delivered']) - Number(b.partition['delivered']))
    for (const entry of own) this.#restore(entry)
  }

  /** Ids that are kept. */
  get size(): number {
    return this.#byId.size
  }

  /** Whether Kafka has the message, or another one with its deduplication id that was sent less than the window before or after. */
  isDuplicate(message: SqsMessage): boolean {
    if (this.#byId.has(message.id)) return true
    const key = this.#keyOf(message)
    const sentAt = key === null ? undefined : this.#sentAt.get(key)
    return sentAt !== undefined && Math.abs(sentOf(message) - sentAt) < this.#options.windowMs
  }

  /** The message is handed out: remembers its id. If its record does not get to Kafka, this run ends, and its memory with it. */
  place(message: SqsMessage): Place {
    const slot = this.#slot()
    const key = this.#keyOf(message)
    const entry = key === null ? message.id : `${message.id}/${key}/${sentOf(message)}`
    // Grows by appending, which costs no copy. So each record's offset covers the records up to this one and no later one.
    slot.text = slot.ids.length === 0 ? entry : `${slot.text} ${entry}`
    this.#remember(slot, entry)
    return { sourcePartition: slot.partition, sourceOffset: { message_ids: slot.text } }
  }

  /** SQS has answered the DeleteMessage of the message. */
  deleted(id: string): void {
    const slot = this.#byId.get(id)
    if (slot === undefined) return
    if (slot.undeleted > 0) slot.undeleted--
    slot.since = this.#options.clock.monotonic()
  }

  /** A receive brought nothing. */
  empty(): void {
    if (this.#options.clock.monotonic() >= this.#restoredVisibleAt) this.#seenEmpty = true
  }

  /** Forgets what cannot come again. Call it once a poll. */
  sweep(): void {
    const { clock, capacity, windowMs, removeOffsets } = this.#options
    const now = clock.monotonic()
    if (now < this.#sweepAt) return
    this.#sweepAt = now + SWEEP_MS
    const over: SourcePartition[] = []
    for (const slot of this.#slots) {
      const done = slot.undeleted === 0 || (slot.restored && this.#seenEmpty)
      const old = capacity === Infinity ? done && now - slot.since >= windowMs : this.#byId.size > capacity
      if (!old) continue
      over.push(slot.partition)
      this.#forget(slot)
    }
    if (over.length > 0) removeOffsets(over)
  }

  #slot(): Slot {
    const { queue, clock } = this.#options
    const now = clock.monotonic()
    if (this.#open !== null && this.#open.ids.length < SLOT_IDS && this.#slots.has(this.#open)) return this.#open
    const partition = { queue_url: queue.written ?? queue.url, delivered: this.#next++ }
    this.#open = { partition, ids: [], keys: [], text: '', undeleted: 0, since: now, restored: false }
    this.#slots.add(this.#open)
    return this.#open
  }

  #remember(slot: Slot, entry: string): void {
    const [id, key, sentAt] = entry.split('/') as [string, string?, string?]
    slot.ids.push(id)
    slot.undeleted++
    this.#byId.set(id, slot)
    if (key === undefined) return
    slot.keys.push(key)
    this.#sentAt.set(key, Number(sentAt))
  }

  #restore({ partition, offset }: OffsetEntry): void {
    const [number, text] = [partition['delivered'], offset?.['message_ids']]
    if (typeof text !== 'string' || (typeof number !== 'number' && typeof number !== 'bigint')) return
    this.#next = Math.max(this.#next, Number(number) + 1)
    const since = this.#restoredVisibleAt
    const slot: Slot = { partition, ids: [], keys: [], text, undeleted: 0, since, restored: true }
    for (const entry of text.split(' ')) if (entry !== '') this.#remember(slot, entry)
    this.#slots.add(slot)
  }

  #forget(slot: Slot): void {
    this.#slots.delete(slot)
    for (const id of slot.ids) if (this.#byId.get(id) === slot) this.#byId.delete(id)
    for (const key of slot.keys) this.#sentAt.delete(key)
  }

  #keyOf({ system }: SqsMessage): string | null {
    const deduplicationId = system['MessageDeduplicationId']
    if (!this.#byDeduplicationId || deduplicationId === undefined) return null
    const hash = createHash('sha256')
      .update(system['MessageGroupId'] ?? '')
      .update('\0')
      .update(deduplicationId)
    return hash.digest('base64url').slice(0, 22)
  }
}

function sentOf({ system }: SqsMessage): number {
  return Number(system['SentTimestamp'] ?? 0)
}
