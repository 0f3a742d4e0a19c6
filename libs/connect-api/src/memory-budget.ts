import { AsyncResource } from 'node:async_hooks'

/** ms from memory that became free to the look at the shares that wait for it. One look serves all of them. */
const LOOK_MS = 10

/**
 * Bytes that a message in a queue takes besides its own: the objects around it. Measured with messages of WebSocket and gRPC; see
 * docs/decisions/53-memory-budget.md.
 */
const QUEUED_OVERHEAD_BYTES = 256
/** The same for a record on its way to Kafka, with its key, offset and encoded form. */
const RECORD_OVERHEAD_BYTES = 1024
/** The same for a record of a pack: its bounds, and what the producer adds to it in the request. */
const PACKED_OVERHEAD_BYTES = 64
/** A record's bytes exist as the message, as the encoded value, and in the request. */
const RECORD_COPIES = 3

/** What messages in a queue cost of the budget, from their number and the bytes of their content. */
export function queuedCost(messages: number, bytes: number): number {
  return messages * QUEUED_OVERHEAD_BYTES + bytes
}

/** What records cost of the budget from poll to acknowledgement. */
export function inFlightCost(records: number, bytes: number): number {
  return records * RECORD_OVERHEAD_BYTES + bytes * RECORD_COPIES
}

/** The same for records of packs. */
export function packedCost(records: number, bytes: number): number {
  return records * PACKED_OVERHEAD_BYTES + bytes * RECORD_COPIES
}

/**
 * The parts of a task that keep messages in memory: the queue of its source; the messages of the last poll, which the runtime sets
 * to 0 once it counts their records; the records from conversion to acknowledgement.
 */
type Part = 'queue' | 'polled' | 'inFlight'

/**
 * The memory of a process for messages that wait for Kafka, divided among the tasks. A share may have as many bytes as are free
 * (Choudhury and Hahne, "Dynamic Queue Length Thresholds for Shared-Memory Packet Switches", 1998, with α = 1). So a single loud
 * task has half of the budget at most, n loud tasks have limit / (n + 1) each, and as much stays free: a quiet task gets half of
 * that at once. A share exceeds what it may have at most by what one read of its transport delivers.
 */
export class MemoryBudget {
  /** Bytes; Infinity: no bound. */
  readonly limit: number
  readonly #shares = new Set<MemoryShare>()
  readonly #waiting = new Set<MemoryShare>()
  #used = 0
  #look: NodeJS.Timeout | null = null

  constructor(limitBytes: number) {
    this.limit = limitBytes
  }

  /** Bytes that all shares have at present. */
  get used(): number {
    return this.#used
  }

  /** Bytes that each task could have if all had the same. */
  get fairShare(): number {
    return this.limit / Math.max(1, this.#shares.size)
  }

  /** The share of one run of a task. */
  share(): MemoryShare {
    const share = new MemoryShare(this, {
      changed: (by) => {
        this.#used += by
        if (by < 0 && this.#waiting.size > 0) this.#lookSoon()
      },
      waits: () => this.#waiting.add(share),
      closed: () => {
        this.#shares.delete(share)
        this.#waiting.delete(share)
      },
    })
    this.#shares.add(share)
    return share
  }

  #lookSoon(): void {
    this.#look ??= setTimeout(() => {
      this.#look = null
      for (const share of this.#waiting) if (share.goOn()) this.#waiting.delete(share)
    }, LOOK_MS).unref()
  }
}

interface Owner {
  changed(by: number): void
  waits(): void
  closed(): void
}

/** What one run of a task has of the memory budget of its process. Its parts say their bytes once a batch, or once a read. */
export class MemoryShare {
  readonly budget: MemoryBudget
  readonly #owner: Owner
  readonly #bytes: Record<Part, number> = { queue: 0, polled: 0, inFlight: 0 }
  #onSpace: (() => void) | null = null
  #closed = false

  constructor(budget: MemoryBudget, owner: Owner) {
    this.budget = budget
    this.#owner = owner
  }

  /** Bytes of all parts. */
  get used(): number {
    return this.#bytes.queue + this.#bytes.polled + this.#bytes.inFlight
  }

  /** Bytes that the share may have at present; 0 or less: nothing. */
  get allowed(): number {
    return this.budget.limit - this.budget.used
  }

  /** The share has more than it may. Its task must take nothing more until `onSpace`; see `waitForSpace`. */
  get exceeded(): boolean {
    return this.used > 0 && this.used > this.allowed
  }

  /** The queue has more than half of what it may. */
  get queuePressed(): boolean {
    const { queue, polled, inFlight } = this.#bytes
    return queue > 0 && queue * 2 > this.allowed - polled - inFlight
  }

  /** Whether the task waits for memory. */
  get waiting(): boolean {
    return this.#onSpace !== null
  }

  /** Says how many bytes a part has now. */
  set(part: Part, bytes: number): void {
    const by = bytes - this.#bytes[part]
    if (by === 0 || this.#closed) return
    this.#bytes[part] = bytes
    this.#owner.changed(by)
    if (by < 0) this.goOn()
  }

  /** Calls `onSpace` once the share has half of what it may, or nothing at all: with nothing a task may always go on. */
  waitForSpace(onSpace: () => void): void {
    // Another task may free the memory. The callback belongs to this one all the same.
    this.#onSpace = AsyncResource.bind(onSpace)
    this.#owner.waits()
  }

  /** Ends the wait if there is space. Returns whether the share does not wait now. */
  goOn(): boolean {
    const onSpace = this.#onSpace
    if (onSpace === null) return true
    if (this.used > 0 && this.used * 2 > this.allowed) return false
    this.#onSpace = null
    onSpace()
    return true
  }

  /** Gives the memory back, at the end of the run. */
  close(): void {
    this.#onSpace = null
    this.set('queue', 0)
    this.set('polled', 0)
    this.set('inFlight', 0)
    this.#closed = true
    this.#owner.closed()
  }
}
