import { Gate } from '@tributary/async'
import { ConfigError } from '@tributary/connect-api'
import {
  type KafkaProducer,
  PackedProducerRecords,
  producerErrors,
  type ProduceResult,
  type ProducerRecord,
  type Sendable,
  type SendListener,
} from '@tributary/kafka-producer'

/** The producer's interface over an array. The contract suite of kafka-producer shows how real producers behave. */
export class FakeProducer implements KafkaProducer {
  readonly driver = 'tributary'
  readonly kept: ProducerRecord[] = []
  readonly up = new Gate(true)
  readonly transactions: string[] = []
  readonly topics = new Map<string, number>([['events', 1]])
  inFlightBytes = 0
  /** `send` refuses longer values. */
  limitBytes = Infinity
  failNextCommit = false
  /** Closed: commits wait. */
  readonly commits = new Gate(true)
  /** Packs that were sent. */
  packs = 0
  /** Topics that were deleted: sends to them reject as the real producer does. */
  readonly deleted = new Set<string>()
  started = false
  closed = false
  #pending: ProducerRecord[] | null = null

  start(): Promise<void> {
    this.started = true
    return Promise.resolve()
  }

  partitionCount(topic: string): Promise<number> {
    const count = this.topics.get(topic)
    if (count !== undefined) return Promise.resolve(count)
    return Promise.reject(Object.assign(new Error('no such topic'), { code: 'UNKNOWN_TOPIC_OR_PARTITION' }))
  }

  async send(sent: readonly Sendable[], signal: AbortSignal): Promise<ProduceResult> {
    const records = sent.flatMap((element) => {
      if (!(element instanceof PackedProducerRecords)) return [element]
      this.packs++
      return Array.from({ length: element.count }, (_, i) => element.record(i))
    })
    await this.up.passed(signal)
    if (records.some(({ topic }) => this.deleted.has(topic))) {
      throw new ConfigError('UNKNOWN_TOPIC_OR_PARTITION', 'produce failed')
    }
    const failures = []
    const offsets: (bigint | null)[] = []
    for (const [index, record] of records.entries()) {
      if ((record.value?.length ?? 0) > this.limitBytes) {
        const error = producerErrors.RECORD_TOO_LARGE('too large')
        failures.push({ index, error })
        offsets.push(null)
        continue
      }
      const target = this.#pending ?? this.kept
      offsets.push(BigInt(this.kept.length + (this.#pending?.length ?? 0)))
      target.push(record)
    }
    return { offset: (index) => offsets[index] ?? null, failures }
  }

  sendTo(listener: SendListener, records: readonly Sendable[], signal: AbortSignal): void {
    this.send(records, signal).then(
      (result) => listener.sent(result),
      (reason: unknown) => listener.notSent(reason),
    )
  }

  beginTransaction(): void {
    this.#pending = []
    this.transactions.push('begin')
  }

  async commitTransaction(signal: AbortSignal): Promise<void> {
    await this.commits.passed(signal)
    if (this.failNextCommit) {
      this.failNextCommit = false
      throw producerErrors.KAFKA_NO_ANSWER('coordinator gone')
    }
    this.kept.push(...(this.#pending ?? []))
    this.#pending = null
    this.transactions.push('commit')
  }

  abortTransaction(_signal: AbortSignal): Promise<void> {
    this.#pending = null
    this.transactions.push('abort')
    return Promise.resolve()
  }

  close(): Promise<void> {
    this.closed = true
    return Promise.resolve()
  }

  values(topic = 'events'): string[] {
    return this.kept.filter((r) => r.topic === topic).map((r) => Buffer.from(r.value ?? []).toString())
  }
}
