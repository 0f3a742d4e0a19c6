import { apiKeys, type ProxiedKafka, startProxiedKafka } from '@tributary/harness'
import { createProducerPool, type ProducerPool } from '@tributary/kafka-producer'
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTopic } from '../../support/kafka-topic.ts'
import { until } from '../../support/until.ts'
import { deadline, range, recordsOf, startInPool, strings, valuesIn } from './support.ts'

/** Without the copies that follow their original: a batch in doubt may be written twice. */
function withoutCopies(values: readonly string[]): string[] {
  return [...new Set(values)]
}

describe('producers of a process that share connections, producer id and requests', () => {
  let kafka: ProxiedKafka
  before(async () => {
    kafka = await startProxiedKafka()
  })
  after(() => kafka.stop())

  for (const driver of ['tributary', 'kafkajs'] as const) {
    describe(driver, () => {
      let pool: ProducerPool
      beforeEach(() => {
        pool = createProducerPool({ brokers: [kafka.proxy.address], clientId: 'shared' }, driver)
      })

      test('two hundred producers need no more connections than one, and keep the order of each partition', async () => {
        const topic = await createTopic(kafka.direct, { partitions: 3 })
        const accepted = kafka.proxy.accepted
        const producers = await Promise.all(range(0, 200).map(() => startInPool(pool)))
        for (const round of range(0, 5)) {
          const sends = producers.map((producer, i) =>
            producer.send(recordsOf(topic, [`${i}/${round}`], i % 3), deadline()),
          )
          await Promise.all(sends)
        }
        // One connection to the address of the configuration, one to the address that the broker names.
        assert.ok(kafka.proxy.accepted - accepted <= 2, `${kafka.proxy.accepted - accepted} connections`)
        for (const partition of [0, 1, 2]) {
          const values = await valuesIn(kafka.direct, topic, { partition })
          for (const i of range(0, 200).filter((n) => n % 3 === partition)) {
            const own = values.filter((value) => value.startsWith(`${i}/`))
            assert.deepEqual(own, range(0, 5).map((round) => `${i}/${round}`)) // prettier-ignore
          }
        }
        await Promise.all(producers.map((producer) => producer.close()))
      })

      for (const { title, config, bad, code } of [
        {
          title: 'too large',
          config: { 'max.message.bytes': '20000' },
          bad: '!'.repeat(30_000),
          code: 'RECORD_TOO_LARGE',
        },
        {
          title: 'without a key in a compacted topic',
          config: { 'cleanup.policy': 'compact' },
          bad: '!',
          code: 'INVALID_RECORD',
        },
      ]) {
        test(`a record that is ${title} fails alone, and the neighbours' are written in order`, async () => {
          const topic = await createTopic(kafka.direct, { config })
          const [a, b] = [await startInPool(pool), await startInPool(pool)]
          const keyed = (values: Iterable<string | number>) =>
            recordsOf(topic, values).map((record) => ({ ...record, key: Buffer.from('k') }))
          const sends = range(0, 10).flatMap((i) => [
            b.send(keyed([`b${i}`]), deadline()),
            a.send([...keyed([`a${i}`]), ...recordsOf(topic, [bad]), ...keyed([`A${i}`])], deadline()),
          ])
          const failures = (await Promise.all(sends)).map((result) => result.failures)
          failures.forEach((of, i) =>
            assert.deepEqual(
              of.map(({ index, error }) => [index, error.code]),
              i % 2 === 0 ? [] : [[1, code]],
            ),
          )
          const values = await valuesIn(kafka.direct, topic)
          assert.deepEqual(values.filter((value) => value.startsWith('b')), range(0, 10).map((i) => `b${i}`)) // prettier-ignore
          assert.deepEqual(values.filter((value) => /^a/i.test(value)), range(0, 10).flatMap((i) => [`a${i}`, `A${i}`])) // prettier-ignore
          await Promise.all([a.close(), b.close()])
        })
      }

      test('a missing topic ends the sends to it, while the neighbours write', async () => {
        const topic = await createTopic(kafka.direct)
        const [a, b] = [await startInPool(pool, { retryBackoffMs: 5 }), await startInPool(pool, { retryBackoffMs: 5 })]
        const missing = { code: 'UNKNOWN_TOPIC_OR_PARTITION' }
        const gone = assert.rejects(a.send(recordsOf(`${topic}-missing`, ['x']), deadline()), missing)
        for (const i of range(0, 20)) await b.send(recordsOf(topic, [i]), deadline())
        await gone
        await a.send(recordsOf(topic, ['a']), deadline())
        assert.deepEqual(await valuesIn(kafka.direct, topic), [...strings(range(0, 20)), 'a'])
        await Promise.all([a.close(), b.close()])
      })

      test('a producer without a lease writes nothing and delays nobody; with one again it writes in order', async () => {
        const topic = await createTopic(kafka.direct)
        let may = false
        const [a, b] = [await startInPool(pool, { maySend: () => may }), await startInPool(pool)]
        const waiting = range(0, 5).map((i) => a.send(recordsOf(topic, [`a${i}`]), deadline()))
        for (const i of range(0, 5)) await b.send(recordsOf(topic, [`b${i}`]), deadline())
        assert.deepEqual(await valuesIn(kafka.direct, topic), ['b0', 'b1', 'b2', 'b3', 'b4'])
        may = true
        await Promise.all(waiting)
        assert.deepEqual((await valuesIn(kafka.direct, topic)).slice(5), ['a0', 'a1', 'a2', 'a3', 'a4'])
        await Promise.all([a.close(), b.close()])
      })

      for (const how of ['loses its lease', 'is closed']) {
        test(`a producer that ${how} while its batch is in doubt writes no more; its neighbours lose nothing`, async () => {
          const topic = await createTopic(kafka.direct)
          let may = true
          const [a, b] = [await startInPool(pool, { maySend: () => may }), await startInPool(pool)]
          await b.send(recordsOf(topic, ['first']), deadline())
          const lost = kafka.proxy.loseNextAnswerTo(apiKeys.produce)
          const outcome = a.send(recordsOf(topic, ['a']), deadline()).then(
            () => 'written',
            (error: { code: string }) => error.code,
          )
          const kept = Promise.all(range(0, 5).map((i) => b.send(recordsOf(topic, [`b${i}`]), deadline())))
          await lost
          may = false
          if (how === 'is closed') await a.close()
          await kept
          await b.send(recordsOf(topic, ['last']), deadline())
          const values = await valuesIn(kafka.direct, topic)
          // The try whose answer was lost has written them; what was sent again holds nothing of `a`.
          assert.equal(values.filter((value) => value === 'a').length, 1)
          assert.deepEqual(
            withoutCopies(values.filter((value) => value !== 'a')),
            ['first', 'b0', 'b1', 'b2', 'b3', 'b4', 'last'],
          ) // prettier-ignore
          may = true
          assert.equal(await outcome, how === 'is closed' ? 'PRODUCER_CLOSED' : 'written')
          await Promise.all([a.close(), b.close()])
        })
      }

      test('an answer that cannot be read fails nobody: the same batches are sent again, and none is written twice', async () => {
        const topic = await createTopic(kafka.direct)
        const [a, b] = [await startInPool(pool), await startInPool(pool)]
        await a.send(recordsOf(topic, ['first']), deadline())
        for (let i = 0; i < 3; i++) {
          const spoiled = kafka.proxy.spoilNextAnswerTo(apiKeys.produce)
          await Promise.all([a, b].map((producer, n) => producer.send(recordsOf(topic, [`${n}/${i}`]), deadline())))
          await spoiled
        }
        const values = await valuesIn(kafka.direct, topic)
        assert.deepEqual(values.sort(), ['0/0', '0/1', '0/2', '1/0', '1/1', '1/2', 'first'])
        await Promise.all([a.close(), b.close()])
      })

      test('answers lost over and over, while producers come and go: nobody loses a record, and the order is kept', async () => {
        const topic = await createTopic(kafka.direct)
        const patient = await startInPool(pool, { retryBackoffMs: 2 })
        let stop = false
        const coming = (async () => {
          while (!stop) {
            const guest = await startInPool(pool, { retryBackoffMs: 2 })
            guest.send(recordsOf(topic, ['guest']), deadline()).catch(() => undefined)
            await sleep(5)
            await guest.close()
          }
        })()
        const sends = Promise.all(range(0, 200).map((i) => patient.send(recordsOf(topic, [i]), deadline())))
        let written = 0
        const more = (async () => {
          while (!stop) await patient.send(recordsOf(topic, [200 + written++]), deadline())
        })()
        for (let i = 0; i < 10; i++) await kafka.proxy.loseNextAnswerTo(apiKeys.produce)
        await sends
        stop = true
        await Promise.all([coming, more])
        const values = (await valuesIn(kafka.direct, topic)).filter((value) => value !== 'guest')
        assert.deepEqual(withoutCopies(values), strings(range(0, 200 + written)))
        await patient.close()
      })

      test('an outage is reported to each, and ends for each', async () => {
        const topic = await createTopic(kafka.direct)
        const states: string[] = []
        const producers = await Promise.all(
          ['a', 'b'].map((name) => startInPool(pool, { onOutage: (state) => states.push(`${name} ${state}`) })),
        )
        await Promise.all(producers.map((producer) => producer.send(recordsOf(topic, ['x']), deadline())))
        kafka.proxy.refuse()
        const sends = producers.map((producer) => producer.send(recordsOf(topic, ['y']), deadline()))
        await until('both are told', () => states.length >= 2)
        kafka.proxy.thaw()
        await Promise.all(sends)
        assert.deepEqual(states.sort(), ['a down', 'a up', 'b down', 'b up'])
        await Promise.all(producers.map((producer) => producer.close()))
      })
    })
  }
})
