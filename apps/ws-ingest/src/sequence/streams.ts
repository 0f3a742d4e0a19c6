import type { SourcePartition } from '@tributary/connect-api'
import type { SequenceTracker } from '@tributary/push-source'
import type { ConnectionInfo } from '../frame.ts'

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
