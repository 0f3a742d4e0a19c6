import type { SourceOffset, SourcePartition } from '@tributary/connect-api'
import { type SequenceNumber, sequenceNumber, type SequenceTracker } from '@tributary/push-source'
import type { ConnectionInfo } from '../message/message.ts'

/** One numbered stream of a feed. */
export interface Stream {
  /** null if the feed has only one stream, and for messages that name no stream. */
  readonly key: string | null
  readonly partition: SourcePartition
  readonly tracker: SequenceTracker
  /** Connection of the last message; null before the first message. */
  connection: ConnectionInfo | null
  /** The stream may lag far behind the predecessor, which was connected at the same time. */
  overlapping: boolean
}

export interface StreamsOptions {
  /** Most streams to hold (≥ 2). */
  readonly max: number
  readonly create: (key: string | null) => Stream
  /** Called with the number of streams forgotten. */
  readonly onForgotten: (count: number) => void
}

/**
 * The streams of a feed, at most `max`, in two generations. A stream in use moves to the young generation. When the
 * young generation holds `max / 2` streams, the old one is dropped, so that the streams that were silent longest are
 * forgotten.
 */
export class Streams {
  readonly #options: StreamsOptions
  #young = new Map<string | null, Stream>()
  #old = new Map<string | null, Stream>()

  constructor(options: StreamsOptions) {
    this.#options = options
  }

  /** The stream; created if absent. */
  get(key: string | null): Stream {
    return this.#young.get(key) ?? this.#rejuvenated(key)
  }

  /** The stream; null if absent. */
  find(key: string | null): Stream | null {
    return this.#young.get(key) ?? this.#old.get(key) ?? null
  }

  /** All streams; the most recently used ones come last. */
  *all(): Generator<Stream> {
    yield* this.#old.values()
    yield* this.#young.values()
  }

  #rejuvenated(key: string | null): Stream {
    const stream = this.#old.get(key) ?? this.#options.create(key)
    this.#old.delete(key)
    this.#young.set(key, stream)
    if (this.#young.size * 2 < this.#options.max) return stream
    const forgotten = this.#old.size
    this.#old = this.#young
    this.#young = new Map()
    if (forgotten > 0) this.#options.onForgotten(forgotten)
    return stream
  }
}

export type OffsetOf = (partition: SourcePartition) => SourceOffset | null

const NONE: ReadonlyMap<string | null, SequenceNumber> = new Map()

/** The last sequence number of each stream when the predecessor ended. */
export class RestoredNumbers {
  #offset: OffsetOf
  #handedOver = NONE

  /** `offset` returns the last committed offset of a source partition, looked up by value. */
  constructor(offset: OffsetOf) {
    this.#offset = offset
  }

  /** `handedOver`: last numbers from the hand-over state; they are never older than the offsets. */
  replace(offset: OffsetOf, handedOver: ReadonlyMap<string | null, SequenceNumber>): void {
    this.#offset = offset
    this.#handedOver = handedOver
  }

  /** The last number of a stream; null for a new stream. */
  lastOf(key: string | null, partition: SourcePartition): SequenceNumber | null {
    return this.#handedOver.get(key) ?? sequenceNumber(this.#offset(partition)?.['stream_sequence'])
  }

  /** Treats every stream as new from now on. */
  forget(): void {
    this.#offset = () => null
    this.#handedOver = NONE
  }
}
