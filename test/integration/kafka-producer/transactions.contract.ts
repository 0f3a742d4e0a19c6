import { consoleConsume, apiKeys, type ProxiedKafka } from '@tributary/harness'
import type { ProducerDriver } from '@tributary/kafka-producer'
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import { createTopic } from '../../support/kafka-topic.ts'
import { assertCommitted, deadline, range, recordsOf, shared, startProducer, strings, valuesIn } from './support.ts'

const committed = { committed: true }

/** @param kafka the broker of this contract's own, which the tests kill and start again */
export function transactionContract(driver: ProducerDriver, kafka: () => ProxiedKafka): void {
  describe('transactions', () => {
    test('a read_committed consumer sees no record of an open transaction, and all records of a committed one, over several topics', async () => {
      const records = await createTopic(shared, { partitions: 2 })
      const offsets = await createTopic(shared)
      await using producer = await startProducer(driver, { transactionalId: randomUUID() })
      producer.beginTransaction()
      await producer.send(recordsOf(records, range(0, 100)), deadline())
      await Promise.all([
        producer.send(recordsOf(records, range(0, 50), 1), deadline()),
        producer.send(recordsOf(offsets, ['offset']), deadline()),
      ])
      assert.deepEqual(await valuesIn(shared, records, committed), [])
      assert.deepEqual(await valuesIn(shared, offsets, committed), [])
      await producer.commitTransaction(deadline())
      const want = strings(range(0, 100))
      await assertCommitted(shared, records, want)
      await assertCommitted(shared, records, strings(range(0, 50)), 1)
      await assertCommitted(shared, offsets, ['offset'])
    })

    test('no record of an aborted transaction between committed ones is seen, by Kafka’s own consumer either', async () => {
      const topic = await createTopic(shared)
      await using producer = await startProducer(driver, { transactionalId: randomUUID() })
      for (const round of range(0, 20)) {
        producer.beginTransaction()
        await producer.send(recordsOf(topic, range(round * 10, round * 10 + 10)), deadline())
        if (round % 3 === 1) await producer.abortTransaction(deadline())
        else await producer.commitTransaction(deadline())
      }
      const want = strings(range(0, 200).filter((i) => Math.floor(i / 10) % 3 !== 1))
      await assertCommitted(shared, topic, want)
      assert.deepEqual(
        await consoleConsume({ brokers: shared, topic, maxMessages: want.length, readCommitted: true }),
        want,
      )
    })

    test('commit waits for the sends; an empty transaction commits', async () => {
      const topic = await createTopic(shared)
      await using producer = await startProducer(driver, { transactionalId: randomUUID() })
      producer.beginTransaction()
      await producer.commitTransaction(deadline())
      producer.beginTransaction()
      const sends = range(0, 20).map((i) => producer.send(recordsOf(topic, [i]), deadline()))
      await producer.commitTransaction(deadline())
      await Promise.all(sends)
      await assertCommitted(shared, topic, strings(range(0, 20)))
    })

    test('a new producer fences the earlier one and aborts its open transaction', async () => {
      const topic = await createTopic(shared)
      const transactionalId = randomUUID()
      await using zombie = await startProducer(driver, { transactionalId })
      zombie.beginTransaction()
      await zombie.send(recordsOf(topic, ['zombie']), deadline())
      await using successor = await startProducer(driver, { transactionalId })
      await assert.rejects(zombie.send(recordsOf(topic, ['zombie']), deadline()), { code: 'PRODUCER_FENCED' })
      await assert.rejects(zombie.commitTransaction(deadline()), { code: 'PRODUCER_FENCED' })
      await assert.rejects(zombie.abortTransaction(deadline()), { code: 'PRODUCER_FENCED' })
      successor.beginTransaction()
      await successor.send(recordsOf(topic, ['successor']), deadline())
      await successor.commitTransaction(deadline())
      await assertCommitted(shared, topic, ['successor'])
    })

    test('a zombie that only commits is fenced too', async () => {
      const topic = await createTopic(shared)
      const transactionalId = randomUUID()
      await using zombie = await startProducer(driver, { transactionalId })
      zombie.beginTransaction()
      await zombie.send(recordsOf(topic, ['zombie']), deadline())
      await using successor = await startProducer(driver, { transactionalId })
      await assert.rejects(zombie.commitTransaction(deadline()), { code: 'PRODUCER_FENCED' })
      successor.beginTransaction()
      await successor.commitTransaction(deadline())
      await assertCommitted(shared, topic, [])
    })

    test('a record that is too large fails alone, and the transaction continues', async () => {
      const topic = await createTopic(shared, { config: { 'max.message.bytes': '1000' } })
      await using producer = await startProducer(driver, { transactionalId: randomUUID() })
      producer.beginTransaction()
      const result = await producer.send(recordsOf(topic, ['a', 'b'.repeat(2_000), 'c']), deadline())
      assert.deepEqual(
        result.failures.map(({ index }) => index),
        [1],
      )
      await producer.commitTransaction(deadline())
      await assertCommitted(shared, topic, ['a', 'c'])
    })

    test('after a failed send the transaction can only be aborted; the next transaction works', async () => {
      const topic = await createTopic(shared)
      await using producer = await startProducer(driver, { transactionalId: randomUUID(), retryBackoffMs: 1 })
      producer.beginTransaction()
      await producer.send(recordsOf(topic, ['one']), deadline())
      const missing = { code: 'UNKNOWN_TOPIC_OR_PARTITION' }
      await assert.rejects(producer.send(recordsOf('t-never-made', ['two']), deadline()), missing)
      await assert.rejects(producer.send(recordsOf(topic, ['three']), deadline()), missing)
      await assert.rejects(producer.commitTransaction(deadline()), missing)
      producer.beginTransaction()
      await producer.send(recordsOf(topic, ['four']), deadline())
      await producer.commitTransaction(deadline())
      await assertCommitted(shared, topic, ['four'])
    })

    test('records are sent only inside a transaction, and there is one transaction at a time', async () => {
      await using producer = await startProducer(driver, { transactionalId: randomUUID() })
      await assert.rejects(producer.send(recordsOf('t', ['x']), deadline()), { code: 'NO_TRANSACTION' })
      await assert.rejects(producer.commitTransaction(deadline()), { code: 'NO_TRANSACTION' })
      await producer.abortTransaction(deadline())
      producer.beginTransaction()
      assert.throws(() => producer.beginTransaction(), { code: 'TRANSACTION_OPEN' })
      await using plain = await startProducer(driver)
      assert.throws(() => plain.beginTransaction(), { code: 'NOT_TRANSACTIONAL' })
    })

    describe('with answers lost', () => {
      for (const request of ['addPartitionsToTxn', 'produce', 'endTxn'] as const) {
        test(`${request}: the transaction is committed once`, async () => {
          const { proxy, direct } = kafka()
          const topic = await createTopic(direct)
          await using producer = await startProducer(driver, { transactionalId: randomUUID() }, [proxy.address])
          const lost = proxy.loseNextAnswerTo(apiKeys[request])
          producer.beginTransaction()
          await producer.send(recordsOf(topic, range(0, 100)), deadline())
          await producer.commitTransaction(deadline())
          await lost
          producer.beginTransaction()
          await producer.send(recordsOf(topic, ['next']), deadline())
          await producer.commitTransaction(deadline())
          await assertCommitted(direct, topic, [...strings(range(0, 100)), 'next'])
        })
      }

      test('after an abort no record of a batch in doubt appears, not even later', async () => {
        const { proxy, direct } = kafka()
        const topic = await createTopic(direct)
        const options = { transactionalId: randomUUID(), retryBackoffMs: 500 }
        await using producer = await startProducer(driver, options, [proxy.address])
        producer.beginTransaction()
        const lost = proxy.loseNextAnswerTo(apiKeys.produce)
        const sending = assert.rejects(producer.send(recordsOf(topic, ['doubtful']), deadline()), {
          code: 'TRANSACTION_ABORTED',
        })
        await lost
        if (driver === 'kafkajs') {
          // This producer cannot raise the epoch of a transactional id without fencing a successor, so it ends here.
          await assert.rejects(producer.abortTransaction(deadline()), {
            code: 'PRODUCER_FENCED',
          })
        } else {
          await producer.abortTransaction(deadline())
        }
        await sending
        await using next = driver === 'kafkajs' ? await startProducer(driver, options, [proxy.address]) : producer
        next.beginTransaction()
        await next.send(recordsOf(topic, ['next']), deadline())
        await next.commitTransaction(deadline())
        await assertCommitted(direct, topic, ['next'])
      })

      test('the broker is killed inside a transaction: the producer commits after the restart', async () => {
        const { proxy, broker, direct } = kafka()
        const topic = await createTopic(direct)
        await using producer = await startProducer(driver, { transactionalId: randomUUID() }, [proxy.address])
        producer.beginTransaction()
        await producer.send(recordsOf(topic, range(0, 100)), deadline())
        await broker.kill()
        const sending = producer.send(recordsOf(topic, range(100, 200)), deadline())
        const committing = producer.commitTransaction(deadline())
        await broker.start()
        await Promise.all([sending, committing])
        await assertCommitted(direct, topic, strings(range(0, 200)))
      })
    })
  })
}
