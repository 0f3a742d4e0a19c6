import type { DataError } from '@tributary/connect-api'
import type { PendingSend } from './pending-send.ts'
import type { RecordList } from './record-list.ts'
import type { ProducerIdentity } from '../wire/wire.ts'

/** Consecutive records of one `send` for the same partition: record `from` of `records` up to, but not including, `to`. */
export interface Run {
  readonly send: PendingSend
  readonly records: RecordList
  readonly from: number
  readonly to: number
  readonly bytes: number
}

/** Calls `use` with the records of a send as runs, in order. */
export function eachRun(send: PendingSend, use: (run: Run) => void): void {
  for (const records of send.lists) {
    let from = 0
    let bytes = 0
    for (let i = 0; i < records.length; i++) {
      if (records.partitionOf(i) !== records.partitionOf(from) || records.topicOf(i) !== records.topicOf(from)) {
        use({ send, records, from, to: i, bytes })
        from = i
        bytes = 0
      }
      bytes += records.bytesOf(i)
    }
    use({ send, records, from, to: records.length, bytes })
  }
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

  /** In ms since the epoch. The timestamps of the records are written as differences from this one. */
  get baseTimestamp(): number {
    const { records, from } = this.runs[0]!
    return records.timestampOf(from)
  }

  /** Whether no caller waits for any of its records any more. */
  isAbandoned(): boolean {
    return this.runs.every((run) => run.send.settled)
  }

  /** Whether records of several owners are in it. */
  get isMixed(): boolean {
    const { owner } = this.runs[0]!.send
    return this.runs.some((run) => run.send.owner !== owner)
  }

  keep(baseOffset: bigint): void {
    let offset = baseOffset
    for (const run of this.runs) {
      const { base } = run.records
      run.send.keep(base + run.from, base + run.to, offset)
      if (offset >= 0n) offset += BigInt(run.to - run.from)
    }
  }

  /** The broker refused the only record of the batch. */
  refuse(error: DataError): void {
    const { send, records, from } = this.runs[0]!
    send.refuse(records.base + from, error)
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
  for (let i = run.from; i < at; i++) bytes += run.records.bytesOf(i)
  return [
    { ...run, to: at, bytes },
    { ...run, from: at, bytes: run.bytes - bytes },
  ]
}
