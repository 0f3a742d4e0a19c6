import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { bodyReader } from '@tributary/converters/body'
import { parseConfig, type SourceRecord } from '@tributary/connect-api'
import { sourcePartitionOf, websocketSpec } from '../config/config.ts'
import { type ConnectionInfo, Message, messageDecoder } from '../message/message.ts'
import type { BuiltBatch, Gap, Verdict } from '../sequence/gap.ts'
import { RecordBuilder, type SequenceCheck } from './record-builder.ts'

const URL = 'wss://feed.example.com/ws?token=secret'
const FIRST: ConnectionInfo = { number: 1 }

interface Received {
  readonly data: string | Buffer
  readonly binary?: boolean
  readonly connection?: ConnectionInfo
}

/** Builds the records of messages with this configuration; a string stands for a text message. */
function build(
  props: Record<string, string>,
  messages: readonly (string | Received)[],
  sequences: SequenceCheck | null = null,
): BuiltBatch {
  const config = parseConfig(websocketSpec, { 'websocket.url': URL, 'kafka.topic': 'all', ...props })
  const sourcePartition = sourcePartitionOf(config)
  const builder = new RecordBuilder({
    config,
    sourcePartition,
    sessionId: 'run',
    lastSequence: 7,
    sequences,
    onNotJson: () => {},
    body: bodyReader(config, props),
  })
  const decode = messageDecoder(config)
  return builder.build(
    messages.map((message) => {
      const {
        data,
        binary = false,
        connection = FIRST,
      }: Received = typeof message === 'string' ? { data: message } : message
      return new Message(Buffer.from(data), binary, 1_700_000_000_000, connection, decode)
    }),
  )
}

const records = (props: Record<string, string>, ...messages: (string | Received)[]): SourceRecord[] =>
  build(props, messages).records
const values = (list: readonly SourceRecord[]): unknown[] => list.map(({ value }) => value)

describe('records with the default configuration', () => {
  test('hold the text, with the source partition and offset of the JVM connector', () => {
    const [first, second] = records({}, 'not JSON {', '')
    assert.deepEqual(first, {
      sourcePartition: { websocket_url: URL },
      sourceOffset: { session_id: 'run', sequence: 8 },
      topic: 'all',
      partition: undefined,
      key: null,
      keySchema: null,
      value: 'not JSON {',
      valueSchema: { type: 'string', optional: true },
      headers: undefined,
      timestamp: null,
      original: Buffer.from('not JSON {'),
      originalIsText: true,
      error: undefined,
    })
    assert.deepEqual([second?.value, second?.sourceOffset], ['', { session_id: 'run', sequence: 9 }])
    assert.equal(first?.sourcePartition, second?.sourcePartition)
  })

  test('hold the bytes of a binary message', () => {
    const data = Buffer.from([0, 255])
    const [record] = records({}, { data, binary: true })
    assert.deepEqual([record?.value, record?.valueSchema], [data, { type: 'bytes', optional: true }])
  })

  test('are built without parsing the message', (t) => {
    const parse = t.mock.method(JSON, 'parse')
    records({ 'record.headers': 'received_at' }, '{"a":1}')
    assert.equal(parse.mock.callCount(), 0)
  })
})

