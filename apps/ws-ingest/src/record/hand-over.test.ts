import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Props, SourceOffset } from '@tributary/connect-api'
import type { ConnectionInfo } from '../message/message.ts'
import type { MessageRun } from '../message/message-run.ts'
import { runOf } from '../message/testing.ts'
import {
  FIRST,
  KEYED,
  keyed,
  contentsOf,
  NOW,
  NUMBERED,
  numbers,
  offsets,
  range,
  read,
  readFeed,
  recordsFrom,
  URL,
} from './testing.ts'

/** A connection of the predecessor, whose messages come from disk. */
const PREDECESSOR: ConnectionInfo = { number: 0 }

describe('a hand-over', () => {
  /** Hands over from a run that received `first` to a run that receives `second`. */
  async function handedOver(
    props: Props,
    first: readonly unknown[],
    second: readonly unknown[],
    committed: SourceOffset,
  ) {
    const predecessor = readFeed(props)
    const before = contentsOf(await read(predecessor, first))
    const next = readFeed(props)
    const offset = offsets([[{ websocket_url: URL }, committed]])
    next.source.takeOver({ offset, handOverState: predecessor.source.handOver(NOW) }, true)
    const after = contentsOf(await read(next, second))
    return { all: [...before, ...after], next }
  }

  test('leaves out messages that the predecessor delivered, by number', async () => {
    const { all, next } = await handedOver(NUMBERED, numbers(8, 9, 10), numbers(9, 10, 11, 12), { stream_sequence: 10 })
    assert.deepEqual(all, numbers(8, 9, 10, 11, 12))
    assert.deepEqual([next.stats.duplicates, next.stats.sequenceGaps], [2, 0])
  })

  test('leaves them out however long both runs were connected', async () => {
    const props = { ...NUMBERED, 'dedupe.window': '10' }
    const many = Array.from({ length: 500 }, (_, i) => ({ n: 100 + i }))
    const { all } = await handedOver(props, many, [...many, { n: 600 }], { stream_sequence: 599 })
    assert.equal(all.length, 501)
  })

  test('leaves them out even if the predecessor left more messages on disk than the window', async () => {
    const next = readFeed({ ...NUMBERED, 'dedupe.window': '10' })
    next.source.takeOver({ offset: () => ({ stream_sequence: 100 }), handOverState: null }, true)
    const onDisk = await read(next, numbers(...range(101, 300)), PREDECESSOR)
    const own = await read(next, numbers(...range(150, 310)))
    assert.deepEqual(contentsOf([...onDisk, ...own]), numbers(...range(101, 310)))
    assert.deepEqual([next.stats.duplicates, next.stats.sequenceGaps], [151, 0])
  })

  test('accepts numbers that restart once the predecessor has ended', async () => {
    const next = readFeed({ ...KEYED, 'dedupe.window': '10' })
    next.source.takeOver({ offset: () => ({ stream_sequence: 1_000_000 }), handOverState: null }, true)
    assert.equal((await read(next, keyed('rare', 999_000))).length, 0)
    const later = (message: unknown): MessageRun => runOf(JSON.stringify(message), FIRST, NOW + 1)
    const records = await recordsFrom(next.source, keyed('rare', 5000, 5001, 5002).map(later))
    assert.deepEqual(contentsOf(records), keyed('rare', 5000, 5001, 5002))
    assert.deepEqual(
      next.events.map(([event, { reason }]) => [event, reason]),
      [
        ['sequence_duplicate', undefined],
        ['sequence_gap', 'reset'],
      ],
    )
  })

  /** Reads `second` after the predecessor's connection ended, and before this run takes over. */
  async function readAfterEnd(props: Props, first: readonly unknown[], second: readonly unknown[], endedAt: number) {
    const predecessor = readFeed(props)
    await read(predecessor, first)
    const next = readFeed(props)
    const handOverState = predecessor.source.handOver(endedAt)
    next.source.takeOver({ offset: () => null, handOverState }, true)
    const messages = second.map((message) => runOf(JSON.stringify(message), FIRST, NOW))
    return { read: contentsOf(await recordsFrom(next.source, messages)), next }
  }

  test('delivers numbers that restart between the end of the predecessor and the take-over', async () => {
    const restarted = numbers(5, 6, 7, 8)
    const { read, next } = await readAfterEnd(NUMBERED, numbers(...range(900, 1000)), restarted, NOW - 1001)
    assert.deepEqual([read, next.stats.sequenceGaps, next.stats.duplicates], [restarted, 1, 0])
  })

  test('delivers another message with a lower number of that time where numbers are not contiguous', async () => {
    const props = { ...NUMBERED, 'sequence.contiguous': 'false' }
    const other = [
      { n: 100, other: true },
      { n: 101, other: true },
    ]
    const late = await readAfterEnd(props, numbers(100, 101), [...numbers(101), ...other], NOW - 1001)
    assert.deepEqual([late.read, late.next.stats.duplicates], [other, 1])
    const overlapped = await readAfterEnd(props, numbers(100, 101), other, NOW)
    assert.deepEqual(overlapped.read, [other[1]])
  })

  test('drops a copy that arrives just after the end of the predecessor', async () => {
    const lagging = await readAfterEnd(NUMBERED, numbers(...range(900, 1000)), numbers(930, 1001), NOW - 900)
    assert.deepEqual(lagging.read, numbers(1001))
  })

  test('ends at the take-over although the clock of the predecessor is ahead', async () => {
    const predecessor = readFeed(NUMBERED)
    await read(predecessor, numbers(1000))
    const next = readFeed(NUMBERED)
    next.source.takeOver({ offset: () => null, handOverState: predecessor.source.handOver(NOW + 60_000) }, true)
    const later = runOf('{"n":5}', FIRST, NOW + 1)
    assert.deepEqual(contentsOf(await recordsFrom(next.source, [later])), numbers(5))
  })

  test('takes a state without an end as ended at the take-over', async () => {
    const predecessor = readFeed(NUMBERED)
    await read(predecessor, numbers(1000))
    const { endedAt, ...older } = JSON.parse(predecessor.source.handOver(NOW - 1)) as Record<string, unknown>
    assert.equal(endedAt, NOW - 1)
    const next = readFeed(NUMBERED)
    next.source.takeOver({ offset: () => null, handOverState: JSON.stringify(older) }, true)
    assert.deepEqual(contentsOf(await read(next, numbers(5, 1001))), numbers(1001))
  })

  test('includes messages that made no record', async () => {
    const props = { ...NUMBERED, 'record.skip.match': 'skip' }
    const first = [{ n: 1 }, { n: 2, skip: true }]
    const { all, next } = await handedOver(props, first, [{ n: 3 }], { stream_sequence: 1 })
    assert.deepEqual(all, numbers(1, 3))
    assert.equal(next.stats.sequenceGaps, 0)
  })

  test('leaves out messages that the predecessor delivered, by id', async () => {
    const ids = (...all: string[]): { id: string }[] => all.map((id) => ({ id }))
    const { all, next } = await handedOver({ 'dedupe.field': 'id' }, ids('a', 'b', 'c'), ids('b', 'c', 'd'), {})
    assert.deepEqual(all, ids('a', 'b', 'c', 'd'))
    assert.equal(next.stats.sequenceGaps, 0)
  })

  test('leaves out nothing if the runs read numbers from different fields', async () => {
    const predecessor = readFeed(NUMBERED)
    await read(predecessor, numbers(100, 101))
    const next = readFeed({ 'sequence.field': 'm' })
    const offset = (): SourceOffset => ({ sequence: 2, stream_sequence: 101 })
    next.source.takeOver({ offset, handOverState: predecessor.source.handOver(NOW) }, true)
    assert.equal((await read(next, [{ m: 50 }])).length, 1)
  })

  test('leaves out messages by number even if this run also reads ids', async () => {
    const predecessor = readFeed(NUMBERED)
    await read(predecessor, numbers(100, 101))
    const next = readFeed({ ...NUMBERED, 'dedupe.field': 'id' })
    next.source.takeOver(
      { offset: () => ({ stream_sequence: 101 }), handOverState: predecessor.source.handOver(NOW) },
      true,
    )
    assert.deepEqual(contentsOf(await read(next, numbers(101, 102))), numbers(102))
  })

  test('ignores a hand-over state of another version', async () => {
    const next = readFeed(NUMBERED)
    for (const state of ['', '{"version":2}', '[]', 'null', '{"version":1,"last":[1]}']) {
      next.source.takeOver({ offset: () => ({ stream_sequence: 101 }), handOverState: state }, true)
    }
    assert.deepEqual(contentsOf(await read(next, numbers(101, 102))), numbers(102))
  })

  test('continues the sequence of records', async () => {
    const { next } = await handedOver(NUMBERED, numbers(1, 2, 3), [], { sequence: 3, stream_sequence: 3 })
    assert.equal((await read(next, numbers(4)))[0]!.sourceOffset['sequence'], 4)
  })

  test('includes the last 6000 ids', async () => {
    const ids = Array.from({ length: 10_000 }, (_, id) => ({ id }))
    const { all, next } = await handedOver({ 'dedupe.field': 'id' }, ids, ids.slice(-6000), {})
    assert.deepEqual([all.length, next.stats.duplicates], [10_000, 6000])
  })

  test('keeps the hand-over state within the limit of the contract', async () => {
    const predecessor = readFeed({ ...KEYED, 'dedupe.field': 'd.id' })
    const all = Array.from({ length: 12_000 }, (_, i) => ({ d: { s: `stream-${i % 9000}-é`, n: i, id: `id-${i}` } }))
    await read(predecessor, all)
    assert.ok(Buffer.byteLength(predecessor.source.handOver(NOW)) <= 64 * 1024)
  })

  test('after a crash of the predecessor is a gap if no numbers reveal lost messages', async () => {
    const next = readFeed({}, { offset: () => ({ sequence: 5 }) })
    next.source.takeOver({ offset: () => ({ sequence: 5 }), handOverState: null }, true)
    assert.equal((await read(next, ['a'])).length, 1)
    assert.equal(next.stats.sequenceGaps, 1)
  })

  test('without numbers and without a crash is no gap', async () => {
    const predecessor = readFeed({})
    await read(predecessor, ['a'])
    const next = readFeed({}, { offset: () => ({ sequence: 1 }) })
    next.source.takeOver({ offset: () => ({ sequence: 1 }), handOverState: predecessor.source.handOver(NOW) }, true)
    await read(next, ['b'])
    assert.equal(next.stats.sequenceGaps, 0)
  })
})
