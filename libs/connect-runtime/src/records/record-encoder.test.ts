import assert from 'node:assert/strict'
import test from 'node:test'
import type { Converter, SourceRecord, Transformation } from '@tributary/connect-api'
import { PlainConverter, SimpleHeaderConverter } from '@tributary/converters'
import type { ProducerRecord } from '@tributary/kafka-producer'
import { RecordEncoder } from './record-encoder.ts'

const signal = new AbortController().signal

function encoderOf(valueConverter: Converter, transformations: readonly Transformation[] = []): RecordEncoder {
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

async function valueOf(encoder: RecordEncoder, record: SourceRecord): Promise<Uint8Array | null | undefined> {
  const transformed = await encoder.transform([record], signal, [])
  const { encoded } = await encoder.convert(transformed, new Map([['quotes', 1]]), null, signal, [])
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