describe('records with fields', () => {
  test('parse a message once', (t) => {
    const parse = t.mock.method(JSON, 'parse')
    const props = {
      'key.field': 'k',
      'timestamp.field': 't',
      'topic.template': 'x.{{k}}',
      'record.skip.match': 'k == none',
    }
    records(props, '{"k":"a","t":5}')
    assert.equal(parse.mock.callCount(), 1)
    records({ ...props, 'split.field': '$' }, '[{"k":"a","t":5},{"k":"b","t":6}]')
    assert.equal(parse.mock.callCount(), 2)
  })

  test('have the key as text, with all digits of a number', () => {
    const keys = ['"a b"', '12345678901234567890', '1.5', 'true', '{"x":[1]}', 'null'].map((k) => `{"k":${k}}`)
    const found = records({ 'key.field': 'k' }, ...keys, '{}', 'no JSON').map(({ key }) => key)
    assert.deepEqual(found, ['a b', '12345678901234567890', '1.5', 'true', '{"x":[1]}', null, null, null])
  })

  test('have the timestamp, or an error if the field holds no time', () => {
    const [good, none, bad] = records(
      { 'timestamp.field': 'd.t', 'timestamp.unit': 's' },
      '{"d":{"t":1700000000.25}}',
      '{"d":{}}',
      '{"d":{"t":"soon"}}',
    )
    assert.deepEqual([good?.timestamp, none?.timestamp, bad?.timestamp], [1_700_000_000_250, null, null])
    assert.deepEqual([bad?.value, bad?.error?.code], [null, 'WEBSOCKET_TIMESTAMP'])
    assert.equal(String(bad?.original), '{"d":{"t":"soon"}}')
  })

  test('hold the decoded content of a binary message, and its original bytes', () => {
    const data = gzipSync('{"k":"a"}')
    const [record] = records({ 'websocket.binary.decode': 'gzip', 'key.field': 'k' }, { data, binary: true })
    assert.deepEqual([record?.value, record?.key, record?.original], ['{"k":"a"}', 'a', data])
  })

  test('read fields of a binary message that is JSON, and keep its bytes as the value', () => {
    const data = Buffer.from('{"k":"a"}')
    const [record] = records({ 'key.field': 'k' }, { data, binary: true })
    assert.deepEqual([record?.value, record?.key], [data, 'a'])
  })

  test('have an error if the message cannot be decoded', () => {
    for (const more of [{}, { 'key.field': 'k' }, { 'split.field': '$' }]) {
      const [record] = records({ 'websocket.binary.decode': 'gzip', ...more }, { data: 'plain', binary: true })
      assert.deepEqual([record?.value, record?.error?.code], [null, 'WEBSOCKET_INFLATE'])
      assert.equal(String(record?.original), 'plain')
    }
  })

  test('leave out messages that the skip rule matches', () => {
    const found = records({ 'record.skip.match': 'type == heartbeat || /^pong$/' }, '{"type":"heartbeat"}', 'pong', '1')
    assert.deepEqual(values(found), ['1'])
    assert.equal(found[0]?.sourceOffset['sequence'], 8)
  })

  test('have the configured headers, without a secret', () => {
    const props = { 'record.headers': 'url,session_id,connection,received_at' }
    const [first, second] = records(props, 'a', { data: 'b', connection: { number: 2 } })
    const headers = (record: SourceRecord | undefined): unknown =>
      record?.headers?.map(({ name, value }) => [name, value])
    assert.deepEqual(headers(first), [
      ['websocket.url', 'wss://feed.example.com/ws'],
      ['websocket.session_id', 'run'],
      ['websocket.connection', 1],
      ['websocket.received_at', 1_700_000_000_000n],
    ])
    assert.deepEqual(second?.headers?.[2]?.value, 2)
  })
})

describe('a message that is split', () => {
  const SPLIT = { 'split.field': 'data', 'key.field': 'k', 'record.skip.match': 'k == skip' }

  test('becomes one record per element, with the text of the element', () => {
    const message = '{"s":"x","data":[{"k":"a","p":1.10},{"k":"skip"}, {"k":"b","p":12345678901234567890}]}'
    const found = records(SPLIT, message)
    assert.deepEqual(values(found), ['{"k":"a","p":1.10}', '{"k":"b","p":12345678901234567890}'])
    assert.deepEqual(
      found.map(({ key, sourceOffset }) => [key, sourceOffset['sequence']]),
      [
        ['a', 8],
        ['b', 9],
      ],
    )
  })

  test('provides fields of the whole message by $', () => {
    const message = '{"s":"x","t":5,"data":[{},{}]}'
    const found = records(
      { ...SPLIT, 'key.field': '$.s', 'timestamp.field': '$.t', 'topic.template': '{{$.s}}' },
      message,
    )
    assert.deepEqual(
      found.map(({ key, timestamp, topic }) => [key, timestamp, topic]),
      [
        ['x', 5, 'x'],
        ['x', 5, 'x'],
      ],
    )
  })

  test('is one record if it lacks the array, and none if the array is empty', () => {
    const found = records(SPLIT, '{"k":"a"}', '{"k":"b","data":{}}', 'text', '{"data":[]}')
    assert.deepEqual(values(found), ['{"k":"a"}', '{"k":"b","data":{}}', 'text'])
  })

  test('has elements of bytes if it is binary', () => {
    const found = records({ 'split.field': '$' }, { data: '[1,"ž"]', binary: true })
    assert.deepEqual(values(found), [Buffer.from('1'), Buffer.from('"ž"')])
  })

  test('isolates a bad element', () => {
    const found = records({ 'split.field': '$', 'timestamp.field': 't' }, '[{"t":1},{"t":"x"},{"t":3}]')
    assert.deepEqual(
      found.map(({ error }) => error?.code),
      [undefined, 'WEBSOCKET_TIMESTAMP', undefined],
    )
    assert.equal(String(found[1]?.original), '{"t":"x"}')
  })
})

