import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import {
  DataError,
  type Header,
  OPTIONAL_STRING_SCHEMA,
  PackedRecords,
  type PackedBytes,
  type Polled,
  type Props,
  type SourceRecord,
  type Transformation,
} from '@tributary/connect-api'
import { PlainConverter } from '@tributary/converters'
import { partitionForKey } from '@tributary/kafka-producer'
import { PackTransforms } from './pack-transforms.ts'
import { type ScriptOptions, scriptedRun, type ScriptedRun, until } from '../testing/run-scripted.ts'

const HEADERS: readonly Header[] = [{ name: 'feed', value: 'a' }]
const VALUES = Array.from({ length: 60 }, (_, i) => (i === 33 ? 'x'.repeat(200_000) : `m${i}`))
const KEYS = VALUES.map((_, i) => (i % 7 === 0 ? null : `k${i % 11}`))

function packedTexts(texts: readonly (string | null)[]): PackedBytes {
  const bounds = new Int32Array(2 * texts.length)
  let end = 0
  for (const [i, text] of texts.entries()) {
    bounds[2 * i] = text === null ? -1 : end
    bounds[2 * i + 1] = end += text?.length ?? 0
  }
  return { bytes: Buffer.from(texts.join('')), bounds }
}

function packOf(records: readonly SourceRecord[]): PackedRecords {
  const keys = records.map(({ key }) => key as string | null)
  return new PackedRecords({
    count: records.length,
    topic: 'events',
    sourcePartition: records[0]!.sourcePartition,
    offsetOf: (i) => records[i]!.sourceOffset,
    values: packedTexts(records.map(({ value }) => value as string)),
    valueType: 'text',
    keys: keys.every((key) => key === null) ? undefined : packedTexts(keys),
    headers: records[0]!.headers,
    timestamps: Float64Array.from(records, ({ timestamp }) => timestamp ?? 0),
  })
}

/** Packs of five, with a plain record after each. */
function packed(records: readonly SourceRecord[]): Polled[] {
  const polled: Polled[] = []
  for (let i = 0; i < records.length; i += 6) {
    polled.push(packOf(records.slice(i, i + 5)), ...records.slice(i + 5, i + 6))
  }
  return polled
}

interface Scenario {
  readonly props?: Props
  readonly options?: ScriptOptions
  readonly keys?: boolean
  readonly headers?: readonly Header[]
  /** Whether the packs reach the producer as packs. */
  readonly kept: boolean
}

async function run({ props = {}, options = {}, keys, headers }: Scenario, packs: boolean): Promise<ScriptedRun> {
  const s = scriptedRun(props, options)
  s.producer.topics.set('events', 3)
  s.producer.limitBytes = 100_000
  let next = 0
  s.task.pack = (records) => {
    const full = records.map((record): SourceRecord => {
      const key = keys === true ? KEYS[next]! : null
      const [keySchema, valueSchema] = [key === null ? null : OPTIONAL_STRING_SCHEMA, OPTIONAL_STRING_SCHEMA]
      const original = Buffer.from(record.value as string)
      return { ...record, key, keySchema, valueSchema, headers, original, timestamp: 1000 + next++ }
    })
    return packs ? packed(full) : full
  }
  s.task.send(...VALUES)
  void s.run.run()
  const end = { sequence: VALUES.length }
  const committed = (): boolean =>
    isDeepStrictEqual(s.offsets.writes.at(-1), end) || s.producer.values('offsets').at(-1) === JSON.stringify(end)
  await until(() => committed() || s.run.state === 'failed', 'it is done')
  await s.run.stop()
  return s
}

/** What a run has done. Records without a key may go to any partition. */
function outcome({ producer, task, offsets, run, failure }: ScriptedRun): unknown {
  const kept = producer.kept.filter(({ topic }) => topic !== 'offsets')
  const records = kept.map(({ topic, partition, key, value, headers, timestamp }) => ({
    topic,
    partition: key === null || topic === 'dlq' ? null : partition,
    key: String(key),
    value: String(value).slice(0, 100),
    headers: headers?.map(([name, content]) => [
      name,
      /partition$|stacktrace$|ce_id$|errors\.timestamp$/.test(name) ? null : String(content),
    ]),
    timestamp,
  }))
  const inOrder = records.toSorted((a, b) => a.timestamp - b.timestamp || a.topic.localeCompare(b.topic))
  return {
    records: inOrder,
    committed: task.committed.map(([value, place]) => [value, place?.timestamp ?? null]),
    offsets: offsets.writes.at(-1),
    counts: [run.progress.recordsPolled, run.progress.recordsProduced, run.progress.recordsCommitted],
    failure: failure instanceof Error ? failure.message : null,
  }
}

