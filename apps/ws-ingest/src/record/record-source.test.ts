import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Props, recordsOf, type SourceOffset } from '@tributary/connect-api'
import { MessageCodec } from '../message/message-codec.ts'
import { plainDecode } from '../message/message.ts'
import { runOf } from '../message/testing.ts'
import {
  messagesOf,
  KEYED,
  keyed,
  contentsOf,
  NEVER,
  NUMBERED,
  numbers,
  offsets,
  range,
  read,
  readFeed,
  recordsFrom,
  URL,
} from './testing.ts'

describe('messages with sequence numbers', () => {
  test('become records synchronously when there is no gap', () => {
    const { source } = readFeed(NUMBERED)
    const records = source.records(messagesOf(numbers(4, 5, 6)), NEVER)
    assert.ok(Array.isArray(records))
    assert.deepEqual(
      records.flatMap(recordsOf).map(({ sourceOffset }) => sourceOffset['stream_sequence']),
      [4, 5, 6],
    )
  })

  test('are left out when they are duplicates; missing messages are counted and logged', async () => {
    const feed = readFeed(NUMBERED)
    const records = await read(feed, numbers(4, 5, 5, 4, 9, 10))
    assert.deepEqual(contentsOf(records), numbers(4, 5, 9, 10))
    const { duplicates, sequenceGaps, sequenceGapMessages } = feed.stats
    assert.deepEqual([duplicates, sequenceGaps, sequenceGapMessages], [2, 1, 3])
    assert.deepEqual(feed.events, [
      ['sequence_duplicate', { sequence: 5, last_received: 5 }],
      ['sequence_gap', { reason: 'missing', from: 6, to: 8, gap_size: 3 }],
    ])
  })

  test('are tracked per stream; each stream has its own source partition', async () => {
    const feed = readFeed(KEYED)
    const records = await read(feed, [...keyed('a', 1, 2), ...keyed('b', 7), ...keyed('a', 3), ...keyed('b', 8, 10)])
    assert.equal(records.length, 6)
    assert.deepEqual(records[0]!.sourcePartition, { websocket_url: URL, stream: 'a' })
    assert.equal(records[0]!.sourcePartition, records[3]!.sourcePartition)
    assert.deepEqual(records[5]!.sourcePartition, { websocket_url: URL, stream: 'b' })
    assert.deepEqual(feed.events, [['sequence_gap', { reason: 'missing', stream: 'b', from: 9, to: 9, gap_size: 1 }]])
  })

  test('become records without a valid number too, and do not change the number of the stream', async () => {
    const feed = readFeed(NUMBERED)
    const records = await read(feed, [{ n: 1 }, { type: 'heartbeat' }, { n: 'x' }, 'text', { n: 2 }])
    assert.deepEqual(
      records.map(({ sourceOffset }) => sourceOffset['stream_sequence']),
      [1, 1, 1, 1, 2],
    )
    assert.deepEqual(
      feed.events.map(([event]) => event),
      ['sequence_unreadable'],
    )
  })

  test('may be larger than 2^53', async () => {
    const feed = readFeed(NUMBERED)
    const big = ['9007199254740993', '9007199254740994', '9007199254740994', '9007199254740996'].map((n) => ({ n }))
    const records = await read(feed, big)
    assert.deepEqual(
      records.map(({ sourceOffset }) => sourceOffset['stream_sequence']),
      [9007199254740993n, 9007199254740994n, 9007199254740996n],
    )
    assert.equal(feed.stats.sequenceGapMessages, 1)
  })

  test('of split messages count once per message', async () => {
    const feed = readFeed({ 'split.field': 'items', 'sequence.field': '$.n', 'sequence.key.field': '$.s' })
    const message = (n: number): unknown => ({ s: 'a', n, items: [{ id: 1 }, { id: 2 }] })
    const records = await read(feed, [message(1), message(2), message(2), message(4)])
    assert.deepEqual(contentsOf(records).length, 6)
    assert.deepEqual([feed.stats.duplicates, feed.stats.sequenceGapMessages], [1, 1])
  })

  test('of elements may belong to the stream that the message names', async () => {
    const feed = readFeed({ 'split.field': 'items', 'sequence.field': 'n', 'sequence.key.field': '$.s' })
    const message = (s: string, ...all: number[]): unknown => ({ s, items: numbers(...all) })
    const records = await read(feed, [message('a', 1, 2), message('b', 1, 2), message('a', 2, 3)])
    assert.deepEqual(contentsOf(records), numbers(1, 2, 1, 2, 3))
    assert.equal(feed.stats.duplicates, 1)
  })

  test('that restart are a gap, and never duplicates', async () => {
    const feed = readFeed({ ...NUMBERED, 'gap.topic': 'gaps' })
    const records = await read(feed, numbers(1000, 1, 2))
    assert.deepEqual(contentsOf(records), numbers(1000, 1, 2))
    const gap = JSON.parse(String(records[1]!.value)) as Record<string, unknown>
    assert.deepEqual([gap['reason'], gap['from'], gap['to'], gap['count']], ['reset', 1001, null, null])
    assert.equal(feed.stats.sequenceGaps, 1)
  })

  test('that are not contiguous have no gaps', async () => {
    const feed = readFeed({ ...NUMBERED, 'sequence.contiguous': 'false' })
    assert.deepEqual(contentsOf(await read(feed, numbers(5, 100, 99, 99, 1000))), numbers(5, 100, 99, 1000))
    assert.deepEqual([feed.stats.duplicates, feed.stats.sequenceGaps], [1, 0])
  })

  test('of scope connection restart with the next connection', async () => {
    const feed = readFeed({ ...NUMBERED, 'sequence.scope': 'connection' })
    const first = await read(feed, numbers(5, 6))
    const second = await read(feed, numbers(3, 4, 4, 6), { number: 2 })
    assert.deepEqual(contentsOf([...first, ...second]), numbers(5, 6, 3, 4, 6))
    assert.deepEqual([feed.stats.duplicates, feed.stats.sequenceGapMessages], [1, 1])
  })

  test('of scope connection restart for spilled messages too, including those of predecessors', async () => {
    const [oldest, older, codec] = [
      new MessageCodec(plainDecode),
      new MessageCodec(plainDecode),
      new MessageCodec(plainDecode),
    ]
    const [first, second, third] = [{ number: 1 }, { number: 2 }, { number: 1 }]
    const spilled = [
      ...messagesOf(numbers(2, 3, 3, 4), first).map((message) => oldest.encode(message)),
      ...messagesOf(numbers(2, 3), second).map((message) => oldest.encode(message)),
      ...messagesOf(numbers(3, 4), second).map((message) => older.encode(message)),
      ...messagesOf(numbers(2, 3), third).map((message) => codec.encode(message)),
    ].map((bytes) => codec.decode(bytes))
    const feed = readFeed({ ...NUMBERED, 'sequence.scope': 'connection' })
    const records = [
      ...(await recordsFrom(feed.source, spilled)),
      // The last messages of this connection were never on disk.
      ...(await read(feed, numbers(3, 5), third)),
    ]
    assert.deepEqual(contentsOf(records), numbers(2, 3, 4, 2, 3, 3, 4, 2, 3, 5))
    assert.deepEqual([feed.stats.duplicates, feed.stats.sequenceGapMessages], [2, 1])
  })

  test('of more streams than the limit are accepted, and the log reports the forgotten streams', async () => {
    const offset = (): SourceOffset => ({ stream_sequence: 0 })
    const feed = readFeed({ ...KEYED, 'sequence.max.streams': '10' }, { offset })
    for (let i = 0; i < 30; i++) await read(feed, keyed(`s${i}`, 1))
    const records = await read(feed, [...keyed('s29', 1, 2), ...keyed('s0', 9)])
    assert.deepEqual(contentsOf(records), [...keyed('s29', 2), ...keyed('s0', 9)])
    assert.equal(feed.events[0]![0], 'sequence_streams_forgotten')
    assert.equal(feed.stats.sequenceGaps, 0)
  })
})

