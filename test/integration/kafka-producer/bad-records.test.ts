import { kafkaVersions, type KafkaBroker, startKafka } from '@tributary/harness'
import type { ProducerRecord } from '@tributary/kafka-producer'
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createTopic } from '../../support/kafka-topic.ts'
import { deadline, range, recordsOf, startProducer, strings, valuesIn } from './support.ts'

const HOUR_MS = 3_600_000
/** The bad ones among 40 records: the first two, neighbours, one alone, the last one. */
const BAD: readonly number[] = [0, 1, 17, 18, 19, 30, 39]

/** Each kind of record that a broker judges by itself, and of which its answer lists every bad one. */
const kinds: readonly {
  readonly title: string
  readonly topic: Readonly<Record<string, string>>
  readonly code: string
  /** What the broker says of one record. */
  readonly text: RegExp
  readonly spoil: (record: ProducerRecord, i: number) => Partial<ProducerRecord>
}[] = [
  {
    title: 'records without a key in a compacted topic',
    topic: { 'cleanup.policy': 'compact' },
    code: 'INVALID_RECORD',
    text: /without key/,
    spoil: () => ({ key: null }),
  },
  {
    title: 'timestamps outside of message.timestamp.before.max.ms and message.timestamp.after.max.ms',
    topic: { 'message.timestamp.before.max.ms': `${HOUR_MS}`, 'message.timestamp.after.max.ms': `${HOUR_MS}` },
    code: 'INVALID_TIMESTAMP',
    text: /out of range/,
    spoil: ({ timestamp }, i) => ({ timestamp: timestamp + (i % 2 === 0 ? 2 : -2) * HOUR_MS }),
  },
]

for (const version of kafkaVersions) {
  describe(`bad records on Kafka ${version}`, () => {
    let kafka: KafkaBroker
    before(async () => {
      kafka = await startKafka({ version })
    })
    after(() => kafka.stop())

    for (const driver of ['tributary', 'kafkajs'] as const) {
      for (const { title, topic: config, code, text, spoil } of kinds) {
        test(`${driver}: ${title} fail alone, with the words of the broker`, async () => {
          const topic = await createTopic(kafka.brokers, { config })
          await using producer = await startProducer(driver, {}, kafka.brokers)
          const records = recordsOf(topic, range(0, 40)).map((record, i) => {
            const keyed = { ...record, key: Buffer.from(`${i}`) }
            return BAD.includes(i) ? { ...keyed, ...spoil(keyed, i) } : keyed
          })
          const result = await producer.send(records, deadline())
          const failures = [...result.failures].sort((a, b) => a.index - b.index)
          assert.deepEqual(
            failures.map(({ index, error }) => [index, error.code, error.kind]),
            BAD.map((index) => [index, code, 'data']),
          )
          for (const { error } of failures) assert.match(error.message, text)
          assert.deepEqual(await valuesIn(kafka.brokers, topic), strings(range(0, 40).filter((i) => !BAD.includes(i))))
        })
      }
    }
  })
}