const apply = (f: Transformation['apply']): Transformation => ({ apply: f })
const tolerant = { 'errors.tolerance': 'all', 'errors.deadletterqueue.topic.name': 'dlq' }
const withContext = { ...tolerant, 'errors.deadletterqueue.context.headers.enable': 'true' }
const filter = apply((record) => {
  if (record.value === 'm7') throw new DataError('BAD', 'no good')
  return record.value === 'm8' ? null : record
})

const upper = apply((record) => ({ ...record, value: String(record.value).toUpperCase() }))
const route = (topicOf: (value: string) => string): Transformation =>
  apply((record) => ({ ...record, topic: topicOf(String(record.value)) }))

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'a record that the broker refuses becomes a dead letter': { props: withContext, kept: true },
  'with keys, each record goes to the partition of its key': { props: withContext, keys: true, kept: true },
  'with headers': { props: withContext, keys: true, headers: HEADERS, kept: true },
  'a refused record fails the task': { props: {}, keys: true, kept: true },
  'exactly once': {
    props: { ...tolerant, 'exactly.once.support': 'required' },
    options: { resumable: true },
    keys: true,
    kept: true,
  },
  'a transform filters records out, and another one is bad for it': {
    props: tolerant,
    options: { transformations: [filter] },
    kept: true,
  },
  'transforms change values and the topic': {
    props: tolerant,
    options: { transformations: [upper, route(() => 'others')] },
    keys: true,
    headers: HEADERS,
    kept: true,
  },
  'a transform leaves everything as it is': {
    props: withContext,
    options: { transformations: [apply((record) => record)] },
    keys: true,
    kept: true,
  },
  'transforms before a converter that changes the text': {
    props: { ...tolerant, 'value.converter': 'org.apache.kafka.connect.json.JsonConverter' },
    options: { transformations: [upper] },
    kept: true,
  },
  'a transform sends records to several topics': {
    props: tolerant,
    options: { transformations: [route((value) => (value < 'm3' ? 'low' : 'high'))] },
    kept: false,
  },
  'a transform sends records to an internal topic': {
    props: withContext,
    options: { transformations: [route(() => '__consumer_offsets')] },
    kept: false,
  },
  'a transform changes keys': {
    props: tolerant,
    options: {
      transformations: [apply((record) => ({ ...record, key: record.value, keySchema: OPTIONAL_STRING_SCHEMA }))],
    },
    kept: false,
  },
  'a transform adds a header': {
    props: tolerant,
    options: { transformations: [apply((record) => ({ ...record, headers: [{ name: 'a', value: 'b' }] }))] },
    kept: false,
  },
  'a transform changes the time': {
    props: tolerant,
    options: { transformations: [apply((record) => ({ ...record, timestamp: record.timestamp! + 1000 }))] },
    kept: false,
  },
  'a transform makes an illegal topic': {
    props: tolerant,
    options: { transformations: [route(() => 'no topic')] },
    kept: false,
  },
  'a converter adds headers to each record': {
    props: {
      ...tolerant,
      'value.converter': 'io.tributary.connect.converters.CloudEventsConverter',
      'value.converter.content.mode': 'binary',
    },
    kept: false,
  },
  'a converter changes the text of the packs': {
    props: { ...tolerant, 'value.converter': 'org.apache.kafka.connect.json.JsonConverter' },
    keys: true,
    kept: true,
  },
  'a converter that rejects text makes dead letters': {
    props: { ...tolerant, 'value.converter': 'org.apache.kafka.connect.converters.ByteArrayConverter' },
    kept: false,
  },
  'a converter that rejects text keys makes dead letters': {
    props: { ...tolerant, 'key.converter': 'org.apache.kafka.connect.converters.ByteArrayConverter' },
    keys: true,
    kept: false,
  },
}

