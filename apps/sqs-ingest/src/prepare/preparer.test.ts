import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError, DataError, RetriableError } from '@tributary/connect-api'
import { newSqs, numbered, Rig, type RigOptions } from '../../test/task-rig.ts'
import type { Conversion, Unmatched } from '../task-parts.ts'

async function scene(bodies: readonly string[], options: RigOptions = {}) {
  const sqs = newSqs()
  const queue = sqs.create('orders')
  for (const body of bodies) sqs.send(queue, body)
  const rig = await new Rig(sqs, () => [queue], options).open()
  return { sqs, queue, rig }
}

/** Converts to the body what `fails` does not throw for. Counts the tries by body. */
function converter(fails: (body: string, tries: number) => void): Conversion & { tries: Map<string, number> } {
  const tries = new Map<string, number>()
  return {
    tries,
    convert({ body }) {
      tries.set(body, (tries.get(body) ?? 0) + 1)
      fails(body, tries.get(body)!)
      return { value: body }
    },
  }
}

const bad = (): never => {
  throw new DataError('SQS_JSON', 'is no JSON')
}

test('messages that become large wait to be converted while those that are converted fill the room', async () => {
  const value = 'x'.repeat(100_000)
  const objects = Promise.withResolvers<void>()
  let conversions = 0
  const convert = async () => {
    conversions++
    await objects.promise
    return { value }
  }
  const { rig } = await scene(numbered(200), { converter: { convert }, options: { maxBytes: 1_000_000 } })
  await rig.clock.advance(1000)
  assert.equal(rig.stats.messagesReceived, 200, 'they are small when they come')
  objects.resolve()
  await rig.clock.advance(1000)
  assert.equal(conversions, 10, 'ten fill the room')
  while (rig.kafka.length < 200) await rig.deliver()
  assert.deepEqual([rig.stats.queueSize, rig.stats.queueBytes, rig.counters.deleted], [0, 0, 200])
  await rig.stop()
})

describe('a message that cannot be converted', () => {
  test('is tried max.retries times again, with a wait that doubles, and is then a dead letter; others go on', async () => {
    const failing = converter((body) => body === 'm1' && bad())
    const { sqs, queue, rig } = await scene(numbered(3), { converter: failing })
    await rig.deliver()
    assert.deepEqual(rig.kafka, ['m0', 'm2'])
    assert.deepEqual(sqs.visible(queue), [])
    await rig.clock.advance(1300 + 2600 + 5200)
    const letter = (await rig.poll())[0]!
    assert.deepEqual([letter.topic, letter.value, failing.tries.get('m1')], ['dlq', 'm1', 4])
    assert.deepEqual(letter.headers?.at(-1), { name: 'retry.count', value: 3 })
    assert.deepEqual(sqs.bodies(queue), ['m1'], 'it is deleted only when the dead-letter queue has it')
    await rig.acknowledge()
    await rig.clock.advance(300)
    assert.deepEqual(sqs.bodies(queue), [])
    assert.deepEqual([rig.counters.failed, rig.counters.retried, rig.counters.deadLettered], [4, 3, 1])
    await rig.stop()
  })

  test('is a record like any other when a later try converts it', async () => {
    const failing = converter((_body, tries) => tries < 3 && bad())
    const { rig } = await scene(['a'], { converter: failing })
    await rig.clock.advance(5000)
    await rig.deliver()
    assert.deepEqual([rig.kafka, rig.counters.deleted], [['a'], 1])
    await rig.stop()
  })

  test('goes back to its queue without a dead-letter queue, for a time that doubles', async () => {
    const failing = converter(bad)
    const options = { maxRetries: 1, deadLetters: false }
    const { sqs, queue, rig } = await scene(['a'], { converter: failing, options })
    const hidden: number[] = []
    for (let i = 0; i < 12; i++) {
      await rig.clock.advance(2000)
      hidden.push(Math.round(sqs.hiddenFor(queue, 'a') / 10_000) * 10)
      await rig.clock.advance(sqs.hiddenFor(queue, 'a'))
    }
    assert.deepEqual(hidden.slice(0, 5), [30, 60, 120, 240, 480])
    assert.equal(hidden.at(-1), 43_200, 'twelve hours')
    await rig.clock.advance(2000)
    assert.match(rig.task.caution!() ?? '', /13 messages went back to queue orders/)
    await rig.clock.advance(3_600_000)
    assert.equal(rig.task.caution!(), null)
    assert.equal(sqs.count('delete'), 0)
    await rig.stop()
  })

  test('is no dead letter because of an outage, however long that is', async () => {
    let away = true
    const failing = converter(() => {
      if (away) throw new RetriableError('SQS_OUTAGE', 'S3 is away')
    })
    const { sqs, queue, rig } = await scene(numbered(2), { converter: failing })
    await rig.clock.advance(3_600_000)
    assert.match(rig.task.caution!() ?? '', /2 messages of queue orders wait to be converted: S3 is away\./)
    assert.deepEqual([sqs.receivesOf(queue, 'm0'), rig.counters.failed], [1, 0])
    away = false
    await rig.clock.advance(60_000)
    await rig.deliver()
    assert.deepEqual(new Set(rig.kafka), new Set(numbered(2)))
    assert.equal(rig.task.caution!(), null)
    await rig.stop()
  })

  test('fails the task if a user must change something', async () => {
    const failing = converter(() => {
      throw new ConfigError('SQS_DENIED', 'grant s3:GetObject')
    })
    const { sqs, queue, rig } = await scene(['a'], { converter: failing })
    await assert.rejects(rig.pollNow(), /grant s3:GetObject/)
    await rig.stop()
    await rig.clock.advance(50)
    assert.deepEqual(sqs.visible(queue), ['a'])
  })
})

