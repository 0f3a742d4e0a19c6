import assert from 'node:assert/strict'
import test from 'node:test'
import {
  type ConnectRecord,
  type Converter,
  DataError,
  defineErrors,
  RetriableError,
  type SourceRecord,
  type Transformation,
} from '@tributary/connect-api'
import { PlainConverter, SimpleHeaderConverter } from '@tributary/converters'
import type { ProducerRecord } from '@tributary/kafka-producer'
import type { FailedRecord } from './failed-record.ts'
import { RecordEncoder, type RecordEncoderParts } from './record-encoder.ts'

const errors = defineErrors({
  AWAY: { type: RetriableError, doc: 'Away.' },
  BAD: { type: DataError, doc: 'Bad.' },
})

const signal = new AbortController().signal

function encoderOf(
  valueConverter: Converter,
  transformations: readonly Transformation[] = [],
  more: Partial<RecordEncoderParts> = {},
): RecordEncoder {
  return new RecordEncoder({
    taskClass: 'test.Task',
    transformations,
    keyConverter: new PlainConverter(),
    valueConverter,
    headerConverter: new SimpleHeaderConverter(),
    errors: { tolerate: ({ error }) => assert.fail(String(error)) },
    clock: { now: () => 1000, monotonic: () => 0, sleep: () => Promise.resolve() },
    retryTimeoutMs: 0,
    retryDelayMaxMs: 0,
    ...more,
  })
}

function textRecord(value: string, original: Buffer): SourceRecord {
  return {
    sourcePartition: {},
    sourceOffset: {},
    topic: 'quotes',
    key: null,
    value,
    timestamp: null,
    original,
    originalIsText: true,
  }
}

