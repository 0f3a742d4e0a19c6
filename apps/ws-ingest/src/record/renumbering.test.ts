import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type OffsetEntry, parseConfig, type Props, type SourceRecord } from '@tributary/connect-api'
import { websocketSpec } from '../config/config.ts'
import { messageDecoder } from '../message/message.ts'
import { runOf } from '../message/testing.ts'
import { contentsOf, FIRST, KEYED, offsets, range, read, readFeed, recordsFrom, URL } from './testing.ts'

interface Counted {
  readonly s: number
  readonly run: string
}

const COUNTED: Props = { 'sequence.field': 's' }
/** Messages of one run of the server: each numbering has other contents. */
const messages = (run: string, from: number, to: number): Counted[] => range(from, to).map((s) => ({ s, run }))
const SECOND = { number: 2 }
/** The feed of a restarted task, which continues after the offset of the last of `records`. */
const restarted = (props: Props, records: readonly SourceRecord[]) =>
  readFeed(props, { offset: offsets([[{ websocket_url: URL }, records.at(-1)!.sourceOffset]]) })

describe('a server that counts anew', () => {
  test('after a restart loses nothing, and the reset is counted', async () => {
    const feed = readFeed(COUNTED)
    await read(feed, messages('first', 1, 1000))
    const records = await read(feed, messages('second', 5, 545), SECOND)
    assert.deepEqual(contentsOf(records), messages('second', 5, 545))
    assert.deepEqual([feed.stats.duplicates, feed.stats.sequenceGaps], [0, 1])
    assert.deepEqual(feed.events.at(-1), ['sequence_gap', { reason: 'reset', from: 1001 }])
  })

  test('within one connection loses nothing, and the reset is in the gap topic', async () => {
    const feed = readFeed({ ...COUNTED, 'gap.topic': 'gaps' })
    const sent = [...messages('first', 998, 1000), ...messages('second', 3, 5)]
    const records = await read(feed, sent)
    assert.deepEqual(contentsOf(records), sent)
    const [gap] = records
      .filter(({ topic }) => topic === 'gaps')
      .map(({ value }) => JSON.parse(String(value)) as object)
    assert.deepEqual({ reason: 'reset', from: 1001, to: null }, pick(gap!, ['reason', 'from', 'to']))
  })

  test('while the task restarts loses nothing', async () => {
    const before = await read(readFeed(COUNTED), messages('first', 1, 1000))
    const feed = restarted(COUNTED, before)
    assert.deepEqual(contentsOf(await read(feed, messages('second', 5, 1100))), messages('second', 5, 1100))
    assert.equal(feed.stats.duplicates, 0)
  })

  test('and then sends its last messages again is understood', async () => {
    const feed = readFeed(COUNTED)
    await read(feed, messages('first', 1, 1000))
    await read(feed, messages('second', 5, 100), SECOND)
    const records = await read(feed, messages('second', 50, 120), { number: 3 })
    assert.deepEqual(contentsOf(records), messages('second', 101, 120))
  })

  test('loses messages only where the user accepts that', async () => {
    const feed = readFeed({ ...COUNTED, 'sequence.reset': 'drop' })
    await read(feed, messages('first', 1, 1000))
    assert.equal((await read(feed, messages('second', 5, 545), SECOND)).length, 0)
    assert.equal(feed.stats.duplicates, 541)
  })
})

describe('a server that sends messages again', () => {
  test('after a restart of the task is recognized for the last 64 numbers, and in doubt before them', async () => {
    const before = await read(readFeed(COUNTED), messages('a', 1, 1000))
    const recent = restarted(COUNTED, before)
    assert.deepEqual(contentsOf(await read(recent, messages('a', 937, 1010))), messages('a', 1001, 1010))
    assert.equal(recent.stats.sequenceGaps, 0)
    const older = restarted(COUNTED, before)
    const expected = [...messages('a', 900, 936), ...messages('a', 1001, 1010)]
    assert.deepEqual(contentsOf(await read(older, messages('a', 900, 1010))), expected)
  })

  test('from disk, which a killed run had delivered, has not restarted its numbering', async () => {
    const before = await read(readFeed(COUNTED), messages('a', 1, 1000))
    const feed = restarted(COUNTED, before)
    await read(feed, messages('a', 900, 1010), { number: 0 })
    assert.equal(feed.stats.sequenceGaps, 0)
  })

  test('compressed in another way is recognized by the text', async () => {
    const props = { ...COUNTED, 'websocket.binary.decode': 'gzip' }
    const decode = messageDecoder(parseConfig(websocketSpec, { 'websocket.url': URL, 'kafka.topic': 'all', ...props }))
    const text = JSON.stringify({ s: 1, text: 'x'.repeat(100) })
    const sent = [0, 9].map((level) => runOf(gzipSync(text, { level }), FIRST, 1, decode))
    assert.equal((await recordsFrom(readFeed(props).source, sent)).length, 1)
  })
})