for (const [name, scenario] of Object.entries(SCENARIOS)) {
  test(`packs give what their records give: ${name}`, async () => {
    const plain = await run(scenario, false)
    const packs = await run(scenario, true)
    assert.deepEqual(outcome(packs), outcome(plain))
    assert.equal(packs.producer.packs > 0, scenario.kept)
    if (packs.failure === undefined) assert.ok(packs.producer.kept.length >= VALUES.length - 1)
  })
}

test('a chain that holds the event loop gets no pack any more', () => {
  let now = 0
  const slow: Transformation = { apply: (record) => ((now += 50), record) }
  const clock = { monotonic: () => now }
  const records = VALUES.slice(0, 20).map((value, i) => ({ ...record(), value, timestamp: i }))
  const transforms = new PackTransforms([slow], new PlainConverter(), clock)
  assert.equal(transforms.apply(packOf(records), true), null)
  const taken = now
  assert.equal(transforms.apply(packOf(records), true), null)
  assert.deepEqual([taken, now], [150, 150])
})

test('each record of a key goes to the partition that Java chooses, in order', async () => {
  const { producer } = await run({ props: tolerant, keys: true, kept: true }, true)
  const records = producer.kept.filter(({ topic }) => topic === 'events')
  for (const { key, partition } of records) if (key !== null) assert.equal(partition, partitionForKey(key, 3))
  for (const partition of [0, 1, 2]) {
    const stamps = records.filter((record) => record.partition === partition).map(({ timestamp }) => timestamp)
    assert.deepEqual(
      stamps,
      stamps.toSorted((a, b) => a - b),
    )
  }
})

test('commitBatch gets the array that poll returned, once Kafka has all of it', async () => {
  const s = scriptedRun()
  const polled: (readonly Polled[])[] = []
  const told: (readonly Polled[])[] = []
  s.task.pack = (records) => {
    const answer = packed(records.map((record) => ({ ...record, timestamp: 1 })))
    polled.push(answer)
    return answer
  }
  Object.assign(s.task, { commitRecord: undefined, commitBatch: (batch: readonly Polled[]) => void told.push(batch) })
  s.producer.up.close()
  void s.run.run()
  s.task.send(...VALUES.slice(0, 9))
  await until(() => polled.length > 0, 'it is polled')
  assert.deepEqual(told, [])
  s.producer.up.open()
  await until(() => told.length > 0, 'it is told')
  await s.run.stop()
  assert.ok(told.every((batch, i) => batch === polled[i]))
})

test('a pack that breaks the contract fails the task', async () => {
  const broken: readonly [PackedRecords, RegExp][] = [
    [packOf([{ ...record(), topic: 'events', timestamp: NaN }]), /timestamp is NaN/],
    [new PackedRecords({ ...parts(), topic: 'no topic' }), /topic is 'no topic'/],
    [new PackedRecords({ ...parts(), offsetOf: () => 7 as never }), /sourceOffset is 7/],
    [new PackedRecords({ ...parts(), sourcePartition: null as never }), /sourcePartition is null/],
    [new PackedRecords({ ...parts(), headers: [7] as never }), /headers is \[ 7 \]/],
  ]
  for (const [pack, text] of broken) {
    const s = scriptedRun()
    s.task.pack = () => [pack]
    s.task.send('a')
    await s.run.run()
    assert.match((s.failure as Error).message, text)
  }
  assert.throws(() => new PackedRecords({ ...parts(), count: 2 }), /2 bounds for 2 records/)
  assert.throws(() => new PackedRecords({ ...parts(), timestamps: new Float64Array(0) }), /0 timestamps for 1/)
})

function record(): SourceRecord {
  return { sourcePartition: {}, sourceOffset: {}, topic: 'events', key: null, value: 'a', timestamp: null }
}

function parts() {
  const values = packedTexts(['a'])
  return { count: 1, topic: 'events', sourcePartition: {}, offsetOf: () => ({}), values, valueType: 'text' as const }
}