test('an illegal topic that a transform makes is an error of the record, of that transform', async () => {
  class Routes implements Transformation {
    readonly #to: string
    constructor(to: string) {
      this.#to = to
    }
    apply<R extends ConnectRecord>(record: R): R {
      return { ...record, topic: this.#to }
    }
  }
  const stays: Transformation = { apply: (record) => record }
  for (const topic of ['', '..', 'a b', 'x'.repeat(250), 'x'.repeat(1_000_000)]) {
    const failed: FailedRecord[] = []
    const tolerate = (record: FailedRecord): null => {
      failed.push(record)
      return null
    }
    const encoder = encoderOf(new PlainConverter(), [new Routes(topic), stays], { errors: { tolerate } })
    const record = textRecord('a', Buffer.from('a'))
    assert.deepEqual((await encoder.transform([record], signal, [])).records, [null])
    assert.deepEqual(failed.map((one) => [one.record, one.stage, one.className]), [[record, 'TRANSFORMATION', 'Routes']]) // prettier-ignore
    const { code, message } = failed[0]!.error as DataError
    assert.equal(code, 'RECORD_TOPIC_ILLEGAL')
    assert.ok(message.length < 400, message)
  }
  // A later transform may make a legal topic of an illegal one.
  const encoder = encoderOf(new PlainConverter(), [new Routes('a b'), new Routes('quotes')])
  assert.equal((await encoder.transform([textRecord('a', Buffer.from('a'))], signal, [])).records[0]!.topic, 'quotes')
})

test('slow transforms of a batch leave turns to the event loop', async () => {
  const slow: Transformation = {
    apply: (record) => {
      for (const until = performance.now() + 3; performance.now() < until;);
      return record
    },
  }
  const clock = { now: () => 1000, monotonic: () => performance.now(), sleep: () => Promise.resolve() }
  const encoder = encoderOf(new PlainConverter(), [slow], { clock })
  const records = Array.from({ length: 40 }, () => textRecord('a', Buffer.from('a')))
  let turns = 0
  const count = (): void => {
    turns++
    turn = setImmediate(count)
  }
  let turn = setImmediate(count)
  const transformed = await encoder.transform(records, signal, [])
  clearImmediate(turn)
  assert.deepEqual(transformed.records, records)
  assert.ok(turns >= 3, `${turns} turns`)
  assert.equal(encoder.transformNow(records), null)
  assert.deepEqual(encoder.transformNow(records.slice(0, 2))?.records, records.slice(0, 2))
})

async function valueOf(encoder: RecordEncoder, record: SourceRecord): Promise<Uint8Array | null | undefined> {
  const { records } = await encoder.transform([record], signal, [])
  const conversion = { records, sources: [record], counts: new Map([['quotes', 1]]), traceparent: null }
  const { encoded } = await encoder.convert(conversion, signal, [])
  return (encoded[0] as ProducerRecord | undefined)?.value
}

test('the encoder passes on the received bytes of UTF-8 text', async () => {
  const original = Buffer.from('{"price":"1,10 €"}')
  assert.equal(await valueOf(encoderOf(new PlainConverter()), textRecord(original.toString(), original)), original)
})

test('a converter that changes the bytes of text is called', async () => {
  const quoting: Converter = {
    configure: () => {},
    fromConnectData: (_topic, _schema, value) => Buffer.from(JSON.stringify(value)),
    toConnectData: () => assert.fail('not used'),
  }
  assert.equal(String(await valueOf(encoderOf(quoting), textRecord('a', Buffer.from('a')))), '"a"')
})

test('a value that a transformation has changed is encoded anew', async () => {
  const upper: Transformation = {
    apply: (record) => ({ ...record, value: String(record.value).toUpperCase() }),
  }
  const record = textRecord('a', Buffer.from('a'))
  assert.equal(String(await valueOf(encoderOf(new PlainConverter(), [upper]), record)), 'A')
})

test('text that the transforms leave alone keeps its received bytes, and an unchanged flag does not', async () => {
  const original = Buffer.from('a')
  const record = textRecord('a', original)
  const route: Transformation = { apply: (record) => ({ ...record, partition: 0 }) }
  assert.equal(await valueOf(encoderOf(new PlainConverter(), [route]), record), original)
})

test('a transform that fails is tried again from its own place in the chain, and named with its class', async () => {
  const applied: string[] = []
  let left = 2
  const first: Transformation = { apply: (record) => (applied.push('first'), record) }
  const second = {
    className: 'test.Second$Value',
    apply: <R extends ConnectRecord>(record: R): R => {
      applied.push('second')
      if (left-- > 0) throw errors.AWAY('away')
      return { ...record, value: 'done' }
    },
  }
  const patient = encoderOf(new PlainConverter(), [first, second], { retryTimeoutMs: -1 })
  assert.equal(String(await valueOf(patient, textRecord('a', Buffer.from('a')))), 'done')
  assert.deepEqual(applied, ['first', 'second', 'second', 'second'])

  const tolerated: FailedRecord[] = []
  const bad = {
    className: 'test.Bad$Key',
    apply: (): never => {
      throw errors.BAD('bad')
    },
  }
  const encoder = encoderOf(new PlainConverter(), [first, bad], {
    errors: { tolerate: (failed) => (tolerated.push(failed), null) },
  })
  const record = textRecord('a', Buffer.from('a'))
  assert.deepEqual(await encoder.transform([record], signal, []), { records: [null], filtered: 0 })
  assert.equal(encoder.transformNow([record]), null)
  assert.deepEqual(
    tolerated.map((failed) => [failed.stage, failed.className, failed.record]),
    [['TRANSFORMATION', 'test.Bad$Key', record]],
  )
})

test('a record that a transform filters out is counted, and leaves the others their places', async () => {
  const odd: Transformation = { apply: (record) => (record.value === 'b' ? null : record) }
  const records = ['a', 'b', 'c'].map((text) => textRecord(text, Buffer.from(text)))
  const encoder = encoderOf(new PlainConverter(), [odd])
  const transformed = await encoder.transform(records, signal, [])
  assert.deepEqual(transformed, { records: [records[0], null, records[2]], filtered: 1 })
  assert.deepEqual(encoder.transformNow(records), transformed)
  const conversion = { ...transformed, sources: records, counts: new Map([['quotes', 1]]), traceparent: null }
  assert.deepEqual((await encoder.convert(conversion, signal, [])).indexes, [0, 2])
  assert.deepEqual(encoder.convertNow(conversion)?.indexes, [0, 2])
})
