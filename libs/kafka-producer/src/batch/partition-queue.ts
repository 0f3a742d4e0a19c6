import { cutRun, PartitionBatch, type Run } from './partition-batch.ts'
import type { ProducerIdentity } from '../wire/wire.ts'
import type { SendOwner } from './send-owner.ts'

export interface BatchLimits {
  readonly maxRequestBytes: number
  readonly maxRequestRecords: number
}

const MAX_EPOCH = 0x7fff
/** Sequence numbers are INT32 and continue at 0 (KIP-98). */
const SEQUENCE_MODULUS = 0x80000000

/**
 * The waiting records of one partition, and the state of the producer there. At most one batch is in flight, so only
 * its sequence numbers can be in doubt. A retry sends the same batch again. Giving up a batch in doubt starts a new
 * epoch, because its sequence numbers can neither be used again nor skipped.
 */
export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  /** The batch that was handed to the wire and has no final answer yet. */
  inFlight: PartitionBatch | null = null
  /** Set while `inFlight` waits for its next try. */
  retryTimer: NodeJS.Timeout | null = null
  /** Set while the waiting records linger for others that may share their request. */
  lingerTimer: NodeJS.Timeout | null = null
  /** Set while records wait only because their owners may not send. */
  heldTimer: NodeJS.Timeout | null = null
  /** Failed tries of `inFlight` in a row, and how many of them said that the topic does not exist. */
  failedTries = 0
  unknownTopicTries = 0
  /** `inFlight` was in one request with batches of other partitions. */
  sharedRequest = false
  /** The next try of `inFlight` gets a request of its own. */
  sendAlone = false
  /** How many producers write here. */
  users = 0
  /** The owners that were told of an outage here. */
  readonly failing = new Set<SendOwner>()
  #identity: ProducerIdentity
  #nextSequence = 0
  /** The runs from `#head` on are waiting, in order. */
  #runs: Run[] = []
  #head = 0
  /** Halves of refused batches, the next one last. They are sent before `#runs`. */
  #pieces: Run[][] = []
  /** Runs of owners that may not send, in order. None of such an owner's runs stands before them elsewhere. */
  #held: Run[] = []
  /** Of one take. Each has a Map of its own: see ChangingSet. */
  #verdicts = new Map<SendOwner, boolean>()
  /** Owners of which the broker refused a record. Their records share no batch, so that the next refusal delays nobody else. */
  readonly #refused = new WeakSet<SendOwner>()

  constructor(topic: string, partition: number, identity: ProducerIdentity) {
    this.topic = topic
    this.partition = partition
    this.#identity = identity
  }

  add(run: Run): void {
    this.#runs.push(run)
  }

  hasWaiting(): boolean {
    return this.#pieces.length > 0 || this.#head < this.#runs.length || this.#held.length > 0
  }

  get identity(): ProducerIdentity {
    return this.#identity
  }

  /** Whether records wait only because their owners may not send. */
  get holdsBack(): boolean {
    return this.#held.length > 0
  }

  /** The owners of the records in flight and of those that wait. */
  owners(): Set<SendOwner> {
    const runs = [this.inFlight?.runs ?? [], ...this.#pieces, this.#runs.slice(this.#head), this.#held].flat()
    return new Set(runs.map((run) => run.send.owner))
  }

  /** Whether the waiting records fill a batch, so that more of them gain nothing by waiting. */
  isFull(limits: BatchLimits): boolean {
    if (this.#pieces.length > 0) return true
    let bytes = 0
    let records = 0
    for (let i = this.#head; i < this.#runs.length; i++) {
      const run = this.#runs[i]!
      bytes += run.bytes
      records += run.to - run.from
      if (bytes >= limits.maxRequestBytes || records >= limits.maxRequestRecords) return true
    }
    return false
  }

  /**
   * Takes the next batch, which is then `inFlight`; null when nothing waits that may be sent. A batch has at least one record,
   * however large.
   */
  take(limits: BatchLimits): PartitionBatch | null {
    this.#verdicts = new Map()
    if (this.#held.length > 0) this.#release()
    const runs = this.#takePiece() ?? this.#takeRuns(limits)
    if (runs.length === 0) return null
    this.inFlight = new PartitionBatch(this.topic, this.partition, runs, this.#identity, this.#nextSequence)
    return this.inFlight
  }

  /** The broker has written the batch in flight. */
  written(baseOffset: bigint): void {
    const batch = this.finish()
    this.#nextSequence = (this.#nextSequence + batch.count) % SEQUENCE_MODULUS
    batch.keep(baseOffset)
  }

  /** The broker refused the whole batch in flight: its halves are sent next, in order. */
  split(): void {
    const [first, second] = this.finish().halves()
    this.#pieces.push(second, first)
  }

  /** The broker refused a record of this owner. */
  isolate(owner: SendOwner): void {
    this.#refused.add(owner)
  }

  /**
   * Takes the runs of owners that may not send out of the batch in flight, of which something else remains. They wait. If the
   * batch is in doubt, a new epoch makes sure that it can no longer arrive, and what remains is sent again: perhaps twice.
   */
  withhold(): void {
    const batch = this.inFlight!
    this.#verdicts = new Map()
    const sent = batch.runs.filter((run) => !this.#mustWait(run))
    this.#holdPieces()
    this.inFlight = new PartitionBatch(this.topic, this.partition, sent, this.#identity, batch.baseSequence)
    if (batch.mayBeWritten) this.bumpEpoch()
  }

  /** Ends the batch in flight and returns it. */
  finish(): PartitionBatch {
    const batch = this.inFlight
    if (batch === null) throw new Error(`no batch in flight for ${this.topic}-${this.partition}`)
    this.inFlight = null
    this.failedTries = 0
    this.unknownTopicTries = 0
    this.sendAlone = false
    return batch
  }

  /**
   * Starts a new epoch for this partition alone, from sequence 0 (KIP-360). The batch in flight gets the new numbers.
   * The broker compares epochs for each partition, and a producer without a transactional id may raise its own.
   */
  bumpEpoch(): void {
    this.restart({ producerId: this.#identity.producerId, epoch: this.#identity.epoch + 1 })
  }

  /** Epochs are INT16. Without one left, `restart` with the identity of another producer must precede the next request. */
  get hasNoEpochLeft(): boolean {
    return this.#identity.epoch > MAX_EPOCH
  }

  /** Continues from sequence 0 with `identity`. */
  restart(identity: ProducerIdentity): void {
    this.#identity = identity
    this.#nextSequence = 0
    if (this.inFlight !== null) {
      this.inFlight = new PartitionBatch(this.topic, this.partition, this.inFlight.runs, identity, 0)
    }
  }

  /** Removes the waiting records whose callers no longer wait. */
  forgetSettled(): void {
    const alive = (run: Run): boolean => !run.send.settled
    this.#runs = this.#runs.slice(this.#head).filter(alive)
    this.#head = 0
    this.#pieces = this.#pieces.map((piece) => piece.filter(alive)).filter((piece) => piece.length > 0)
    this.#held = this.#held.filter(alive)
  }

  #takePiece(): Run[] | undefined {
    for (let piece = this.#pieces.pop(); piece !== undefined; piece = this.#pieces.pop()) {
      const sent = piece.filter((run) => !this.#mustWait(run))
      this.#holdPieces()
      if (sent.length > 0) return sent
    }
    return undefined
  }

  /** Whether the run must not be sent: its caller gave it up, or its owner may not send, and then it is held. */
  #mustWait(run: Run): boolean {
    if (run.send.settled) return true
    if (this.#may(run.send.owner)) return false
    this.#held.push(run)
    return true
  }

  /** Asks each owner once for each take, so that all its runs or none are held. */
  #may(owner: SendOwner): boolean {
    let may = this.#verdicts.get(owner)
    if (may === undefined) this.#verdicts.set(owner, (may = owner.maySend()))
    return may
  }

  /** The runs of held owners in `#pieces` are held too, as they come before those in `#runs`. */
  #holdPieces(): void {
    if (this.#held.length === 0) return
    const held = new Set(this.#held.map((run) => run.send.owner))
    for (let i = this.#pieces.length - 1; i >= 0; i--) {
      const piece = this.#pieces[i]!
      this.#held.push(...piece.filter((run) => held.has(run.send.owner)))
      this.#pieces[i] = piece.filter((run) => !held.has(run.send.owner))
    }
  }

  /** Puts the held runs of owners that may send again before all others. */
  #release(): void {
    const { true: released = [], false: held = [] } = Object.groupBy(
      this.#held,
      (run) => `${this.#may(run.send.owner)}`,
    )
    this.#held = held
    this.#runs = [...released, ...this.#runs.slice(this.#head)]
    this.#head = 0
  }

  #takeRuns(limits: BatchLimits): Run[] {
    const taken: Run[] = []
    let bytes = 0
    let count = 0
    while (this.#head < this.#runs.length) {
      const run = this.#runs[this.#head]!
      if (this.#mustWait(run)) {
        this.#head++
        continue
      }
      if (taken.length > 0 && !this.#mayShare(taken[0]!, run)) break
      const size = run.to - run.from
      if (bytes + run.bytes <= limits.maxRequestBytes && count + size <= limits.maxRequestRecords) {
        taken.push(run)
        bytes += run.bytes
        count += size
        this.#head++
        continue
      }
      const fitting = this.#fitting(run, limits.maxRequestBytes - bytes, limits.maxRequestRecords - count)
      const cut = fitting === 0 && taken.length === 0 ? 1 : fitting
      if (cut === size) {
        taken.push(run)
        this.#head++
      } else if (cut > 0) {
        const [head, tail] = cutRun(run, run.from + cut)
        taken.push(head)
        this.#runs[this.#head] = tail
      }
      break
    }
    this.#compact()
    return taken
  }

  #mayShare(first: Run, next: Run): boolean {
    const [a, b] = [first.send.owner, next.send.owner]
    return a === b || !(this.#refused.has(a) || this.#refused.has(b))
  }

  /** The number of records from the start of the run that fit. */
  #fitting(run: Run, bytes: number, records: number): number {
    let left = bytes
    const end = Math.min(run.to, run.from + records)
    let i = run.from
    for (; i < end; i++) {
      left -= run.records.bytesOf(i)
      if (left < 0) break
    }
    return i - run.from
  }

  #compact(): void {
    if (this.#head === this.#runs.length) {
      this.#runs = []
      this.#head = 0
    } else if (this.#head > 1024 && this.#head * 2 > this.#runs.length) {
      this.#runs = this.#runs.slice(this.#head)
      this.#head = 0
    }
  }
}
