import { inFlightCost, type MemoryShare, QueueMemory } from '@tributary/connect-api'

export interface RoomOptions {
  /** Most messages, and most bytes of messages, that wait in the task. */
  readonly maxRecords: number
  readonly maxBytes: number
  readonly memory: MemoryShare
  /** There may be room again. */
  readonly onRoom: () => void
}

/** What waits in a task: the messages that were received and that no poll has returned yet. */
export class Room {
  readonly maxRecords: number
  readonly #options: RoomOptions
  readonly #memory: QueueMemory
  size = 0
  bytes = 0
  /** Of `bytes`, those of messages that are converted. The next polls free them, whatever else waits. */
  readyBytes = 0

  constructor(options: RoomOptions) {
    this.maxRecords = options.maxRecords
    this.#options = options
    // QueueMemory asks for what the messages are at the moment.
    this.#memory = new QueueMemory(this, options.memory, inFlightCost, () => {}, options.onRoom)
  }

  /** Objects in memory: one for each message. */
  get items(): number {
    return this.size
  }

  /** No lane may receive, whichever its queue. */
  get full(): boolean {
    return this.bytes >= this.#options.maxBytes || this.size >= this.maxRecords || this.#memory.waiting
  }

  /** Whether converted messages of so many more bytes have room. Without a converted one they always have, so that polls go on. */
  hasRoomFor(convertedBytes: number): boolean {
    const bytes = this.readyBytes + convertedBytes
    return bytes === 0 || (bytes < this.#options.maxBytes && !this.#memory.waiting)
  }

  /** Messages have joined or left. Call `count` once after those of one receive or one poll. */
  add(messages: number, bytes: number): void {
    this.size += messages
    this.bytes += bytes
  }

  count(): void {
    this.#memory.count()
  }

  /** How many messages the poll that begins may return, at most `max`. */
  polls(max: number): number {
    return this.#memory.polls(max)
  }

  /** A poll returned messages, which `add` has taken out already. */
  polled(messages: number, bytes: number): void {
    this.#memory.polled(messages, bytes)
  }

  close(): void {
    this.#memory.close()
  }
}