describe('ids', () => {
  const IDS: Props = { 'dedupe.field': 'id' }

  test('received before are left out', async () => {
    const feed = readFeed(IDS)
    const messages = ['a', 'b', 'a', 1, 1, undefined, undefined].map((id, n) => ({ id, n }))
    assert.deepEqual(
      contentsOf(await read(feed, messages)).map((message) => (message as { n: number }).n),
      [0, 1, 3, 5, 6],
    )
    assert.equal(feed.stats.duplicates, 2)
  })

  test('that differ only beyond 2^53 are different', async () => {
    const { source } = readFeed(IDS)
    const texts = ['9007199254740993', '9007199254740992', '9007199254740993'].map((id) => `{"id":${id}}`)
    const made = texts.map((text) => runOf(text))
    assert.equal((await recordsFrom(source, made)).length, 2)
  })

  test('received before are left out after a gap too, and the gap is reported', async () => {
    const feed = readFeed({ ...IDS, ...NUMBERED, 'gap.topic': 'gaps' })
    const records = await read(feed, [
      { n: 1, id: 'a' },
      { n: 5, id: 'a' },
      { n: 6, id: 'b' },
    ])
    assert.deepEqual(
      records.map(({ topic }) => topic),
      ['all', 'gaps', 'all'],
    )
    assert.deepEqual([feed.stats.duplicates, feed.stats.sequenceGapMessages], [1, 3])
  })
})

