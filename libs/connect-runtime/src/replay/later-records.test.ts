import assert from 'node:assert/strict'
import { test } from 'node:test'
import { REPLAY_HEADER } from '@tributary/connect-api'
import type { LogReader, LogRecord } from '@tributary/kafka'
import { KeyBudget, LaterRecords, REPLAY_TIMESTAMP_HEADER } from './later-records.ts'

class FakeLog implements Pick<LogReader, 'offset' | 'scan'> {
  readonly records: LogRecord[] = []
  readonly scans: string[] = []

  add(key: string | null, timestamp: number, headers: Record<string, string> = {}, appended = false): void {
    this.records.push({
      ...{ partition: 0, offset: BigInt(this.records.length), timestamp, value: Buffer.of(), appended },
      key: key === null ? null : Buffer.from(key),
      headers: Object.entries(headers).map(([name, value]) => [Buffer.from(name), Buffer.from(value)]),
    })
  }
  offset(_topic: string, _partition: number, at: 'earliest' | 'latest' | number): Promise<bigint | null> {
    if (typeof at !== 'number') return Promise.resolve(at === 'latest' ? BigInt(this.records.length) : 0n)
    return Promise.resolve(this.records.find(({ timestamp }) => timestamp >= at)?.offset ?? null)
  }
  scan(_topic: string, _partition: number, from: bigint, onRecord: (record: LogRecord) => void): Promise<bigint> {
    this.scans.push(`${from}-${this.records.length}`)
    for (const record of this.records.slice(Number(from))) onRecord(record)
    return Promise.resolve(BigInt(this.records.length))
  }
}

const candidates = (...all: [string, number, number?][]) =>
  all.map(([key, timestamp, marginMs = 0]) => ({ key: Buffer.from(key), timestamp, marginMs, failedAt: null }))

test('a later record of the key supersedes; an earlier one, one of the same time, and one without a key do not', async () => {
  const log = new FakeLog()
  log.add('a', 10)
  log.add('b', 20)
  log.add(null, 30)
  log.add('c', 30)
  const later = new LaterRecords(log, new KeyBudget(10), 't', 0)
  assert.deepEqual(await later.supersede(candidates(['a', 10], ['b', 10], ['c', 30], ['d', 5])), [false, true, false, false]) // prettier-ignore
  assert.deepEqual(await later.supersede(candidates(['b', 15, 10])), [false], 'within the margin')
})

test('the partition is read once, then what was added, which counts too', async () => {
  const log = new FakeLog()
  for (let i = 0; i < 5; i++) log.add('x', i)
  const later = new LaterRecords(log, new KeyBudget(10), 't', 0)
  assert.deepEqual(await later.supersede(candidates(['a', 3])), [false])
  log.add('a', 9)
  assert.deepEqual(await later.supersede(candidates(['a', 4])), [true])
  assert.deepEqual(log.scans, ['3-5', '5-6'])
  assert.deepEqual(await later.supersede(candidates(['x', 1])), [true], 'an earlier letter needs more of the log')
})

test('of two candidates of a key the later one wins, whatever their order; what is not written supersedes nothing', async () => {
  const later = new LaterRecords(new FakeLog(), new KeyBudget(10), 't', 0)
  assert.deepEqual(await later.supersede(candidates(['a', 1], ['a', 3], ['a', 2])), [false, false, true])
  assert.deepEqual(await later.supersede(candidates(['a', 1])), [false], 'the batch may not have been written')
})

test("a replayed record counts by the time that it had, not by the broker's", async () => {
  const log = new FakeLog()
  log.add('a', 1000, { [REPLAY_HEADER]: 'r', [REPLAY_TIMESTAMP_HEADER]: '5' })
  log.add('b', 1000, { [REPLAY_HEADER]: 'r', [REPLAY_TIMESTAMP_HEADER]: '50' })
  log.add('c', 1000, { [REPLAY_TIMESTAMP_HEADER]: '5' })
  const later = new LaterRecords(log, new KeyBudget(10), 't', 0)
  assert.deepEqual(await later.supersede(candidates(['a', 10], ['b', 10], ['c', 10])), [false, true, true])
})

test('where the broker gives the times, a record is later than the failure, and not than what the event says', async () => {
  const log = new FakeLog()
  log.add('before', 10_500, {}, true)
  log.add('after', 12_000, {}, true)
  const later = new LaterRecords(log, new KeyBudget(10), 't', 0)
  const asked = candidates(['before', 10], ['after', 10]).map((all) => ({ ...all, failedAt: 10_000 }))
  assert.deepEqual(await later.supersede(asked), [false, true])
})

test('with more keys than may be kept it knows the same, and keeps none', async () => {
  const log = new FakeLog()
  for (let i = 0; i < 100; i++) log.add(`k${i}`, 100 + i)
  const budget = new KeyBudget(20)
  const later = new LaterRecords(log, budget, 't', 0)
  const asked = candidates(['k99', 50], ['k99', 199], ['k7', 107], ['none', 50])
  for (let round = 0; round < 2; round++) assert.deepEqual(await later.supersede(asked), [true, false, false, false])
  let free = 0
  while (budget.take()) free++
  assert.equal(free, 20)
})

test('long keys are told apart', async () => {
  const log = new FakeLog()
  const long = 'x'.repeat(100)
  log.add(`${long}1`, 10)
  const later = new LaterRecords(log, new KeyBudget(10), 't', 0)
  assert.deepEqual(await later.supersede(candidates([`${long}1`, 5], [`${long}2`, 5])), [true, false])
})
