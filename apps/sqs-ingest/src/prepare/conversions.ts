import type { Delivery } from '../settle/delivery.ts'
import type { Conversion, ConvertedMessage } from '../task-parts.ts'

/** Gets the outcome of a conversion: `error` is undefined if the message was converted. */
export type OnConverted = (delivery: Delivery, converted: ConvertedMessage | null, error?: unknown) => void

export interface ConversionsOptions {
  readonly converter: Conversion
  readonly signal: AbortSignal
  /** Most conversions under way at a time that wait for another system, such as S3 (≥ 1). */
  readonly maxUnderWay: number
  /** Whether results of so many more bytes have room. */
  readonly hasRoom: (bytes: number) => boolean
}

/**
 * Converts messages. Those that need no other system are converted at once; of the others, `maxUnderWay` at a time. A result may be
 * a thousand times as large as its message, so messages wait here while there is no room for results.
 */
export class Conversions {
  readonly #options: ConversionsOptions
  readonly #queue: [Delivery, OnConverted][] = []
  #active = 0
  /** Of the last result: each conversion under way is taken to bring as much. */
  #lastBytes = 0

  constructor(options: ConversionsOptions) {
    this.#options = options
  }

  /** Calls `onConverted` once; at once, if the conversion waits for nothing. */
  convert(delivery: Delivery, onConverted: OnConverted): void {
    if (this.#full) this.#queue.push([delivery, onConverted])
    else this.#begin(delivery, onConverted)
  }

  /** There may be room again. */
  wake(): void {
    while (this.#queue.length > 0 && !this.#full) this.#begin(...this.#queue.shift()!)
  }

  get #full(): boolean {
    const { maxUnderWay, hasRoom } = this.#options
    return this.#active >= maxUnderWay || !hasRoom(this.#active * this.#lastBytes)
  }

  #begin(delivery: Delivery, onConverted: OnConverted): void {
    // Given back in the meantime.
    if (delivery.message === null || delivery.state !== 'waiting') return onConverted(delivery, null)
    let converted: ConvertedMessage | Promise<ConvertedMessage>
    try {
      converted = this.#options.converter.convert(delivery.message, this.#options.signal)
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
      this.#lastBytes = sizeOf(converted) ?? delivery.bytes
    } catch (cause) {
      error = cause
    }
    this.#active--
    onConverted(delivery, converted, error)
    this.wake()
  }
}

/** Bytes of text or bytes, about; null for any other value. */
export function sizeOf({ value }: ConvertedMessage): number | null {
  return typeof value === 'string' || value instanceof Uint8Array ? value.length : null
}
