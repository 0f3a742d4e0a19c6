import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { recordsOf } from '@tributary/connect-api'
import { configWith } from '../config/testing.ts'
import { encodeRequest } from '../schema/index.ts'
import { errorOf, messageOf } from '../schema/testing/schemas.ts'
import { runOf } from '../transport/index.ts'
import { createDecoder } from './decoder.ts'
import { RecordBuilder } from './record-builder.ts'
import { skipRule } from './skip-rule.ts'

const type = messageOf(
  `int64 seq = 1; Kind kind = 2; optional int32 maybe = 3; oneof what { Ping ping = 4; string text = 5; } bool beat = 6;
   repeated int32 many = 7; bytes raw = 8; message Ping { int32 id = 1; } enum Kind { NONE = 0; PING = 1; }`,
)

describe('record.skip.match', () => {
  for (const [rule, skipped, kept] of [
    ['ping', '{"ping":{}}', '{"text":""}'],
    ['ping', '{"ping":{"id":5}}', '{}'],
    ['!ping', '{"text":"x"}', '{"ping":{}}'],
    ['ping.id == 5', '{"ping":{"id":5}}', '{"ping":{}}'],
    ['kind==PING', '{"kind":"PING"}', '{}'],
    ['kind != PING', '{}', '{"kind":"PING"}'],
    ['text == "a b"', '{"text":"a b"}', '{"text":"a"}'],
    ['seq == 9007199254740993', '{"seq":"9007199254740993"}', '{"seq":"9007199254740992"}'],
    ['beat', '{"beat":true}', '{"beat":false}'],
    ['seq', '{"seq":"1"}', '{"seq":"0"}'],
    ['maybe', '{"maybe":0}', '{}'],
    ['beat && kind == PING || text == x', '{"text":"x"}', '{"beat":true}'],
  ] as const) {
    test(`${rule} skips ${skipped} and keeps ${kept}`, () => {
      const skips = skipRule(type, rule)
      assert.deepEqual([skips(encodeRequest(type, skipped)), skips(encodeRequest(type, kept))], [true, false])
    })
  }

  for (const rule of ['nothing', 'ping.no == 1', 'ping == 1', 'many', 'raw == x', '', 'beat ||', '/ping/', 'a > 1']) {
    test(`'${rule}' is refused, on its key`, () => {
      const error = errorOf(() => skipRule(type, rule))
      assert.deepEqual([error.kind, error.field], ['config', 'record.skip.match'])
    })
  }

  test('leaves heartbeats out before their numbers are read', () => {
    const config = configWith({ 'record.skip.match': 'ping' })
    const builder = new RecordBuilder({ topic: 't', sourcePartition: {}, runId: 'r', lastSequence: 0, resume: null })
    builder.startStream(createDecoder(config, type), undefined)
    const messages = ['{"seq":"1"}', '{"ping":{}}', '{"seq":"2"}'].map((json) => encodeRequest(type, json))
    const records = builder.build([...messages, Buffer.of(0xff)].map(runOf)).flatMap(recordsOf)
    assert.deepEqual(
      records.map(({ sourceOffset, error }) => [sourceOffset['sequence'], error?.code]),
      [
        [1, undefined],
        [2, undefined],
        [3, 'PROTOBUF_DECODE'],
      ],
    )
  })
})