describe('the offset of a batch', () => {
  test('has the digests of its last messages, and only the last one has them', async () => {
    const records = await read(readFeed(COUNTED), messages('a', 1, 1000))
    const { stream_digests: digests, ...rest } = records.at(-1)!.sourceOffset
    assert.equal(rest['stream_sequence'], 1000)
    assert.match(String(digests), /^1000:[\w-]{342}$/)
    assert.equal(records.filter(({ sourceOffset }) => 'stream_digests' in sourceOffset).length, 1)
  })

  test('includes the messages that made no record', async () => {
    const props = { ...COUNTED, 'record.skip.match': 'run == skip' }
    const records = await read(readFeed(props), [...messages('a', 1, 10), ...messages('skip', 11, 12)])
    assert.equal(records.at(-1)!.sourceOffset['stream_sequence'], 12)
    const next = restarted(props, records)
    assert.deepEqual(contentsOf(await read(next, [...messages('skip', 11, 12), ...messages('a', 12, 13)])), [
      ...messages('a', 12, 13),
    ])
  })

  test('has them too if a record about a gap comes last', async () => {
    const feed = readFeed({ ...COUNTED, 'gap.topic': 'gaps' })
    const records = await read(feed, [...messages('a', 1, 3), ...messages('a', 5, 6), ...messages('a', 4, 4)])
    assert.equal(records.at(-1)!.topic, 'gaps')
    assert.match(String(records.at(-1)!.sourceOffset['stream_digests']), /^6:/)
  })
})

describe('events in one microsecond', () => {
  const TIMES: Props = { 'sequence.field': 'time_us', 'sequence.contiguous': 'false' }
  const events = (...all: [time: number, id: string][]) => all.map(([time_us, id]) => ({ time_us, id }))
  const T = 1_725_911_162_329_308

  test('are all delivered, and each of them once', async () => {
    const feed = readFeed(TIMES)
    const sent = events([T, 'a'], [T + 1, 'b'], [T + 1, 'c'], [T + 2, 'd'])
    const first = await read(feed, sent)
    assert.deepEqual(contentsOf(first), sent)
    assert.deepEqual(contentsOf(await read(feed, sent, SECOND)), [])
    assert.deepEqual([feed.stats.duplicates, feed.stats.sequenceGaps], [4, 0])
  })

  test('are compared with what was delivered of the last one when the task restarts', async () => {
    const before = await read(readFeed(TIMES), events([T, 'a'], [T + 1, 'b'], [T + 1, 'c']))
    const feed = restarted(TIMES, before)
    const again = events([T + 1, 'b'], [T + 1, 'c'], [T + 1, 'd'], [T + 2, 'e'])
    assert.deepEqual(contentsOf(await read(feed, again)), events([T + 1, 'd'], [T + 2, 'e']))
  })
})

describe('ever new streams', () => {
  const props = { ...KEYED, 'sequence.max.streams': '100' }
  const committed = (from: number, to: number): OffsetEntry[] =>
    range(from, to).map((i) => ({ partition: { websocket_url: URL, stream: `s${i}` }, offset: { stream_sequence: 7 } }))
  const named = (from: number, to: number) => range(from, to).map((i) => ({ d: { s: `s${i}`, n: 8 } }))

  test('leave no more offsets than streams are tracked', async () => {
    const feed = readFeed(props)
    await read(feed, named(1, 1000))
    assert.deepEqual(
      feed.removed.map(({ stream }) => stream),
      range(1, feed.removed.length).map((i) => `s${i}`),
    )
    assert.ok(feed.removed.length >= 900, `${feed.removed.length} removed`)
  })

  test('of earlier runs are forgotten in their turn', async () => {
    const entries = committed(1, 90)
    const offset = offsets(entries.map((entry) => [entry.partition, entry.offset!]))
    const feed = readFeed(props, { offset, offsets: () => entries })
    assert.deepEqual(contentsOf(await read(feed, [...named(80, 80), { d: { s: 's85', n: 7 } }])), named(80, 80))
    await read(feed, named(1001, 1200))
    assert.deepEqual(
      new Set(feed.removed.slice(0, 90).map(({ stream }) => stream)),
      new Set(entries.map(({ partition }) => partition['stream'])),
    )
  })

  test('with long names have short ones in the offsets', async () => {
    const [a, b] = await read(readFeed(KEYED), [
      { d: { s: `${'x'.repeat(100_000)}a`, n: 1 } },
      { d: { s: `${'x'.repeat(100_000)}b`, n: 1 } },
    ])
    const streams = [a, b].map((record) => String(record!.sourcePartition['stream']))
    assert.ok(streams.every((stream) => stream.length < 200) && streams[0] !== streams[1])
  })
})

test('a window of ids takes memory for their digests, however long they are', async () => {
  const feed = readFeed({ 'dedupe.field': 'id' })
  const long = (i: number): { id: string } => ({ id: `${'x'.repeat(1000)}${i}` })
  const records = await read(feed, [long(1), long(2), long(1)])
  assert.deepEqual(contentsOf(records), [long(1), long(2)])
})

function pick(value: object, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([key]) => keys.includes(key)))
}
