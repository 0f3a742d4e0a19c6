import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type PackedBytes, PackedRecords, type Polled, type SourceRecord } from '@tributary/connect-api'
import { silentLog } from '@tributary/telemetry/testing'
import { type ScriptOptions, scriptedRun, type ScriptedRun, until } from '../testing/run-scripted.ts'
import { Tail, type TailLine, type TailRecord, type TailTerms } from './tail.ts'
import { Taps } from './taps.ts'
import { tailStream } from './tail-stream.ts'

const ID = { connector: 'c', task: 0 }
const SECRET = 'qZ7_kW-93xTfLm2'

interface Scene {
  readonly s: ScriptedRun
  readonly taps: Taps
  readonly lines: TailLine[]
  readonly tail: Tail
  /** Ends the window, and returns the records so far. */
  records(): TailRecord[]
}

/** A run with a tail whose windows the test ends. */
function scene(
  t: TestContext,
  props: Record<string, string> = {},
  terms: Partial<TailTerms> = {},
  options: ScriptOptions = {},
): Scene {
  const taps = new Taps()
  const s = scriptedRun(props, { ...options, tap: taps.add(ID, [SECRET], silentLog) })
  const lines: TailLine[] = []
  const tail = new Tail({ rate: 1000, topic: null, ...terms }, (told) => lines.push(...told))
  t.after(() => tail.close())
  taps.watch('c', tail)
  void s.run.run()
  t.after(() => s.run.stop())
  const records = (): TailRecord[] => {
    tail.endWindow()
    return lines.flatMap((line) => ('record' in line ? [line.record] : []))
  }
  return { s, taps, lines, tail, records }
}

const texts = (records: readonly TailRecord[]): unknown[] =>
  records.map(({ value }) => (value as { text: string }).text)

/** The values as one pack. */
function pack(records: SourceRecord[]): Polled[] {
  const bounds = new Int32Array(2 * records.length)
  let end = 0
  for (const [i, { value }] of records.entries()) {
    bounds[2 * i] = end
    bounds[2 * i + 1] = end += (value as string).length
  }
  const values: PackedBytes = { bytes: Buffer.from(records.map(({ value }) => value as string).join('')), bounds }
  const { topic, sourcePartition } = records[0]!
  const offsetOf = (i: number) => records[i]!.sourceOffset
  return [new PackedRecords({ count: records.length, topic, sourcePartition, offsetOf, values, valueType: 'text' })]
}

for (const packs of [false, true]) {
  test(`a tail shows records with their places once Kafka has them, packs: ${packs}`, async (t) => {
    const { s, records } = scene(t)
    if (packs) s.task.pack = pack
    s.producer.up.close()
    s.task.send('a', 'b', `c ${SECRET}`)
    await until(() => s.run.progress.recordsPolled === 3, 'they are polled')
    assert.deepEqual(records(), [])
    s.producer.up.open()
    await until(() => s.run.progress.recordsProduced === 3, 'Kafka has them')
    const shown = records()
    assert.deepEqual(texts(shown), ['a', 'b', 'c [hidden]'])
    assert.deepEqual(
      shown.map(({ task, topic, partition, offset, source }) => ({ task, topic, partition, offset, source })),
      [0n, 1n, 2n].map((offset) => ({
        ...{ task: 0, topic: 'events', partition: 0, offset },
        source: { partition: { feed: 'a' }, offset: { sequence: Number(offset) + 1 } },
      })),
    )
  })
}

test('exactly once: records are shown after the commit of their transaction, and those of an aborted one once', async (t) => {
  const { s, records } = scene(t, { 'exactly.once.support': 'required' }, {}, { resumable: true })
  s.producer.failNextCommit = true
  s.producer.commits.close()
  s.task.send('a', 'b')
  await until(() => s.producer.transactions.length === 1, 'the transaction is open')
  assert.deepEqual(records(), [])
  s.producer.commits.open()
  await until(() => s.run.progress.recordsProduced === 2, 'it is committed')
  assert.ok(s.producer.transactions.includes('abort'))
  assert.deepEqual(texts(records()), ['a', 'b'])
})

test('dead letters and refused records are not shown, and those behind them have their own offsets', async (t) => {
  const { s, records } = scene(t, {
    'errors.tolerance': 'all',
    'errors.deadletterqueue.topic.name': 'dlq',
  })
  s.producer.topics.set('dlq', 1)
  s.producer.limitBytes = 100_000
  s.task.send('a', 'x'.repeat(100_001), 'b')
  await until(() => s.run.progress.recordsProduced === 3, 'Kafka has them')
  assert.deepEqual(
    records().map(({ value, offset }) => [(value as { text: string }).text, offset]),
    s.producer.kept.flatMap(({ topic, value }, i) => (topic === 'dlq' ? [] : [[String(value), BigInt(i)]])),
  )
})

