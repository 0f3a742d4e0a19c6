import type { Delivery } from '../settle/delivery.ts'
import type { Conversion, ConvertedMessage } from '../task-parts.ts'

/** Conversions under way at a time that wait for another system, such as S3. */
const MAX_WAITING = 16

/** Gets the outcome of a conversion: `error` is undefined if the message was converted. */
export type OnConverted = (delivery: Delivery, converted: ConvertedMessage | null, error?: unknown) => void

/** Converts messages. Those that need no other system are converted at once; of the others, sixteen at a time. */
export class Conversions {
  readonly #converter: Conversion
  readonly #signal: AbortSignal
  readonly #queue: [Delivery, OnConverted][] = []
  #active = 0

  constructor(converter: Conversion, signal: AbortSignal) {
    this.#converter = converter
    this.#signal = signal
  }

  /** Calls `onConverted` once; at once, if the conversion waits for nothing. */
  convert(delivery: Delivery, onConverted: OnConverted): void {
    if (this.#active >= MAX_WAITING) {
      this.#queue.push([delivery, onConverted])
      return
    }
    // Given back in the meantime.
    if (delivery.message === null || delivery.state !== 'waiting') return onConverted(delivery, null)
    let converted: ConvertedMessage | Promise<ConvertedMessage>
    try {
      converted = this.#converter.convert(delivery.message, this.#signal)
    } catch (error) {
      onConverted(delivery, null, error)
      return
    }
    if (converted instanceof Promise) void this.#wait(delivery, converted, onConverted)
    else onConverted(delivery, converted)
  }

  async #wait(delivery: Delivery, conversion: Promise<ConvertedMessage>, onConverted: OnConverted): Promise<void> {
    this.#active++
    let converted: ConvertedMessage | null = null
    let error: unknown
    try {
      converted = await conversion
    } catch (cause) {
      error = cause
    }
    this.#active--
    onConverted(delivery, converted, error)
    const next = this.#queue.shift()
    if (next !== undefined) this.convert(...next)
  }
}
