import { consoleConsume } from '@tributary/harness'
import { createProducer, type ProducerDriver, type ProducerRecord } from '@tributary/kafka-producer'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createTopic, readPartition } from '../../support/kafka-topic.ts'
import { deadline, range, recordsOf, shared, startProducer, strings, valuesIn } from './support.ts'

export function deliveryContract(driver: ProducerDriver): void {
  describe('delivery', () => {
    test('concurrent sends are written once, in the order of each partition, at the reported offsets', async () => {
      const topic = await createTopic(shared, { partitions: 3 })
      await using producer = await startProducer(driver)
      const sends = range(0, 40).map((send) =>
        range(0, 50).map((i) => ({ partition: (send + i) % 3, text: `${send}-${i}` })),
      )
      const results = await Promise.all(
        sends.map((send) =>
          producer.send(
            send.flatMap(({ partition, text }) => recordsOf(topic, [text], partition)),
            deadline(),
          ),
        ),
      )
      for (const partition of [0, 1, 2]) {
        const kept = await readPartition(shared, topic, partition)
        const sent = sends.flat().filter((record) => record.partition === partition)
        assert.deepEqual(
          kept.map(({ value }) => String(value)),
          sent.map(({ text }) => text),
        )
        const reported = sends.flatMap((send, s) =>
          send.flatMap((record, i) => (record.partition === partition ? [results[s]!.offset(i)] : [])),
        )
        assert.deepEqual(
          reported,
          kept.map(({ offset }) => offset),
        )
      }
      assert.equal(producer.inFlightBytes, 0)
    })

    test('key, value, headers and timestamp arrive unchanged, and null differs from empty', async () => {
      // Kafka 4 refuses timestamps more than an hour ahead.
      const topic = await createTopic(shared, { config: { 'message.timestamp.after.max.ms': String(2n ** 63n - 1n) } })
      await using producer = await startProducer(driver)
      const base = { topic, partition: 0 }
      const sent: ProducerRecord[] = [
        { ...base, key: Buffer.from('k'), value: Buffer.from('v'), timestamp: 1_700_000_000_000 },
        { ...base, key: null, value: null, timestamp: 1_700_000_000_000 - 90 * 86_400_000 },
        { ...base, key: Buffer.alloc(0), value: Buffer.alloc(0), timestamp: 0 },
        {
          ...base,
          key: null,
          value: new Uint8Array(70_000).fill(7),
          headers: [
            ['größe', Buffer.from('x')],
            ['null', null],
            ['größe', Buffer.alloc(0)],
          ],
          timestamp: 4_000_000_000_000,
        },
      ]
      await producer.send(sent, deadline())
      const kept = await readPartition(shared, topic)
      const bytes = (value: Uint8Array | null): string | null =>
        value === null ? null : Buffer.from(value).toString('hex')
      assert.deepEqual(
        kept.map(({ key, value, headers, timestamp }) => ({
          key: bytes(key),
          value: bytes(value),
          headers: headers.map(([name, content]) => [name, bytes(content)]),
          timestamp: Number(timestamp),
        })),
        sent.map(({ key, value, headers, timestamp }) => ({
          key: bytes(key),
          value: bytes(value),
          headers: (headers ?? []).map(([name, content]) => [name, bytes(content)]),
          timestamp,
        })),
      )
    })

    test('a large send leaves in requests of the set size, in order', async () => {
      const topic = await createTopic(shared)
      await using producer = await startProducer(driver, { maxRequestRecords: 70, maxRequestBytes: 5_000 })
      const values = range(0, 1_000)
      await Promise.all([
        producer.send(recordsOf(topic, values.slice(0, 900)), deadline()),
        producer.send(recordsOf(topic, values.slice(900)), deadline()),
      ])
      assert.deepEqual(await valuesIn(shared, topic), strings(values))
    })

    test('a record above the limit fails alone, and the records around it are written in order', async () => {
      const topic = await createTopic(shared, { config: { 'max.message.bytes': '20000' } })
      await using producer = await startProducer(driver)
      const tooLarge = new Set([0, 37, 38, 99])
      const values = range(0, 100).map((i) => (tooLarge.has(i) ? `${i}`.padEnd(30_000, '.') : `${i}`.padEnd(500, '.')))
      const result = await producer.send(recordsOf(topic, values), deadline())
      const failed = [...result.failures].sort((a, b) => a.index - b.index)
      assert.deepEqual(
        failed.map(({ index }) => index),
        [...tooLarge],
      )
      for (const { error } of failed) {
        assert.equal(error.code, 'RECORD_TOO_LARGE')
        assert.equal(error.kind, 'data')
      }
      assert.equal(result.offset(37), null)
      const kept = await readPartition(shared, topic)
      assert.deepEqual(
        kept.map(({ value }) => String(value)),
        values.filter((_, i) => !tooLarge.has(i)),
      )
      assert.deepEqual(
        values.flatMap((_, i) => result.offset(i) ?? []),
        kept.map(({ offset }) => offset),
      )
      // The sequence numbers have no gap.
      await producer.send(recordsOf(topic, ['after']), deadline())
      assert.equal((await valuesIn(shared, topic)).at(-1), 'after')
    })

    test('a record that a compacted topic refuses fails alone', async () => {
      const topic = await createTopic(shared, { config: { 'cleanup.policy': 'compact' } })
      await using producer = await startProducer(driver)
      const records = recordsOf(topic, range(0, 8)).map((record, i) => ({
        ...record,
        key: i === 5 ? null : Buffer.from(`${i}`),
      }))
      const result = await producer.send(records, deadline())
      assert.deepEqual(
        result.failures.map(({ index, error }) => [index, error.code, error.kind]),
        [[5, 'INVALID_RECORD', 'data']],
      )
      assert.deepEqual(await valuesIn(shared, topic), strings([0, 1, 2, 3, 4, 6, 7]))
    })

    for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
      test(`${compression}: records are written, and Kafka's own consumer reads them`, async () => {
        const topic = await createTopic(shared)
        await using producer = await startProducer(driver, { compression })
        const values = range(0, 300).map((i) => `record ${i} of three hundred`)
        await producer.send(recordsOf(topic, values), deadline())
        assert.deepEqual(await valuesIn(shared, topic), values)
        // Java's decoders are not ours: they check blocks of 64 KiB and the framing of each codec.
        assert.deepEqual(await consoleConsume({ brokers: shared, topic, maxMessages: 300 }), values)
      })
    }

    test('an unknown codec is a config error that names the known ones', () => {
      const compression = 'brotli' as 'gzip'
      const connection = { brokers: shared, clientId: 'contract' }
      assert.throws(() => createProducer(connection, { driver, compression }), {
        code: 'UNSUPPORTED_COMPRESSION',
        kind: 'config',
        message: /none, gzip, snappy, lz4, zstd/,
      })
    })

    test('partitions are counted; a missing topic is an error, and is not created', async () => {
      const topic = await createTopic(shared, { partitions: 5 })
      await using producer = await startProducer(driver)
      assert.equal(await producer.partitionCount(topic, deadline()), 5)
      const missing = { code: 'UNKNOWN_TOPIC_OR_PARTITION', kind: 'config' }
      await assert.rejects(producer.partitionCount(`${topic}-missing`, deadline()), missing)
      await assert.rejects(producer.partitionCount(`${topic}-missing`, deadline()), missing)
    })

    test('a send to a topic that stays missing is given up', async () => {
      await using producer = await startProducer(driver, { retryBackoffMs: 1 })
      const sending = producer.send(recordsOf('t-never-made', ['x']), deadline())
      await assert.rejects(sending, { code: 'UNKNOWN_TOPIC_OR_PARTITION', kind: 'config' })
      assert.equal(producer.inFlightBytes, 0)
    })

    test('an empty send resolves at once', async () => {
      await using producer = await startProducer(driver)
      assert.deepEqual((await producer.send([], deadline())).failures, [])
    })

    test('closing rejects the sends under way, and every later call', async () => {
      const topic = await createTopic(shared)
      const producer = await startProducer(driver)
      const sending = assert.rejects(producer.send(recordsOf(topic, ['x']), deadline()), { code: 'PRODUCER_CLOSED' })
      await Promise.all([producer.close(), producer.close(), sending])
      await assert.rejects(producer.send(recordsOf(topic, ['x']), deadline()), { code: 'PRODUCER_NOT_STARTED' })
    })
  })
}
