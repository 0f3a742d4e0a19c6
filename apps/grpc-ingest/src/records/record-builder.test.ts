import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  createTaskStats,
  PackedRecords,
  parseConfig,
  type Polled,
  type Props,
  recordsOf,
  type SourceRecord,
} from '@tributary/connect-api'
import { RateLimitedLog } from '@tributary/push-source'
import { systemClock } from '@tributary/async'
import type { Logger } from '@tributary/telemetry'
import { grpcSpec } from '../config/spec.ts'
import { encodeRequest } from '../schema/index.ts'
import { messageOf } from '../schema/testing/schemas.ts'
import { type MessageRun, runOf } from '../transport/index.ts'
import { createDecoder } from './decoder.ts'
import { RecordBuilder } from './record-builder.ts'
import { Resume } from './resume.ts'

const type = messageOf('int64 seq = 1; optional string name = 2; bytes raw = 3; optional int64 at = 4;')
const encoded = (...messages: object[]): Buffer[] => messages.map((m) => encodeRequest(type, JSON.stringify(m)))
const BAD = Buffer.of(0xff)

/** The messages as one read delivers them. */
function readOf(messages: Buffer[]): MessageRun {
  const bounds = new Int32Array(2 * messages.length)
  let end = 0
  for (const [i, { length }] of messages.entries()) {
    bounds[2 * i] = end
    bounds[2 * i + 1] = end += length
  }
  return { bytes: Buffer.concat(messages), bounds, count: messages.length, size: end }
}

function builderWith(props: Props, lastSequence = 0): RecordBuilder {
  const config = parseConfig(grpcSpec, {
    'grpc.server.host': 'feed',
    'grpc.server.port': '1',
    'grpc.service.name': 'a.B',
    'grpc.method.name': 'C',
    'kafka.topic': 't',
    ...props,
  })
  const log = new RateLimitedLog({ warn() {} } as unknown as Logger, systemClock)
  const resume =
    config['grpc.resume.field'] === null
      ? null
      : new Resume({
          ...{ committed: { value: null, digests: '' }, monotonic: true, contiguous: true, onDoubt: 'deliver' },
          ...{ stats: createTaskStats(), log },
        })
  const builder = new RecordBuilder({ topic: 't', sourcePartition: {}, runId: 'r', lastSequence, resume })
  builder.startStream(createDecoder(config, type), [{ name: 'h', value: 'v' }])
  return builder
}

const sizes = (polled: Polled[]): (number | string | undefined)[] =>
  polled.map((one) => (one instanceof PackedRecords ? one.count : one.error?.code))
const records = (polled: Polled[]): SourceRecord[] => polled.flatMap(recordsOf)

