import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  type Clock,
  errorKind,
  type ReplayedRecord,
  type ReplayOutcome,
  type ReplayRequest,
} from '@tributary/connect-api'
import { letterOf } from './dead-letter.ts'
import type { LogRecord } from '@tributary/kafka'
import type { ProducerRecord, ProduceResult } from '@tributary/kafka-producer'
import { type Beside, NotSent } from '../task/beside.ts'
import type { EncodedLetter, LetterEncoder } from './letter-encoder.ts'
import { failed, GONE, later } from './outcomes.ts'
import { Patience } from './patience.ts'
import type { ReplaySession } from './session.ts'

/** Bytes of letters that are read before those in memory are converted, about. */
const READ_BYTES = 8 * 1024 * 1024
/** Letters that are converted and sent together. */
const SLICE = 250
/** ms for which the event loop is held without a break. */
const HOLD_MS = 10

export interface BatchReplayParts {
  readonly session: Pick<ReplaySession, 'read' | 'supersede' | 'outcomeOf' | 'remember'>
  readonly encoder: Pick<LetterEncoder, 'encode'>
  readonly force: boolean
  /** Shows what would be written; null: it is written. */
  readonly show: ((record: ProducerRecord, placed: boolean) => ReplayedRecord) | null
  readonly beside: Pick<Beside, 'send' | 'ends'>
  readonly clock: Clock
}

/** A record on its way, and the place of its letter in the batch. */
interface Ready extends EncodedLetter {
  readonly index: number
}

/**
 * The letters of one batch, in their order: read from Kafka, made anew, converted, sent. After the first `later` everything is `later`,
 * since nothing may overtake it.
 */
export class BatchReplay {
  readonly #parts: BatchReplayParts
  readonly #letters: ReplayRequest['letters']
  readonly #outcomes: (ReplayOutcome | undefined)[]
  readonly #sending: Promise<void>[] = []
  /** Why the rest is `later`; null: it is not. */
  #ended: ReplayOutcome | null = null
  #until = 0

  constructor(letters: ReplayRequest['letters'], parts: BatchReplayParts) {
    this.#parts = parts
    this.#letters = letters
    this.#outcomes = letters.map((letter) => (parts.show === null ? parts.session.outcomeOf(letter) : undefined))
  }

