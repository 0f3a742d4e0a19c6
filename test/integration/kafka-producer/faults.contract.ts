import { apiKeys, type ProxiedKafka } from '@tributary/harness'
import { createProducer, type ProducerDriver } from '@tributary/kafka-producer'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTopic, readPartition } from '../../support/kafka-topic.ts'
import { until } from '../../support/until.ts'
import { deadline, range, recordsOf, startProducer, strings, valuesIn } from './support.ts'

/** @param kafka the broker of this contract's own, which the tests kill and start again */
export function faultContract(driver: ProducerDriver, kafka: () => ProxiedKafka): void {
  describe('faults', () => {
    test('a batch whose answer was lost is kept once', async () => {
      const { proxy, direct } = kafka()
      const topic = await createTopic(direct, { partitions: 2 })
      await using producer = await startProducer(driver, {}, [proxy.address])
      await producer.send(recordsOf(topic, ['first']), deadline())
      const lost = proxy.loseNextAnswerTo(apiKeys.produce)
      const results = await Promise.all([
        producer.send(recordsOf(topic, range(0, 100)), deadline()),
        producer.send(recordsOf(topic, range(0, 100), 1), deadline()),
      ])
      await lost
      await producer.send(recordsOf(topic, ['last']), deadline())
      assert.deepEqual(await valuesIn(direct, topic), ['first', ...strings(range(0, 100)), 'last'])
      assert.deepEqual(await valuesIn(direct, topic, { partition: 1 }), strings(range(0, 100)))
      assert.deepEqual([results[0].offset(0), results[0].offset(99), results[1].offset(0)], [1n, 100n, 0n])
    })

    test('answers lost over and over: all kept once, in order', async () => {
      const { proxy, direct } = kafka()
      const topic = await createTopic(direct)
      await using producer = await startProducer(driver, { maxRequestRecords: 20, retryBackoffMs: 2 }, [proxy.address])
      const sends = Promise.all(
        range(0, 100).map((i) => producer.send(recordsOf(topic, range(i * 10, i * 10 + 10)), deadline())),
      )
      for (let i = 0; i < 10; i++) await proxy.loseNextAnswerTo(apiKeys.produce)
      await sends
      assert.deepEqual(await valuesIn(direct, topic), strings(range(0, 1_000)))
    })

    test('a connection on which nothing moves is given up after the request timeout, and the batch is kept once', async () => {
      const { proxy, direct } = kafka()
      const topic = await createTopic(direct)
      const states: string[] = []
      let onDown = (): void => undefined
      const down = new Promise<void>((resolve) => (onDown = resolve))
      const onOutage = (state: 'down' | 'up'): void => {
        states.push(state)
        if (state === 'down') onDown()
      }
      await using producer = await startProducer(driver, { requestTimeoutMs: 300, onOutage }, [proxy.address])
      await producer.send(recordsOf(topic, ['first']), deadline())
      proxy.freeze()
      const sending = producer.send(recordsOf(topic, ['second']), deadline())
      await down
      proxy.thaw()
      await sending
      assert.deepEqual(await valuesIn(direct, topic), ['first', 'second'])
      assert.deepEqual(states, ['down', 'up'])
    })

    test('kill -9 of the broker under load: each acknowledged record is written once, in order, and the outage is reported', async () => {
      const { proxy, broker, direct } = kafka()
      const topic = await createTopic(direct, { partitions: 2 })
      const states: string[] = []
      const onOutage = (state: string): number => states.push(state)
      await using producer = await startProducer(driver, { onOutage: (state) => onOutage(state) }, [proxy.address])
      let acknowledged = 0
      let stop = false
      const lane = async (partition: number): Promise<number> => {
        let next = 0
        while (!stop) {
          await producer.send(recordsOf(topic, range(next, next + 50), partition), deadline())
          next += 50
          acknowledged += 50
        }
        return next
      }
      const lanes = Promise.all([lane(0), lane(1)])
      await until('2,000 records are acknowledged', () => acknowledged >= 2_000)
      await broker.kill()
      await broker.start()
      const restarted = acknowledged
      await until('2,000 more are acknowledged', () => acknowledged >= restarted + 2_000)
      stop = true
      const counts = await lanes
      for (const partition of [0, 1]) {
        assert.deepEqual(await valuesIn(direct, topic, { partition }), strings(range(0, counts[partition]!)))
      }
      // A broker that just came back may be without leadership for another moment: an outage of its own.
      assert.ok(states.length >= 2)
      states.forEach((state, i) => assert.equal(state, i % 2 === 0 ? 'down' : 'up'))
      assert.equal(states.at(-1), 'up')
      assert.equal(producer.inFlightBytes, 0)
    })

    test('during an outage the signal ends a send, and what waits stays bounded by what was handed over', async () => {
      const { proxy, broker, direct } = kafka()
      const topic = await createTopic(direct)
      await using producer = await startProducer(driver, { retryBackoffMs: 5 }, [proxy.address])
      await producer.send(recordsOf(topic, ['before']), deadline())
      await broker.kill()
      const stopped = new AbortController()
      const abandoned = producer.send(recordsOf(topic, range(0, 1_000)), stopped.signal)
      const handed = producer.inFlightBytes
      const patient = producer.send(recordsOf(topic, ['after']), deadline())
      const accepted = proxy.accepted
      const end = deadline()
      while (proxy.accepted < accepted + 20) await sleep(5, undefined, { signal: end })
      assert.ok(producer.inFlightBytes < handed + 200, 'retries take no room of their own')
      stopped.abort(new Error('enough'))
      await assert.rejects(abandoned, { message: 'enough' })
      assert.ok(producer.inFlightBytes > 0 && producer.inFlightBytes < 200, 'only the patient send is left')
      await broker.start()
      await patient
      const kept = await valuesIn(direct, topic)
      assert.equal(kept[0], 'before')
      assert.equal(kept.at(-1), 'after')
    })

    test('records sent after a doubtful batch was given up are never taken for it', async () => {
      const { proxy, direct } = kafka()
      const topic = await createTopic(direct)
      await using producer = await startProducer(driver, { retryBackoffMs: 300 }, [proxy.address])
      await producer.send(recordsOf(topic, ['before']), deadline())
      const stopped = new AbortController()
      const lost = proxy.loseNextAnswerTo(apiKeys.produce)
      const abandoned = assert.rejects(producer.send(recordsOf(topic, ['doubtful']), stopped.signal), {
        message: 'stop',
      })
      await lost
      stopped.abort(new Error('stop'))
      await abandoned
      // As many records as the doubtful batch: with its sequence numbers the broker would call them duplicates.
      const result = await producer.send(recordsOf(topic, ['after']), deadline())
      assert.deepEqual(await valuesIn(direct, topic), ['before', 'doubtful', 'after'])
      assert.equal(result.offset(0), 2n)
    })

    test('start waits for Kafka until the signal', async () => {
      const { broker, proxy, direct } = kafka()
      await broker.kill()
      const options = { driver, retryBackoffMs: 20 }
      const waiting = createProducer({ brokers: [proxy.address], clientId: 'contract' }, options)
      const stopped = new AbortController()
      const starting = waiting.start(stopped.signal)
      const accepted = proxy.accepted
      const end = deadline()
      while (proxy.accepted < accepted + 3) await sleep(5, undefined, { signal: end })
      stopped.abort(new Error('enough'))
      await assert.rejects(starting, { message: 'enough' })
      const retried = waiting.start(deadline())
      await broker.start()
      await retried
      const topic = await createTopic(direct)
      await waiting.send(recordsOf(topic, ['x']), deadline())
      assert.equal((await readPartition(direct, topic)).length, 1)
      await waiting.close()
    })
  })
}
