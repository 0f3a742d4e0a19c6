import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '@tributary/async'
import { ConfigError, type DeadLetter, type ReplayOutcome } from '@tributary/connect-api'
import type { LogRecord, RecordAddress } from '@tributary/kafka'
import { producerErrors, type ProducerRecord, type ProduceResult } from '@tributary/kafka-producer'
import { NotSent } from '../task/beside.ts'
import { BatchReplay, type BatchReplayParts } from './batch-replay.ts'
import type { EncodedLetter } from './letter-encoder.ts'
import { failed, later } from './outcomes.ts'

const address = (i: number) => ({ topic: 'dlq', partition: 0, offset: String(i) })
const letters = (count: number) => Array.from({ length: count }, (_, i) => address(i))

/** A batch over fakes. `encode` and `send` may be replaced; `remembered` outlives a batch. */
function scene() {
  const made = {
    remembered: new Map<string, ReplayOutcome>(),
    reads: [] as number[],
    sent: [] as string[][],
    over: new AbortController(),
    read: (addresses: readonly RecordAddress[]): Promise<(LogRecord | null)[]> => {
      made.reads.push(addresses.length)
      return Promise.resolve(
        addresses.map(
          ({ offset }) =>
          offset === 7n
            ? null
            : { partition: 0, offset, timestamp: 1, key: Buffer.from('k'), value: Buffer.from(String(offset)), headers: [] }, // prettier-ignore
        ),
      )
    },
    encode: ({ value }: DeadLetter, _signal: AbortSignal): Promise<EncodedLetter | ReplayOutcome> => {
      const record: ProducerRecord = { topic: 't', partition: 0, key: Buffer.from('k'), value, timestamp: 1 }
      return Promise.resolve({ record, placed: true, marginMs: 0, failedAt: null })
    },
    supersede: (count: number): Promise<boolean[]> => Promise.resolve(Array.from({ length: count }, () => false)),
    send: (records: readonly ProducerRecord[]): Promise<ProduceResult> => {
      made.sent.push(records.map(({ value }) => String(value)))
      return Promise.resolve({ offset: (i) => BigInt(i), failures: [] })
    },
    run: (count: number, more: Partial<BatchReplayParts> = {}): Promise<readonly ReplayOutcome[]> =>
      new BatchReplay(letters(count), {
        session: {
          read: (addresses) => made.read(addresses),
          supersede: (_topic, _partition, candidates) => made.supersede(candidates.length),
          outcomeOf: ({ offset }) => made.remembered.get(offset),
          remember: ({ offset }, outcome) => void made.remembered.set(offset, outcome),
        },
        encoder: { encode: (letter, signal) => made.encode(letter, signal) },
        ...{ force: false, show: null, clock: systemClock },
        beside: { send: (records) => made.send(records), ends: made.over.signal },
        ...more,
      }).run(),
  }
  return made
}

const kinds = (outcomes: readonly ReplayOutcome[]): string[] => outcomes.map(({ outcome }) => outcome)

test('letters are written in their order; one that is gone, filtered or bad does not hold up the others', async () => {
  const s = scene()
  const { encode } = s
  s.encode = (letter, signal) => {
    if (String(letter.value) === '1') return Promise.resolve({ outcome: 'filtered' })
    if (String(letter.value) === '2') return Promise.resolve(failed(new Error('bad'), 'TRANSFORMATION'))
    return encode(letter, signal)
  }
  const wanted = ['written', 'filtered', 'failed', 'written', 'written', 'written', 'written', 'gone', 'written']
  assert.deepEqual(kinds(await s.run(9)), wanted)
  assert.deepEqual(s.sent.flat(), ['0', '3', '4', '5', '6', '8'])
  assert.deepEqual(kinds(await s.run(10)), [...wanted, 'written'])
  assert.deepEqual(s.sent.flat().slice(6), ['9'], 'what is known is not written again')
})

