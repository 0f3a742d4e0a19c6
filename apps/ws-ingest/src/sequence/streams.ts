import type { SourceOffset, SourcePartition } from '@tributary/connect-api'
import { type SequenceNumber, sequenceNumber, type SequenceTracker } from '@tributary/push-source'
import type { ConnectionInfo } from '../message/message.ts'

/** One numbered stream of a feed. */
export interface Stream {
  /** null where there is only one, and for messages that name none. */
  readonly key: string | null
  readonly partition: SourcePartition
  readonly tracker: SequenceTracker
  /** The connection that its last message came by; null before the first. */
  connection: ConnectionInfo | null
  /** It may be far behind what the run before had, whose connection was there at the same time. */
  overlapping: boolean
}

export interface StreamsOptions {
  /** Streams held at most (≥ 2). */
  readonly max: number
  readonly create: (key: string | null) => Stream
  /** Called when streams are forgotten, with how many. */
  readonly onForgotten: (count: number) => void
}

/**
 * The streams of a feed, at most `max`. Two generations: a stream that is asked for moves to the younger; when that holds
 * `max / 2` the older is dropped whole, so that those that were silent for longest go.
 */
export class Streams {
  readonly #options: StreamsOptions
  #young = new Map<string | null, Stream>()
  #old = new Map<string | null, Stream>()

  constructor(options: StreamsOptions) {
    this.#options = options
  }

  /** The stream, made when it is not there. */
  get(key: string | null): Stream {
    return this.#young.get(key) ?? this.#rejuvenated(key)
  }

  /** The stream, null when it is not there. */
  find(key: string | null): Stream | null {
    return this.#young.get(key) ?? this.#old.get(key) ?? null
  }

  /** Those that were asked for latest come last. */
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

const NOTHING: ReadonlyMap<string | null, SequenceNumber> = new Map()

/** Where streams stood when the run before this one ended. */
export class KnownNumbers {
  #offset: OffsetOf
  #told = NOTHING

  /** `offset`: the last committed one of a source partition, looked up by value. */
  constructor(offset: OffsetOf) {
    this.#offset = offset
  }

  /** `told`: last numbers as the former run itself tells them; they are as late as its offsets, or later. */
  renew(offset: OffsetOf, told: ReadonlyMap<string | null, SequenceNumber>): void {
    this.#offset = offset
    this.#told = told
  }

  /** The last number of a stream; null: it is new. */
  lastOf(key: string | null, partition: SourcePartition): SequenceNumber | null {
    return this.#told.get(key) ?? sequenceNumber(this.#offset(partition)?.['stream_sequence'])
  }

  /** Every stream is new from now on. */
  forget(): void {
    this.#offset = () => null
    this.#told = NOTHING
  }
}
