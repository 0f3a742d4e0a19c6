import type { Delivery } from '../settle/delivery.ts'

/**
 * The message groups of a FIFO queue whose messages are being converted. In each group one message at a time is converted, and the
 * later ones wait for its outcome, so that the order within the group stays. Groups do not wait for each other.
 */
export class Groups {
  /** By group, the messages in order. The first is being converted, or waits to be tried again. */
  readonly #waiting = new Map<string, Delivery[]>()

  /** Messages behind the first ones of their groups. */
  get parked(): number {
    let parked = 0
    for (const messages of this.#waiting.values()) parked += messages.length - 1
    return parked
  }

  /** Whether the message may be converted now. If not, `next` returns it once it is its turn. */
  enter(delivery: Delivery): boolean {
    const waiting = this.#waiting.get(delivery.group!)
    if (waiting === undefined) {
      this.#waiting.set(delivery.group!, [delivery])
      return true
    }
    waiting.push(delivery)
    return false
  }

  /** The first message of its group is converted, or a dead letter: returns the next one to convert, null if there is none. */
  next(done: Delivery): Delivery | null {
    const waiting = this.#waiting.get(done.group!)
    if (waiting === undefined || waiting[0] !== done) return null
    waiting.shift()
    if (waiting[0] !== undefined) return waiting[0]
    this.#waiting.delete(done.group!)
    return null
  }

  /** The message goes back to its queue: the later ones of its group go with it, and are returned, in order. */
  leave(delivery: Delivery): Delivery[] {
    const waiting = this.#waiting.get(delivery.group!)
    const at = waiting?.indexOf(delivery) ?? -1
    if (waiting === undefined || at < 0) return []
    const later = waiting.splice(at).slice(1)
    if (waiting.length === 0) this.#waiting.delete(delivery.group!)
    return later
  }

  clear(): void {
    this.#waiting.clear()
  }
}
