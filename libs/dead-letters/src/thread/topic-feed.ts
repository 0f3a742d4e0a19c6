import { backoffMs, sleep } from '@tributary/async'
import type { KafkaConnection } from '@tributary/config'
import { readDeadLetter } from '@tributary/connect-api'
import { KafkaAdmin, KafkaError, type LogRecord, tailTopic } from '@tributary/kafka'
import type { LetterStore, NewLetter, ReadPart } from '../store/letter-store.ts'

export interface TopicFeedOptions {
  readonly connection: KafkaConnection
  readonly store: LetterStore
  readonly topic: string
  readonly lookMs: number
  readonly log: (level: 'info' | 'warn' | 'error', event: string, fields: object) => void
  /** Called when something has changed: letters, ends, troubles. */
  readonly onChange: () => void
}

/** Letters of one transaction. */
const LETTERS_AT_ONCE = 800
const BYTES_AT_ONCE = 1 << 20
/** A broker that has just started may not know a topic yet: only when it has twice not been there it is gone. */
const MISSES = 2

/** Reads one dead-letter topic into the store, for as long as the signal lets it. */
export class TopicFeed {
  readonly topic: string
  readonly #options: TopicFeedOptions
  readonly #admin: KafkaAdmin
  #waiting = new Map<number, NewLetter[]>()
  #letters = 0
  #bytes = 0
  #misses = 0
  /** The ends of the partitions at the last look; null: there was none yet. */
  #ends: ReadonlyMap<number, bigint> | null = null
  /** What was there at the first look. */
  #firstEnds: ReadonlyMap<number, bigint> | null = null
  #ready = false
  /** Why the topic cannot be read, in a sentence. */
  trouble: string | null = null

  constructor(options: TopicFeedOptions) {
    this.topic = options.topic
    this.#options = options
    this.#admin = new KafkaAdmin(options.connection, { timeoutMs: 5000 })
  }

  /** Whether all that was in the topic when it was first looked at is indexed. */
  get ready(): boolean {
    this.#ready ||= this.#firstEnds !== null && this.#lacking(this.#firstEnds) === 0
    return this.#ready
  }

  /** Records in the topic that are not indexed yet. */
  get behind(): number {
    return this.#ends === null ? 0 : this.#lacking(this.#ends)
  }

  async run(signal: AbortSignal): Promise<void> {
    for (let attempt = 1; !signal.aborted;) {
      try {
        if (await this.#look()) {
          await this.#read(signal, () => {
            attempt = 1
            this.trouble = null
          })
        }
      } catch (error) {
        if (!signal.aborted) this.#failed(error as Error, attempt)
      }
      this.#forgetWaiting()
      const missing = this.#ends === null || this.#ends.size === 0
      const wait = missing ? this.#options.lookMs : backoffMs(attempt++, { baseMs: 100, maxMs: 5000 })
      await sleep(wait, signal).catch(() => undefined)
    }
    await this.#admin.close()
  }

  #failed(error: Error, attempt: number): void {
    const { topic, log, onChange } = this.#options
    if (error === AGAIN) return
    if (attempt > 2) this.trouble = `The dead-letter topic ${topic} cannot be read: ${error.message}.`
    if (attempt === 3) log('warn', 'dead_letter_topic_unreadable', { topic, error: error.message })
    onChange()
  }

  /** Whether the topic is there. */
  async #look(): Promise<boolean> {
    const { topic, store, onChange } = this.#options
    const found = (await this.#admin.describeTopics([topic])).get(topic)
    if (!found) {
      if (++this.#misses >= MISSES || !store.topics.has(topic)) {
        store.drop(topic)
        this.#ends = new Map()
        this.#firstEnds ??= this.#ends
        this.trouble = null
        onChange()
      }
      return false
    }
    this.#misses = 0
    const [firsts, ends] = await Promise.all([
      this.#admin.listOffsets(topic, 'earliest'),
      this.#admin.listOffsets(topic, 'stable'),
    ])
    if (store.topics.get(topic)?.kafkaId === found.id) {
      for (const [partition, first] of firsts) store.retain(topic, partition, first)
    }
    this.#ends = ends
    this.#firstEnds ??= ends
    onChange()
    return true
  }

  async #read(signal: AbortSignal, onProgress: () => void): Promise<void> {
    const { topic, connection, store, log, lookMs } = this.#options
    const round = new AbortController()
    const until = AbortSignal.any([signal, round.signal])
    let partitions = 0
    let id = ''
    const reading = tailTopic(
      {
        ...{ connection, topic },
        from: (kafkaId, all) => {
          partitions = all.length
          id = kafkaId
          return store.open(topic, kafkaId, all)
        },
        onRecords: (records) => this.#add(records),
        onProgress: (positions) => {
          this.#write(positions)
          onProgress()
        },
        onReset: (partition, to) => {
          const next = BigInt(store.part(topic, partition)?.next ?? 0)
          if (to >= next) return
          // The log was cut: its offsets have other records now.
          store.drop(topic)
          throw AGAIN
        },
        onUnreadable: (partition, offset, reason) =>
          log('error', 'dead_letter_batch_skipped', { topic, partition, offset: String(offset), reason }),
      },
      until,
    )
    const looking = (async () => {
      for (;;) {
        await sleep(lookMs, until)
        const there = await this.#look()
        // The reading has not begun yet.
        if (id === '') continue
        const stored = store.topics.get(topic)
        if (!there || stored?.kafkaId !== id || this.#ends!.size !== partitions) throw AGAIN
      }
    })()
    try {
      await Promise.race([reading, looking])
    } finally {
      round.abort(AGAIN)
      await Promise.allSettled([reading, looking])
    }
  }

  #add(records: readonly LogRecord[]): void {
    for (const record of records) {
      const letter = readDeadLetter({
        ...record,
        headers: record.headers.map(([name, value]) => [name?.toString() ?? '', value] as const),
      })
      let waiting = this.#waiting.get(record.partition)
      if (waiting === undefined) this.#waiting.set(record.partition, (waiting = []))
      waiting.push({ record, letter })
      this.#bytes += (record.key?.length ?? 0) + (record.value?.length ?? 0)
      if (++this.#letters >= LETTERS_AT_ONCE || this.#bytes >= BYTES_AT_ONCE) this.#write(new Map())
    }
  }

  /** Writes what waits, and the offsets up to which partitions were read. */
  #write(positions: ReadonlyMap<number, bigint>): void {
    const { topic, store, onChange } = this.#options
    const waiting = this.#waiting
    this.#forgetWaiting()
    const read: ReadPart[] = []
    for (const partition of new Set([...waiting.keys(), ...positions.keys()])) {
      const letters = waiting.get(partition) ?? []
      const next = positions.get(partition) ?? letters.at(-1)!.record.offset + 1n
      if (letters.length > 0 || BigInt(store.part(topic, partition)?.next ?? 0) < next) {
        read.push({ partition, letters, next })
      }
    }
    if (read.length === 0) return
    store.add(topic, read)
    onChange()
  }

  #forgetWaiting(): void {
    this.#waiting = new Map()
    this.#letters = this.#bytes = 0
  }

  #lacking(ends: ReadonlyMap<number, bigint>): number {
    let lacking = 0
    for (const [partition, end] of ends) {
      lacking += Math.max(0, Number(end) - (this.#options.store.part(this.topic, partition)?.next ?? 0))
    }
    return lacking
  }
}

const AGAIN = new KafkaError('CLOSED', 'the topic has changed', true)