  /** Never rejects for what concerns a letter, or an outage. */
  async run(): Promise<ReplayOutcome[]> {
    const patience = new Patience(this.#parts.clock, this.#parts.beside.ends)
    try {
      const open = this.#letters.flatMap((_, i) => (this.#outcomes[i] === undefined ? [i] : []))
      await this.#replay(open, patience)
      await Promise.all(this.#sending)
    } finally {
      patience.end()
    }
    const rest = this.#ended ?? later('The task ended before the letter had its turn.')
    return this.#outcomes.map((outcome) => outcome ?? rest)
  }

  /** Reads the next letters while those before are converted. */
  async #replay(open: readonly number[], patience: Patience): Promise<void> {
    for (let [at, reading] = [0, this.#read(open, 0)]; at < open.length && this.#ended === null;) {
      let records: (LogRecord | null)[]
      try {
        patience.restart()
        records = await patience.wait(reading)
      } catch (error) {
        return this.#end(later(error))
      }
      const indexes = open.slice(at, at + records.length)
      at += records.length
      reading = this.#read(open, at)
      for (let i = 0; i < records.length && this.#ended === null; i += SLICE) {
        const ready = await this.#encode(indexes.slice(i, i + SLICE), records.slice(i, i + SLICE), patience)
        const wanted = await this.#withoutSuperseded(ready, patience)
        if (wanted !== null) await this.#write(wanted, patience)
      }
    }
  }

  #read(open: readonly number[], at: number): Promise<(LogRecord | null)[]> {
    if (at >= open.length) return Promise.resolve([])
    const addresses = open.slice(at).map((i) => {
      const { topic, partition, offset } = this.#letters[i]!
      return { topic, partition, offset: BigInt(offset) }
    })
    const reading = this.#parts.session.read(addresses, READ_BYTES)
    // A batch that ends early does not wait for it.
    reading.catch(() => undefined)
    return reading
  }

  async #encode(
    indexes: readonly number[],
    records: readonly (LogRecord | null)[],
    patience: Patience,
  ): Promise<Ready[]> {
    const ready: Ready[] = []
    for (const [i, index] of indexes.entries()) {
      const record = records[i]
      if (!record) {
        this.#settle(index, GONE)
        continue
      }
      await this.#breathe()
      patience.restart()
      const result = await this.#parts.encoder.encode(letterOf(record), patience.signal)
      if (!('outcome' in result)) {
        ready.push({ ...result, index })
        continue
      }
      this.#settle(index, result)
      if (this.#ended !== null) break
    }
    return ready
  }

  /** Leaves out what a later record has superseded; null if Kafka does not say. */
  async #withoutSuperseded(ready: readonly Ready[], patience: Patience): Promise<readonly Ready[] | null> {
    const { force, session } = this.#parts
    if (force) return ready
    const keyed = ready.filter(({ record }) => record.key !== null && record.partition >= 0)
    const superseded = new Set<number>()
    const look = async (same: readonly Ready[]): Promise<void> => {
      const { topic, partition } = same[0]!.record
      const candidates = same.map(({ record, marginMs, failedAt }) => {
        return { key: record.key!, timestamp: record.timestamp, marginMs, failedAt }
      })
      const found = await session.supersede(topic, partition, candidates)
      for (const [i, is] of found.entries()) if (is) superseded.add(same[i]!.index)
    }
    try {
      const places = Map.groupBy(keyed, ({ record }) => `${record.topic}-${record.partition}`)
      patience.restart()
      await patience.wait(Promise.all(Array.from(places.values(), look)))
    } catch (error) {
      this.#end(later(error))
      return null
    }
    for (const index of superseded) this.#settle(index, { outcome: 'superseded' })
    return ready.filter(({ index }) => !superseded.has(index))
  }

  /** Shows the records, or hands them to the producer without awaiting Kafka. */
  async #write(ready: readonly Ready[], patience: Patience): Promise<void> {
    const { show, beside } = this.#parts
    if (show !== null) {
      for (const { index, record, placed } of ready) {
        this.#settle(index, { outcome: 'would-write', record: show(record, placed) })
      }
      return
    }
    // A topic that takes nothing must not keep the others from being written.
    for (const same of Map.groupBy(ready, ({ record }) => record.topic).values()) {
      patience.restart()
      const sent = beside.send(
        same.map(({ record }) => record),
        patience.signal,
      )
      this.#sending.push(sent.then((result) => this.#written(same, result), (error: unknown) => this.#notWritten(same, error))) // prettier-ignore
    }
    await this.#breathe()
  }

  #written(ready: readonly Ready[], result: ProduceResult): void {
    const refused = new Map(result.failures.map(({ index, error }) => [index, error]))
    for (const [i, { index, record }] of ready.entries()) {
      const { topic, partition } = record
      const error = refused.get(i)
      const offset = String(result.offset(i) ?? -1n)
      this.#settle(index, error === undefined ? { outcome: 'written', topic, partition, offset } : failed(error, 'KAFKA_PRODUCE')) // prettier-ignore
    }
  }

  #notWritten(ready: readonly Ready[], error: unknown): void {
    const cause = error instanceof NotSent ? (error.cause ?? error) : error
    const kind = errorKind(cause)
    const outcome = kind === 'config' || kind === 'data' ? failed(cause, 'KAFKA_PRODUCE') : later(error)
    for (const { index } of ready) this.#settle(index, outcome)
  }

  #settle(index: number, outcome: ReplayOutcome): void {
    this.#outcomes[index] = outcome
    if (outcome.outcome === 'later') this.#end(outcome)
    else if (this.#parts.show === null) this.#parts.session.remember(this.#letters[index]!, outcome)
  }

  #end(outcome: ReplayOutcome): void {
    this.#ended ??= outcome
  }

  async #breathe(): Promise<void> {
    const { clock } = this.#parts
    if (clock.monotonic() < this.#until) return
    await nextTurn()
    this.#until = clock.monotonic() + HOLD_MS
  }
}
