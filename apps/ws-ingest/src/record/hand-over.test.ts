import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Props, SourceOffset } from '@tributary/connect-api'
import { type ConnectionInfo, Frame } from '../message/message.ts'
import {
  FIRST,
  KEYED,
  keyed,
  messagesIn,
  NEVER,
  NOW,
  NUMBERED,
  numbers,
  offsets,
  range,
  read,
  readFeed,
  URL,
} from './testing.ts'

/** By a connection that the run before had, from the disk. */
const FORMER: ConnectionInfo = { number: 0 }

describe('a hand-over', () => {
  /** The second run gets from `overlap` on what the first one got, too. */
  async function handedOver(
    props: Props,
    first: readonly unknown[],
    second: readonly unknown[],
    committed: SourceOffset,
  ) {
    const former = readFeed(props)
    const before = messagesIn(await read(former, first))
    const next = readFeed(props)
    const offset = offsets([[{ websocket_url: URL }, committed]])
    next.source.takeOver({ offset, handOverState: former.source.handOver() }, true)
    const after = messagesIn(await read(next, second))
    return { all: [...before, ...after], next }
  }

  test('leaves out by number what the former run delivered', async () => {
    const { all, next } = await handedOver(NUMBERED, numbers(8, 9, 10), numbers(9, 10, 11, 12), { stream_sequence: 10 })
    assert.deepEqual(all, numbers(8, 9, 10, 11, 12))
    assert.deepEqual([next.stats.duplicates, next.stats.sequenceGaps], [2, 0])
  })

  test('leaves it out however long both runs were connected', async () => {
    const props = { ...NUMBERED, 'dedupe.window': '10' }
    const many = Array.from({ length: 500 }, (_, i) => ({ n: 100 + i }))
    const { all } = await handedOver(props, many, [...many, { n: 600 }], { stream_sequence: 599 })
    assert.equal(all.length, 501)
  })

  test('leaves it out also when the former run has left more than that on disk', async () => {
    const next = readFeed({ ...NUMBERED, 'dedupe.window': '10' })
    next.source.takeOver({ offset: () => ({ stream_sequence: 100 }), handOverState: null }, true)
    const onDisk = await read(next, numbers(...range(101, 300)), FORMER)
    const own = await read(next, numbers(...range(150, 310)))
    assert.deepEqual(messagesIn([...onDisk, ...own]), numbers(...range(101, 310)))
    assert.deepEqual([next.stats.duplicates, next.stats.sequenceGaps], [151, 0])
  })

  test('takes numbers that begin anew for new once the former run is over', async () => {
    const next = readFeed({ ...KEYED, 'dedupe.window': '10' })
    next.source.takeOver({ offset: () => ({ stream_sequence: 1_000_000 }), handOverState: null }, true)
    assert.equal((await read(next, keyed('rare', 999_000))).length, 0)
    const later = (message: unknown): Frame => new Frame(Buffer.from(JSON.stringify(message)), false, NOW + 1, FIRST)
    const records = await next.source.records(keyed('rare', 5000, 5001, 5002).map(later), NEVER)
    assert.deepEqual(messagesIn(records), keyed('rare', 5000, 5001, 5002))
    assert.deepEqual(
      next.events.map(([event, { reason }]) => [event, reason]),
      [
        ['sequence_duplicate', undefined],
        ['sequence_gap', 'reset'],
      ],
    )
  })

  test('knows of messages that made no record', async () => {
    const props = { ...NUMBERED, 'record.skip.match': 'skip' }
    const first = [{ n: 1 }, { n: 2, skip: true }]
    const { all, next } = await handedOver(props, first, [{ n: 3 }], { stream_sequence: 1 })
    assert.deepEqual(all, numbers(1, 3))
    assert.equal(next.stats.sequenceGaps, 0)
  })

  test('leaves out by id what the former run delivered', async () => {
    const ids = (...all: string[]): { id: string }[] => all.map((id) => ({ id }))
    const { all, next } = await handedOver({ 'dedupe.field': 'id' }, ids('a', 'b', 'c'), ids('b', 'c', 'd'), {})
    assert.deepEqual(all, ids('a', 'b', 'c', 'd'))
    assert.equal(next.stats.sequenceGaps, 0)
  })

  test('leaves out nothing where both runs read their numbers in different places', async () => {
    const former = readFeed(NUMBERED)
    await read(former, numbers(100, 101))
    const next = readFeed({ 'sequence.field': 'm' })
    const offset = (): SourceOffset => ({ sequence: 2, stream_sequence: 101 })
    next.source.takeOver({ offset, handOverState: former.source.handOver() }, true)
    assert.equal((await read(next, [{ m: 50 }])).length, 1)
  })

  test('leaves out by number although ids are read as well from now on', async () => {
    const former = readFeed(NUMBERED)
    await read(former, numbers(100, 101))
    const next = readFeed({ ...NUMBERED, 'dedupe.field': 'id' })
    next.source.takeOver({ offset: () => ({ stream_sequence: 101 }), handOverState: former.source.handOver() }, true)
    assert.deepEqual(messagesIn(await read(next, numbers(101, 102))), numbers(102))
  })

  test('takes a memo of another version for none', async () => {
    const next = readFeed(NUMBERED)
    for (const memo of ['', '{"version":2}', '[]', 'null', '{"version":1,"last":[1]}']) {
      next.source.takeOver({ offset: () => ({ stream_sequence: 101 }), handOverState: memo }, true)
    }
    assert.deepEqual(messagesIn(await read(next, numbers(101, 102))), numbers(102))
  })

  test('counts on with the records', async () => {
    const { next } = await handedOver(NUMBERED, numbers(1, 2, 3), [], { sequence: 3, stream_sequence: 3 })
    assert.equal((await read(next, numbers(4)))[0]!.sourceOffset['sequence'], 4)
  })

  test('knows the last 6000 ids', async () => {
    const ids = Array.from({ length: 10_000 }, (_, id) => ({ id }))
    const { all, next } = await handedOver({ 'dedupe.field': 'id' }, ids, ids.slice(-6000), {})
    assert.deepEqual([all.length, next.stats.duplicates], [10_000, 6000])
  })

  test('says no more than the contract allows', async () => {
    const former = readFeed({ ...KEYED, 'dedupe.field': 'd.id' })
    const all = Array.from({ length: 12_000 }, (_, i) => ({ d: { s: `stream-${i % 9000}-é`, n: i, id: `id-${i}` } }))
    await read(former, all)
    assert.ok(Buffer.byteLength(former.source.handOver()) <= 64 * 1024)
  })

  test('after the death of the former run is a gap, where no numbers tell', async () => {
    const next = readFeed({}, { offset: () => ({ sequence: 5 }) })
    next.source.takeOver({ offset: () => ({ sequence: 5 }), handOverState: null }, true)
    assert.equal((await read(next, ['a'])).length, 1)
    assert.equal(next.stats.sequenceGaps, 1)
  })

  test('without numbers and without a death is no gap', async () => {
    const former = readFeed({})
    await read(former, ['a'])
    const next = readFeed({}, { offset: () => ({ sequence: 1 }) })
    next.source.takeOver({ offset: () => ({ sequence: 1 }), handOverState: former.source.handOver() }, true)
    await read(next, ['b'])
    assert.equal(next.stats.sequenceGaps, 0)
  })
})