test('nothing overtakes a letter that is to be tried again, and that one is not remembered', async () => {
  const s = scene()
  const { encode } = s
  s.encode = (letter, signal) =>
    String(letter.value) === '2' ? Promise.resolve(later('the registry is away')) : encode(letter, signal)
  assert.deepEqual(kinds(await s.run(5)), ['written', 'written', 'later', 'later', 'later'])
  s.encode = encode
  assert.deepEqual(kinds(await s.run(5)), ['written', 'written', 'written', 'written', 'written'])
  assert.deepEqual(s.sent.flat(), ['0', '1', '2', '3', '4'])
})

for (const [what, breaks] of [
  ['the letters cannot be read', { read: () => Promise.reject(producerErrors.KAFKA_NO_ANSWER('away')) }],
  ['the topic cannot be read', { supersede: () => Promise.reject(producerErrors.KAFKA_NO_ANSWER('away')) }],
  ['nothing could be sent', { send: () => Promise.reject(new NotSent('away')) }],
] as const) {
  test(`an outage of Kafka fails no letter: ${what}`, async () => {
    const s: ReturnType<typeof scene> = Object.assign(scene(), breaks as Partial<ReturnType<typeof scene>>)
    const outcomes = await s.run(3)
    assert.deepEqual(kinds(outcomes), ['later', 'later', 'later'])
    assert.match(JSON.stringify(outcomes[0]), /NETWORK_TIMEOUT.*away/)
  })
}

test('what Kafka refuses has failed: single records, and a topic that takes none', async () => {
  const s = scene()
  const { send } = s
  s.send = async (records) => {
    await send(records)
    const error = producerErrors.RECORD_TOO_LARGE('too large')
    return { offset: (i) => (i === 1 ? null : 5n), failures: [{ index: 1, error }] }
  }
  assert.deepEqual(kinds(await s.run(3)), ['written', 'failed', 'written'])
  s.remembered.clear()
  const denied = new ConfigError('TOPIC_AUTHORIZATION_FAILED', 'no right')
  s.send = () => Promise.reject(new NotSent('aborted', { cause: denied }))
  assert.match(JSON.stringify(await s.run(1)), /"failed".*no right/)
})

test('the end of the task ends the waits: what Kafka does not have comes later', async () => {
  const s = scene()
  const { encode } = s
  const waits = Promise.withResolvers<void>()
  s.encode = (letter, signal) => {
    if (String(letter.value) !== '1') return encode(letter, signal)
    waits.resolve()
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(later(signal.reason))))
  }
  const run = s.run(3)
  await waits.promise
  s.over.abort()
  assert.deepEqual(kinds(await run), ['later', 'later', 'later'])
  assert.deepEqual([s.sent, s.remembered.size], [[], 0])
})

test('what comes before a letter that waits in vain is written', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let now = 0
  const s = scene()
  const { encode } = s
  const waits = Promise.withResolvers<void>()
  s.encode = (letter, signal) => {
    if (String(letter.value) !== '1') return encode(letter, signal)
    waits.resolve()
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(later(signal.reason))))
  }
  const run = s.run(3, { clock: { ...systemClock, monotonic: () => now } })
  await waits.promise
  now = 5000
  t.mock.timers.tick(500)
  assert.deepEqual(kinds(await run), ['written', 'later', 'later'])
})

test('a dry run shows and remembers nothing', async () => {
  const s = scene()
  const show: BatchReplayParts['show'] = ({ topic }) => {
    return { topic, partition: 0, key: null, value: null, headers: [], timestamp: 1 }
  }
  const outcomes = await s.run(8, { show })
  assert.deepEqual(kinds(outcomes), [...Array.from({ length: 7 }, () => 'would-write'), 'gone'])
  assert.deepEqual([s.sent, s.remembered.size], [[], 0])
})

test('superseded letters are left out, unless that is forced', async () => {
  const s = scene()
  s.supersede = () => Promise.resolve([false, true, false])
  assert.deepEqual(kinds(await s.run(3)), ['written', 'superseded', 'written'])
  s.remembered.clear()
  assert.deepEqual(kinds(await s.run(3, { force: true })), ['written', 'written', 'written'])
})
