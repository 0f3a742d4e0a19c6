import type { SourceOffset, SourcePartition } from '@tributary/connect-api'
import { type SequenceNumber, sequenceNumber, type SequenceTracker } from '@tributary/push-source'
import type { ConnectionInfo } from '../message/message.ts'

/** The offset of a record. `Sequences.endBatch` completes the last one of each stream. */
export interface StreamOffset {
  session_id: string
  sequence: number
  stream_sequence?: SequenceNumber
  stream_digests?: string
}

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
  /** Of the last record in the present batch; null: none. */
  lastOffset: StreamOffset | null
}

export interface StreamsOptions {
  /** Most streams to hold (≥ 2). */
  readonly max: number
  readonly create: (key: string | null) => Stream
  /** Called with the streams that are forgotten. */
  readonly onForgotten: (streams: readonly Stream[]) => void
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
    const forgotten = [...this.#old.values()]
    this.#old = this.#young
    this.#young = new Map()
    if (forgotten.length > 0) this.#options.onForgotten(forgotten)
    return stream
  }
}

export type OffsetOf = (partition: SourcePartition) => SourceOffset | null

/** The last number of a stream, and the digests of its latest messages; null and '' for a new stream. */
export interface LastNumber {
  readonly last: SequenceNumber | null
  readonly digests: string
}

const NONE: ReadonlyMap<string | null, LastNumber> = new Map()

/** The last sequence number of each stream when the predecessor ended. */
export class RestoredNumbers {
  #offset: OffsetOf
  #handedOver = NONE

  /** `offset` returns the last committed offset of a source partition, looked up by value. */
  constructor(offset: OffsetOf) {
    this.#offset = offset
  }

  /** `handedOver`: last numbers from the hand-over state; they are never older than the offsets. */
  replace(offset: OffsetOf, handedOver: ReadonlyMap<string | null, LastNumber>): void {
    this.#offset = offset
    this.#handedOver = handedOver
  }

  of(key: string | null, partition: SourcePartition): LastNumber {
    const offset = this.#offset(partition)
    const digests = offset?.['stream_digests']
    const committed = {
      last: sequenceNumber(offset?.['stream_sequence']),
      digests: typeof digests === 'string' ? digests : '',
    }
    const handedOver = this.#handedOver.get(key)
    if (handedOver === undefined || (handedOver.digests === '' && handedOver.last === committed.last)) return committed
    return handedOver
  }

  /** Treats every stream as new from now on. */
  forget(): void {
    this.#offset = () => null
    this.#handedOver = NONE
  }
}