test('under load a sample is shown and all are counted; large values have a bound together', async (t) => {
  const { s, lines, tail } = scene(t, {}, { rate: 100 })
  s.task.send(...Array.from({ length: 900 }, (_, i) => `m${i}`))
  await until(() => s.run.progress.recordsProduced === 900, 'Kafka has them')
  tail.endWindow()
  assert.deepEqual([lines.length, lines.at(-1)], [12, { seen: 900 }])
  lines.length = 0
  s.task.send(...Array.from({ length: 9 }, () => 'x'.repeat(100_000)))
  await until(() => s.run.progress.recordsProduced === 909, 'Kafka has them')
  tail.endWindow()
  const shown = lines.flatMap((line) => ('record' in line ? [line.record.value as { text: string; size: number }] : []))
  assert.deepEqual(
    shown.map(({ text, size }) => [text.length, size]),
    Array(3).fill([65_536, 100_000]),
  )
  assert.deepEqual(lines.at(-1), { seen: 9 })
})

test('only records of the topic count', async (t) => {
  const { s, lines, tail } = scene(t, {}, { topic: 'other' })
  s.task.send('a')
  await until(() => s.run.progress.recordsProduced === 1, 'Kafka has it')
  tail.endWindow()
  assert.deepEqual(lines, [{ task: 0, run: 'started' }])
})

test('a tail sees runs begin and end; nobody looks any more when it has ended, or fails', (t) => {
  const taps = new Taps()
  const lines: TailLine[] = []
  const tail = new Tail({ rate: 10, topic: null }, (told) => lines.push(...told))
  t.after(() => tail.close())
  const first = taps.add(ID, [], silentLog)
  assert.equal(first.watcher, null)
  const unwatch = taps.watch('c', tail)
  const second = taps.add({ connector: 'c', task: 1 }, [], silentLog)
  const other = taps.add({ connector: 'd', task: 0 }, [], silentLog)
  assert.deepEqual([first.watcher === null, second.watcher === null, other.watcher], [false, false, null])
  taps.remove(ID, first)
  taps.remove(ID, first)
  tail.endWindow()
  assert.deepEqual(lines, [
    { task: 0, run: 'started' },
    { task: 1, run: 'started' },
    { task: 0, run: 'ended' },
  ])
  second.watcher!.acknowledged(null as never, null as never)
  assert.equal(second.watcher, null)
  taps.watch('c', tail)
  assert.notEqual(second.watcher, null)
  unwatch()
  assert.deepEqual([second.watcher, taps.count], [null, 0])
})

test('a reader that does not read misses records, and is told of their number; it leaves nothing behind', async (t) => {
  const taps = new Taps()
  const s = scriptedRun({}, { tap: taps.add(ID, [], silentLog) })
  void s.run.run()
  t.after(() => s.run.stop())
  const stream = tailStream(taps, 'c', { rate: 1000, topic: null })!
  const value = 'x'.repeat(60_000)
  let sent = 0
  await until(() => {
    if (stream.readableLength > 1024 * 1024) return true
    if (s.run.progress.recordsProduced === sent) {
      s.task.send(value, value)
      sent += 2
    }
    return false
  }, 'the buffer is full')
  s.task.send(...Array.from({ length: 100 }, () => 'late'))
  sent += 100
  const full = stream.readableLength
  await until(() => s.run.progress.recordsProduced === sent && stream.readableLength > full, 'the window is over')
  let read = ''
  stream.setEncoding('utf8').on('data', (chunk: string) => (read += chunk))
  const lines = (): { seen?: number; record?: unknown }[] =>
    read
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as { seen?: number })
  await until(() => lines().reduce((sum, { seen = 0 }) => sum + seen, 0) === sent, 'all are counted')
  assert.ok(lines().filter(({ record }) => record !== undefined).length < sent)
  assert.ok(!read.includes('late'))
  stream.destroy()
  await until(() => taps.count === 0, 'nobody looks')
  const many = Array.from({ length: 51 }, () => tailStream(taps, 'c', { rate: 1, topic: null }))
  assert.deepEqual([many.at(-2) === null, many.at(-1)], [false, null])
  for (const one of many) one?.destroy()
})
