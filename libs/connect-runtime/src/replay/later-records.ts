import type { LogReader, LogRecord } from '@tributary/kafka'
import { REPLAY_HEADER } from '@tributary/connect-api'
import { createHash } from 'node:crypto'

/** The header of a replayed record that tells its timestamp, since a topic with LogAppendTime replaces it. In ms, as text. */
export const REPLAY_TIMESTAMP_HEADER = '__tributary.replay.timestamp'

/** A record that a replay is about to write. */
export interface Candidate {
  readonly key: Uint8Array
  /** Of the letter, in ms since the epoch. */
  readonly timestamp: number
  /** ms by which a record must be later, as the times of the two were taken at slightly different moments. */
  readonly marginMs: number
  /** When the letter was made, in ms since the epoch. Null: at its timestamp. */
  readonly failedAt: number | null
}

/** ms between the failure of a record and the moment in which the broker had those of its batch: they are not later. */
const APPEND_MARGIN_MS = 1000

/** Keys that all replays of a worker may keep. Each takes some 100 bytes. */
export class KeyBudget {
  #left: number

  constructor(keys: number) {
    this.#left = keys
  }

  take(): boolean {
    if (this.#left === 0) return false
    this.#left--
    return true
  }

  giveBack(keys: number): void {
    this.#left += keys
  }
}

type Scan = Pick<LogReader, 'offset' | 'scan'>

/**
 * Knows whether a partition got a later record of a key. Reads the partition once from the first letter's time on, then what is added,
 * and keeps the last timestamp of each key. When there are too many keys, reads it again for each batch, and keeps those of the batch.
 */
export class LaterRecords {
  readonly #reader: Scan
  readonly #budget: KeyBudget
  readonly #topic: string
  readonly #partition: number
  readonly #last = new Map<string, number>()
  /** From this time on the partition was read. */
  #since = Infinity
  #next = 0n
  /** There are more keys than may be kept. */
  #tooMany = false

  constructor(reader: Scan, budget: KeyBudget, topic: string, partition: number) {
    this.#reader = reader
    this.#budget = budget
    this.#topic = topic
    this.#partition = partition
  }

  /**
   * For each candidate, whether a record of its key with a later timestamp is in the partition, or among the candidates before it.
   * Rejects with a KafkaError.
   */
  async supersede(candidates: readonly Candidate[]): Promise<boolean[]> {
    const since = candidates.reduce((least, { timestamp, failedAt }) => {
      return Math.min(least, timestamp, failedAt ?? Infinity)
    }, Infinity)
    const keys = candidates.map(({ key }) => nameOf(key))
    const last = await this.#lastOf(since, keys)
    // Kept for this call alone: it is not sure that they are written.
    const accepted = new Map<string, number>()
    return candidates.map(({ timestamp, marginMs, failedAt }, i) => {
      const key = keys[i]!
      if ((last.get(key) ?? -Infinity) > timestamp + marginMs) return true
      const appended = last.get(APPENDED + key) ?? -Infinity
      if (appended > Math.max(timestamp, failedAt ?? timestamp) + APPEND_MARGIN_MS) return true
      const before = accepted.get(key) ?? -Infinity
      if (before > timestamp) return true
      accepted.set(key, timestamp)
      return false
    })
  }

  /** Forgets all keys. */
  close(): void {
    this.#budget.giveBack(this.#last.size)
    this.#last.clear()
  }

  async #lastOf(since: number, keys: readonly string[]): Promise<Map<string, number>> {
    if (since < this.#since) {
      this.close()
      this.#since = since
      this.#next = await this.#start(since)
    }
    if (!this.#tooMany) {
      this.#next = await this.#scan(this.#next, (key, timestamp) => this.#note(key, timestamp))
      if (!this.#tooMany) return this.#last
      this.close()
    }
    const wanted = new Map(keys.flatMap((key) => [key, APPENDED + key]).map((key) => [key, -Infinity]))
    await this.#scan(await this.#start(since), (key, timestamp) => {
      const known = wanted.get(key)
      if (known !== undefined && timestamp > known) wanted.set(key, timestamp)
    })
    return wanted
  }

  async #start(since: number): Promise<bigint> {
    const { offset } = this.#reader
    const found = await offset.call(this.#reader, this.#topic, this.#partition, Math.max(0, since))
    return found ?? (await offset.call(this.#reader, this.#topic, this.#partition, 'latest')) ?? 0n
  }

  #scan(from: bigint, onKey: (key: string, timestamp: number) => void): Promise<bigint> {
    return this.#reader.scan(this.#topic, this.#partition, from, (record) => {
      if (record.key === null) return
      const own = replayedTimestamp(record)
      const timestamp = own ?? record.timestamp
      const prefix = own === null && record.appended === true ? APPENDED : ''
      if (timestamp > this.#since) onKey(prefix + nameOf(record.key), timestamp)
    })
  }

  #note(key: string, timestamp: number): void {
    const known = this.#last.get(key)
    if (known === undefined) {
      this.#tooMany ||= !this.#budget.take()
      if (this.#tooMany) return
    } else if (known >= timestamp) return
    this.#last.set(key, timestamp)
  }
}

/** The time that a record had before a replay wrote it; null: no replay has, or it does not say. */
function replayedTimestamp({ headers }: LogRecord): number | null {
  if (headers.length === 0) return null
  const named = (name: string) => headers.find(([n]) => n?.toString() === name)
  if (named(REPLAY_HEADER) === undefined) return null
  const own = Number(named(REPLAY_TIMESTAMP_HEADER)?.[1]?.toString() ?? NaN)
  return Number.isSafeInteger(own) ? own : null
}

/** Before the name of a key whose time is the broker's. */
const APPENDED = '+'

/** Short keys stand for themselves. */
function nameOf(key: Uint8Array): string {
  const [bytes, kind] = key.length <= 32 ? [key, '='] : [createHash('sha256').update(key).digest(), '#']
  return kind + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}
