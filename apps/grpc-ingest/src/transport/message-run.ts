import { joinRuns, type PackedBytes } from '@tributary/connect-api'

/** Messages that lie in one buffer, in order, so that none of them needs an object of its own. */
export interface MessageRun extends PackedBytes {
  /** Number of messages (≥ 1). */
  readonly count: number
  /** Bytes of all messages. */
  readonly size: number
}

const SLAB_LENGTH = 4096
/** Longer bounds have an array of their own. */
const SHARED_LENGTH = 128
let slab = new Int32Array(SLAB_LENGTH)
let slabEnd = 0

/**
 * A copy of the first `length` bounds. Small ones share an array: one of more than 64 bytes is an allocation outside the heap of V8,
 * at six times the cost.
 */
export function copyBounds(bounds: Int32Array, length: number): Int32Array {
  if (length > SHARED_LENGTH) return bounds.slice(0, length)
  if (slabEnd + length > SLAB_LENGTH) {
    slab = new Int32Array(SLAB_LENGTH)
    slabEnd = 0
  }
  const copy = slab.subarray(slabEnd, (slabEnd += length))
  for (let i = 0; i < length; i++) copy[i] = bounds[i]!
  return copy
}

/** A run of one message. */
export function runOf(message: Buffer): MessageRun {
  return { bytes: message, bounds: Int32Array.of(0, message.length), count: 1, size: message.length }
}

/** Views of the messages. */
export function messagesIn({ bytes, bounds, count }: MessageRun): Buffer[] {
  return Array.from({ length: count }, (_, i) => bytes.subarray(bounds[2 * i], bounds[2 * i + 1]))
}

/** Runs of fewer bytes in all are copied together, as each becomes a pack of records with arrays of its own. */
const SMALL_BYTES = 64 * 1024

/** The same messages in one run, if they are few. */
export function joinSmall(runs: readonly MessageRun[]): readonly MessageRun[] {
  if (runs.length === 1) return runs
  let [size, length] = [0, 0]
  for (const run of runs) {
    size += run.size
    length += run.bounds[2 * run.count - 1]! - run.bounds[0]!
  }
  return length > SMALL_BYTES ? runs : [{ ...joinRuns(runs), size }]
}

/** The first `most` messages of a run, and the rest. */
export function splitRun(run: MessageRun, most: number): readonly [MessageRun, MessageRun] {
  const first = part(run, 0, most)
  return [first, { ...part(run, most, run.count), size: run.size - first.size }]
}

/** Each message as a run of its own. */
export function eachOf(run: MessageRun): MessageRun[] {
  return Array.from({ length: run.count }, (_, index) => part(run, index, index + 1))
}

function part({ bytes, bounds }: MessageRun, from: number, to: number): MessageRun {
  let size = 0
  for (let i = 2 * from; i < 2 * to; i += 2) size += bounds[i + 1]! - bounds[i]!
  return { bytes, bounds: bounds.subarray(2 * from, 2 * to), count: to - from, size }
}
