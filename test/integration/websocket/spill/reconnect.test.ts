import { startProxiedKafka, type ProxiedKafka } from '@tributary/harness'
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startSpillRig } from './rig.ts'
import { until } from '../../../support/until.ts'

const RATE = 2000

let kafka: ProxiedKafka
before(async () => {
  kafka = await startProxiedKafka()
})
after(() => kafka.stop())

test('a feed that ends its connection while Kafka is away is connected again at once, and spills to disk', async (t) => {
  const rig = await startSpillRig(
    t,
    kafka,
    { rate: RATE, payloadBytes: 200 },
    {
      'overflow.policy': 'spill',
      'websocket.message.queue.size': '500',
      'max.poll.records': '100',
      'max.in.flight.records': '200',
    },
  )
  const { source } = rig
  const run = await rig.start()
  await until('the feed is read', () => source.head > RATE)
  rig.kafka('down')
  await until('messages go to disk', () => run.stats.messagesSpilled > 0)
  source.cut()
  await until('there is another connection, and Kafka is still away', () => source.given.length === 2)
  const before = run.stats.messagesSpilled
  await until('its messages go to disk, too', () => run.stats.messagesSpilled > before + RATE)
  rig.kafka('up')
  const last = source.end()
  const numbers = await until('the last number is in the topic', async () => {
    const all = await rig.numbers()
    return all.at(-1) === last && all
  })
  const { from, to } = source.given[1]!
  const second = numbers.slice(numbers.indexOf(from))
  assert.deepEqual(
    second,
    Array.from({ length: to - from + 1 }, (_, i) => from + i),
    'the second connection, behind the first',
  )
  assert.equal(new Set(numbers).size, numbers.length, 'none twice')
  const connects = rig.events('websocket_opened').length
  assert.equal(connects, 2)
})