describe('a gap that later messages fill', () => {
  test('does not lower the committed number of its stream', async () => {
    const feed = readFeed({ ...NUMBERED, 'gap.topic': 'gaps' })
    await read(feed, numbers(1, 2, 5, ...range(6, 100)))
    const records = await read(feed, numbers(3, 4))
    assert.deepEqual(
      records.map(({ topic, sourceOffset }) => [topic, sourceOffset['stream_sequence']]),
      [
        ['all', 100],
        ['all', 100],
        ['gaps', 100],
      ],
    )
    const next = readFeed(NUMBERED, { offset: () => records.at(-1)!.sourceOffset })
    await read(next, numbers(101))
    assert.equal(next.stats.sequenceGaps, 0)
  })
})

describe('a restart', () => {
  test('continues after the committed number of each stream', async () => {
    const offset = offsets([
      [{ websocket_url: URL, stream: 'a' }, { stream_sequence: 10 }],
      [{ websocket_url: URL, stream: 'b' }, { stream_sequence: 20 }],
    ])
    const feed = readFeed(KEYED, { offset })
    const records = await read(feed, [...keyed('a', 10, 11), ...keyed('b', 23), ...keyed('c', 5)])
    assert.deepEqual(contentsOf(records), [...keyed('a', 11), ...keyed('b', 23), ...keyed('c', 5)])
    assert.deepEqual([feed.stats.duplicates, feed.stats.sequenceGapMessages], [1, 2])
  })

  test('without numbers is a gap, which is reported before the first record', async () => {
    const offset = offsets([[{ websocket_url: URL }, { session_id: 'x', sequence: 5 }]])
    const feed = readFeed({ 'gap.topic': 'gaps' }, { offset })
    const records = await read(feed, ['a'])
    assert.deepEqual(
      records.map(({ topic }) => topic),
      ['gaps', 'all'],
    )
    assert.equal((JSON.parse(String(records[0]!.value)) as { reason: string }).reason, 'restarted')
    assert.equal(feed.stats.sequenceGaps, 1)
  })
})

describe('a reconnect without numbers', () => {
  test('is a gap, reported with its times between the records of both connections', async () => {
    const feed = readFeed({ 'gap.topic': 'gaps' })
    const second = { number: 2 }
    feed.source.reconnected(second, 1_699_999_999_000)
    assert.equal(feed.stats.sequenceGaps, 1)
    const records = await recordsFrom(feed.source, [...messagesOf(['a', 'b']), ...messagesOf(['c'], second)])
    assert.deepEqual(
      records.map(({ topic }) => topic),
      ['all', 'all', 'gaps', 'all'],
    )
    assert.deepEqual(JSON.parse(String(records[2]!.value)), {
      connector: 'quotes',
      task: 0,
      url: 'wss://feed.example.com/ws',
      stream: null,
      reason: 'reconnected',
      state: 'opened',
      from: null,
      to: null,
      count: null,
      missing: [],
      lost_at: '2023-11-14T22:13:19.000Z',
      detected_at: '2023-11-14T22:13:20.000Z',
    })
    assert.deepEqual(
      records.map(({ sourceOffset }) => sourceOffset['sequence']),
      [1, 2, 2, 3],
    )
  })

  test('is reported even if no message follows', async () => {
    const feed = readFeed({ 'gap.topic': 'gaps' })
    feed.source.reconnected({ number: 2 }, 0)
    assert.equal((await read(feed, ['a'])).length, 1)
    assert.equal((await read(feed, [])).length, 1)
    assert.equal((await read(feed, [])).length, 0)
  })

  test('is no gap if numbers reveal lost messages', async () => {
    const feed = readFeed(NUMBERED)
    await read(feed, numbers(1))
    feed.source.reconnected({ number: 2 }, 0)
    await read(feed, numbers(2), { number: 2 })
    assert.equal(feed.stats.sequenceGaps, 0)
  })
})

test('messages that are not JSON are counted and logged where a field of them is to be read', async () => {
  const send = async (props: Props): Promise<[number, string[]]> => {
    const feed = readFeed(props)
    const texts = ['{"s":"a"}', 'tick', '{"s":', 'ping'].map((text) => runOf(text))
    await recordsFrom(feed.source, texts)
    return [feed.stats.messagesNotJson, feed.events.map(([event]) => event)]
  }
  assert.deepEqual(await send({ 'key.field': 's', 'record.skip.match': '/^ping$/' }), [2, ['message_not_json']])
  assert.deepEqual(await send({ 'record.skip.match': '/^ping$/' }), [0, []])
})