describe('the records of a read', () => {
  const messages = encoded({ seq: '1', name: 'ä', at: '5000' }, { seq: '2' }, { seq: '3', name: '', at: '6000' })

  test('are one pack of JSON, whose originals are the messages', () => {
    const polled = builderWith({}, 10).build([readOf(messages)])
    assert.deepEqual(sizes(polled), [3])
    const [first, second] = records(polled)
    assert.equal(first!.value, '{"seq":"1","name":"ä","raw":"","at":"5000"}')
    assert.deepEqual(first!.original, messages[0])
    assert.deepEqual(second!.sourceOffset, { session_id: 'r', sequence: 12 })
    assert.deepEqual([first!.key, first!.timestamp, first!.headers], [null, null, [{ name: 'h', value: 'v' }]])
  })

  test('are the read itself as bytes', () => {
    const read = readOf(messages)
    const polled = builderWith({ 'grpc.value.format': 'bytes' }).build([read])
    assert.equal((polled[0] as PackedRecords).values.bytes, read.bytes)
    assert.deepEqual(
      records(polled).map(({ value }) => value),
      messages,
    )
  })

  test('have keys and timestamps, null where the field is not set', () => {
    const polled = builderWith({ 'key.field': 'name', 'timestamp.field': 'at' }).build([readOf(messages)])
    assert.deepEqual(sizes(polled), [3])
    assert.deepEqual(
      records(polled).map(({ key }) => key),
      ['ä', null, ''],
    )
    const [first, , third] = records(polled)
    assert.deepEqual([first!.timestamp, third!.timestamp], [5000, 6000])
  })

  test('have keys of bytes', () => {
    const [record] = records(builderWith({ 'key.field': 'raw' }).build([readOf(encoded({ raw: '/wA=' }))]))
    assert.deepEqual(record!.key, Buffer.of(255, 0))
  })

  test('stand around a message that cannot be decoded, in order', () => {
    const polled = builderWith({ 'key.field': 'name' }).build([readOf([BAD, ...messages, BAD, BAD, messages[0]!])])
    assert.deepEqual(sizes(polled), ['PROTOBUF_DECODE', 3, 'PROTOBUF_DECODE', 'PROTOBUF_DECODE', 1])
    assert.deepEqual(
      records(polled).map(({ sourceOffset }) => sourceOffset['sequence']),
      [1, 2, 3, 4, 5, 6, 7],
    )
    assert.deepEqual(records(polled)[4]!.original, BAD)
    assert.equal(records(polled)[6]!.value, '{"seq":"1","name":"ä","raw":"","at":"5000"}')
  })

  test('of a message whose timestamp is no time have its key and an error', () => {
    const polled = builderWith({ 'key.field': 'name', 'timestamp.field': 'at', 'timestamp.unit': 's' }).build([
      readOf(encoded({ name: 'a', at: '9007199254740993' })),
    ])
    assert.deepEqual(
      records(polled).map(({ key, value, error }) => [key, value, error?.code]),
      [['a', null, 'PROTOBUF_TIMESTAMP']],
    )
  })

  test('lack duplicates, and only the last offset has digests', () => {
    const builder = builderWith({ 'grpc.resume.field': 'seq' })
    const [one, two, three] = messages as [Buffer, Buffer, Buffer]
    const polled = builder.build([readOf([one, two, one, three])])
    const offsets = records(polled).map(({ sourceOffset }) => sourceOffset)
    assert.deepEqual(
      offsets.map(({ sequence, resume }) => [sequence, resume]),
      [
        [1, 1n],
        [2, 2n],
        [3, 3n],
      ],
    )
    assert.deepEqual(
      offsets.map(({ digests }) => digests !== undefined),
      [false, false, true],
    )
    assert.deepEqual(builder.position.offset, offsets[2])
  })

  test('become several packs where their JSON is long', () => {
    const long = encoded(...Array.from({ length: 5 }, (_, i) => ({ seq: String(i + 1), name: 'x'.repeat(100_000) })))
    const polled = builderWith({}).build(long.map(runOf))
    assert.deepEqual(sizes(polled), [1, 1, 1, 1, 1])
    const together = builderWith({}).build([readOf(long)])
    assert.deepEqual(sizes(together), [3, 2])
    assert.deepEqual(
      records(together).map(({ value }) => (JSON.parse(value as string) as { seq: string }).seq),
      ['1', '2', '3', '4', '5'],
    )
  })

  test('of many small reads become one pack', () => {
    const polled = builderWith({ 'key.field': 'name' }).build(messages.map(runOf))
    assert.deepEqual(sizes(polled), [3])
    assert.deepEqual(
      records(polled).map(({ original }) => original),
      messages,
    )
  })

  test('may be more than any before', () => {
    const many = Array.from({ length: 3000 }, (_, i) => ({ seq: String(i), name: `key-${i}`, at: String(i) }))
    const polled = builderWith({ 'key.field': 'name', 'timestamp.field': 'at' }).build([readOf(encoded(...many))])
    assert.deepEqual(
      records(polled).map(({ key, timestamp, value }) => [
        key,
        timestamp,
        (JSON.parse(value as string) as { seq: string }).seq,
      ]),
      many.map(({ seq, name, at }) => [name, Number(at), seq]),
    )
  })
})

describe('records with structs', () => {
  const structs = (...messages: Buffer[]): SourceRecord[] =>
    builderWith({ 'grpc.value.format': 'struct', 'key.field': 'name', 'timestamp.field': 'at' })
      .build([readOf(messages)])
      .flatMap(recordsOf)

  test('have the schema of the type, which all of them share, and the received bytes', () => {
    const messages = encoded({ seq: '1', name: 'k', at: '5' }, { seq: '2' })
    const [first, second] = structs(...messages)
    assert.deepEqual({ ...(first!.value as object) }, { seq: 1n, name: 'k', raw: new Uint8Array(0), at: 5n })
    assert.equal(first!.valueSchema!.name, 't.M')
    assert.equal(first!.valueSchema, second!.valueSchema)
    assert.deepEqual([first!.key, first!.timestamp, second!.key], ['k', 5, null])
    assert.deepEqual([first!.original, first!.originalIsText], [messages[0], false])
    assert.deepEqual(
      [first!.sourceOffset, second!.sourceOffset].map((offset) => offset['sequence']),
      [1, 2],
    )
  })

  test('that cannot be decoded have an error and the received bytes, in their place', () => {
    const [before, bad, after] = structs(encoded({ seq: '1' })[0]!, BAD, encoded({ seq: '3' })[0]!)
    assert.deepEqual([bad!.error!.code, bad!.value, bad!.original], ['PROTOBUF_DECODE', null, BAD])
    assert.deepEqual(
      [before, bad, after].map((record) => record!.sourceOffset['sequence']),
      [1, 2, 3],
    )
  })
})