describe('the topic template', () => {
  const topics = (props: Record<string, string>, ...messages: string[]): unknown[] =>
    records(props, ...messages).map(({ topic, error }) => error?.code ?? topic)

  test('names the topic after fields', () => {
    const props = { 'topic.template': 'q.{{ d.s }}.{{v}}-{{v}}' }
    const found = topics(props, '{"d":{"s":"BTC/USD"},"v":1}', '{"d":{"s":"é"},"v":true}')
    assert.deepEqual(found, ['q.BTC_USD.1-1', 'q._.true-true'])
  })

  test('sends messages that lack a field to kafka.topic', () => {
    const found = topics({ 'topic.template': 'q.{{s}}' }, '{}', '{"s":null}', '{"s":""}', 'text')
    assert.deepEqual(found, ['all', 'all', 'all', 'all'])
  })

  test('reports an illegal topic name as an error of the record', () => {
    const found = topics(
      { 'topic.template': '{{s}}' },
      '{"s":"."}',
      `{"s":"${'x'.repeat(250)}"}`,
      '{"s":{}}',
      '{"s":"ok"}',
    )
    assert.deepEqual(found, ['WEBSOCKET_TOPIC', 'WEBSOCKET_TOPIC', 'WEBSOCKET_TOPIC', 'ok'])
  })

  test('creates no more topics than allowed', () => {
    const props = { 'topic.template': 'q.{{s}}', 'topic.template.max.topics': '2' }
    const found = topics(props, '{"s":1}', '{"s":2}', '{"s":3}', '{"s":1}', '{}')
    assert.deepEqual(found, ['q.1', 'q.2', 'WEBSOCKET_TOPIC_LIMIT', 'q.1', 'all'])
  })
})

/** Returns the given verdicts, and records its arguments. */
function scripted(verdicts: readonly Verdict[], readsMessages = false): SequenceCheck & { readonly asked: unknown[] } {
  const asked: unknown[] = []
  const answer = (fields: unknown): Verdict => {
    asked.push(fields)
    return verdicts[asked.length - 1] ?? null
  }
  return {
    asked,
    readsMessages,
    addOffset: () => {},
    endBatch: () => {},
    readsElements: !readsMessages,
    acceptMessage: ({ json }) => answer(json),
    accept: ({ json }) => answer(json),
    partition: { websocket_url: URL, stream: 'x' },
    get streamSequence() {
      return asked.length
    },
  }
}

const GAP: Gap = {
  reason: 'missing',
  stream: 'x',
  partition: { websocket_url: URL },
  from: 1,
  to: 2,
  count: 2,
  lostAt: null,
  detectedAt: 0,
  duplicate: false,
}

describe('messages with sequence numbers', () => {
  test('are left out when they are duplicates, and gaps are placed between the records', () => {
    const check = scripted([null, 'duplicate', GAP, { ...GAP, duplicate: true }])
    const { records: found, gaps } = build({}, ['{"n":1}', '{"n":2}', '{"n":3}', '{"n":4}', '{"n":5}'], check)
    assert.deepEqual(values(found), ['{"n":1}', '{"n":3}', '{"n":5}'])
    assert.deepEqual(
      gaps.map(({ at }) => at),
      [1, 2],
    )
    assert.equal(found[0]?.sourcePartition, check.partition)
    assert.deepEqual(found[2]?.sourceOffset, { session_id: 'run', sequence: 10, stream_sequence: 5 })
  })

  test('are checked even if the skip rule leaves them out', () => {
    const check = scripted([])
    build({ 'record.skip.match': 'n' }, ['{"n":1}', 'text'], check)
    assert.deepEqual(check.asked, [{ n: 1 }, undefined])
  })

  test('are checked per element, or once per message if the numbers belong to whole messages', () => {
    const each = scripted(['duplicate'])
    const messages = ['{"n":1,"d":[{"n":2},{"n":3}]}']
    assert.deepEqual(values(build({ 'split.field': 'd' }, messages, each).records), ['{"n":3}'])
    assert.deepEqual(each.asked, [{ n: 2 }, { n: 3 }])
    const once = scripted(['duplicate'], true)
    assert.deepEqual(build({ 'split.field': 'd' }, messages, once).records, [])
    assert.equal(once.asked.length, 1)
  })
})

describe('records with value.format=json', () => {
  const JSON_FORMAT = { 'value.format': 'json' }

  test('hold the data, while keys are read from the text', () => {
    const [first] = records({ ...JSON_FORMAT, 'key.field': 'k', 'value.schema.infer': 'true' }, '{"k":"a","n":1}')
    assert.deepEqual([{ ...(first!.value as object) }, first!.key], [{ k: 'a', n: 1n }, 'a'])
    assert.equal(first!.valueSchema!.name, 'all_value')
    assert.deepEqual([first!.original, first!.originalIsText], [Buffer.from('{"k":"a","n":1}'), false])
  })

  test('hold each element of a message, and of a binary one', () => {
    const split = { ...JSON_FORMAT, 'split.field': '$' }
    assert.deepEqual(values(records(split, '[{"a":1},[2]]', { data: '[3]', binary: true })), [{ a: 1 }, [2], 3])
  })

  test('have an error and the received bytes where the text is no JSON', () => {
    const [bad, good] = records(JSON_FORMAT, 'no JSON', '{}')
    assert.deepEqual([bad!.value, bad!.error?.code, String(bad!.original)], [null, 'BODY_JSON', 'no JSON'])
    assert.deepEqual([good!.value, good!.valueSchema], [{}, null])
  })
})
