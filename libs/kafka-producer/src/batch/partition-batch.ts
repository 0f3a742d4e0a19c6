import type { PendingSend } from './pending-send.ts'
import type { ProducerRecord } from '../api/types.ts'
import type { ProducerIdentity } from '../wire/wire.ts'

/** Consecutive records of one `send` for the same partition: `send.records[from]` up to, but not including, `to`. */
export interface Run {
  readonly send: PendingSend
  readonly from: number
  readonly to: number
  readonly bytes: number
}

/** Bytes of a record besides its key, value and headers, at most: seven varints and the attributes. */
const RECORD_OVERHEAD = 40
const HEADER_OVERHEAD = 10

/** An upper bound of the encoded bytes of a record. Cheap, because it is computed for each record. */
export function recordBytes(record: ProducerRecord): number {
  let bytes = RECORD_OVERHEAD
  if (record.key !== null) bytes += record.key.length
  if (record.value !== null) bytes += record.value.length
  const headers = record.headers
  if (headers !== undefined) {
    // A UTF-16 code unit takes at most three bytes of UTF-8.
    for (const [name, value] of headers)
      bytes += HEADER_OVERHEAD + 3 * name.length + (value === null ? 0 : value.length)
  }
  return bytes
}

const NOT_ENCODED = new Uint8Array(0)

/** The records of one produce request for one partition, with the sequence numbers that make a second try harmless. */
export class PartitionBatch {
  readonly topic: string
  readonly partition: number
  readonly runs: readonly Run[]
  readonly count: number
  readonly bytes: number
  readonly identity: ProducerIdentity
  /** Sequence of the first record (KIP-98). The same on every try. */
  readonly baseSequence: number
  /** A try got no clear answer, so the broker may have written the batch. */
  mayBeWritten = false
  /** The record batch of the request, kept for the next try; empty until the first one. */
  encoded: Uint8Array = NOT_ENCODED

  constructor(
    topic: string,
    partition: number,
    runs: readonly Run[],
    identity: ProducerIdentity,
    baseSequence: number,
  ) {
    this.topic = topic
    this.partition = partition
    this.runs = runs
    this.identity = identity
    this.baseSequence = baseSequence
    let count = 0
    let bytes = 0
    for (const run of runs) {
      count += run.to - run.from
      bytes += run.bytes
    }
    this.count = count
    this.bytes = bytes
  }

  firstRecord(): ProducerRecord {
    const run = this.runs[0]!
    return run.send.records[run.from]!
  }

  /** Whether no caller waits for any of its records any more. */
  isAbandoned(): boolean {
    return this.runs.every((run) => run.send.settled)
  }

  keep(baseOffset: bigint): void {
    let offset = baseOffset
    for (const run of this.runs) {
      run.send.keep(run.from, run.to, offset)
      if (offset >= 0n) offset += BigInt(run.to - run.from)
    }
  }

  reject(reason: unknown): void {
    for (const run of this.runs) run.send.reject(reason)
  }

  /** Both halves, in order. Needs at least two records. */
  halves(): [Run[], Run[]] {
    const first: Run[] = []
    const second: Run[] = []
    let missing = this.count >> 1
    for (const run of this.runs) {
      const size = run.to - run.from
      if (missing >= size) first.push(run)
      else if (missing === 0) second.push(run)
      else {
        const [head, tail] = cutRun(run, run.from + missing)
        first.push(head)
        second.push(tail)
      }
      missing = Math.max(0, missing - size)
    }
    return [first, second]
  }
}

/** Splits a run before record `at`, where `run.from < at < run.to`. */
export function cutRun(run: Run, at: number): [Run, Run] {
  let bytes = 0
  for (let i = run.from; i < at; i++) bytes += recordBytes(run.send.records[i]!)
  return [
    { send: run.send, from: run.from, to: at, bytes },
    { send: run.send, from: at, to: run.to, bytes: run.bytes - bytes },
  ]
}