test('of conversions that wait for another system, message.claimcheck.parallel.max are under way at a time, and all arrive', async () => {
  let [now, most] = [0, 0]
  const sqs = newSqs()
  const slow: Conversion = {
    convert: async ({ body }) => {
      most = Math.max(most, ++now)
      await sqs.clock.sleep(50)
      now--
      return { value: body }
    },
  }
  const queue = sqs.create('orders')
  for (const body of numbered(100)) sqs.send(queue, body)
  const rig = await new Rig(sqs, () => [queue], { converter: slow, options: { maxConversions: 5 } }).open()
  await rig.clock.advance(10_000)
  await rig.deliver()
  assert.deepEqual([most, rig.kafka.length], [5, 100])
  await rig.stop()
})

describe('a message that the filter policy does not match', () => {
  const filter = (unmatched: Unmatched) => ({ matches: ({ body }: { body: string }) => body !== 'm1', unmatched })

  test('stays in its queue with `keep`, hidden for a time that doubles', async () => {
    const { sqs, queue, rig } = await scene(numbered(3), { filter: filter('keep') })
    await rig.deliver()
    assert.deepEqual([rig.kafka, sqs.bodies(queue)], [['m0', 'm2'], ['m1']])
    await rig.clock.advance(30_000)
    assert.equal(Math.round(sqs.hiddenFor(queue, 'm1') / 10_000), 6)
    assert.equal(rig.counters.filtered, 2)
    await rig.stop()
  })

  test('is deleted with `delete`', async () => {
    const { sqs, queue, rig } = await scene(numbered(3), { filter: filter('delete') })
    await rig.deliver()
    assert.deepEqual([rig.kafka, sqs.bodies(queue), rig.counters.filtered], [['m0', 'm2'], [], 1])
    await rig.stop()
  })

  test('is a dead letter with `dlq`, and deleted when Kafka has it', async () => {
    const { sqs, queue, rig } = await scene(numbered(3), { filter: filter('dlq') })
    const records = await rig.poll()
    assert.deepEqual(
      records.map(({ topic, value }) => [topic, value]),
      [
        ['t', 'm0'],
        ['dlq', 'm1'],
        ['t', 'm2'],
      ],
    )
    assert.equal(sqs.bodies(queue).length, 3)
    await rig.deliver()
    assert.deepEqual(sqs.bodies(queue), [])
    await rig.stop()
  })
})
