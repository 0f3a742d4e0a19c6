import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readDeadLetter } from './dead-letter-headers.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)

describe('a dead letter', () => {
  it('tells what the headers of Kafka Connect say', () => {
    const { headers, context } = readDeadLetter({
      key: bytes('k'),
      value: bytes('v'),
      timestamp: 5,
      headers: [
        ['mine', bytes('1')],
        ['traceparent', bytes('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01')],
        ['__connect.errors.topic', bytes('orders')],
        ['__connect.errors.partition', bytes('3')],
        ['__connect.errors.offset', bytes('42')],
        ['__connect.errors.connector.name', bytes('sink')],
        ['__connect.errors.task.id', bytes('0')],
        ['__connect.errors.stage', bytes('VALUE_CONVERTER')],
        ['__connect.errors.class.name', bytes('org.apache.kafka.connect.json.JsonConverter')],
        ['__connect.errors.exception.class.name', bytes('org.apache.kafka.connect.errors.DataException')],
        ['__connect.errors.exception.message', bytes('no')],
      ],
    })
    assert.deepEqual(
      headers.map(({ name }) => name),
      ['mine', 'traceparent'],
    )
    const { topic, partition, offset, connector, task, stage, errorType, traceId, sourceOffset } = context
    assert.deepEqual(
      { topic, partition, offset, connector, task, stage, errorType, traceId, sourceOffset },
      {
        ...{ topic: 'orders', partition: 3, offset: 42n, connector: 'sink', task: 0, stage: 'VALUE_CONVERTER' },
        ...{ errorType: 'SERIALIZATION_ERROR', traceId: '0af7651916cd43dd8448eb211c80319c', sourceOffset: null },
      },
    )
  })

  it('may have no headers, or senseless ones', () => {
    assert.equal(readDeadLetter({ key: null, value: null, headers: [], timestamp: 0 }).context.connector, null)
    const senseless = [
      '__connect.errors.partition',
      '__tributary.errors.source.offset',
      'error_type',
      'original_offset',
    ]
    const { context } = readDeadLetter({
      ...{ key: null, value: null, timestamp: 0 },
      headers: senseless.map((name) => [name, bytes('{')]),
    })
    assert.deepEqual(
      [context.partition, context.sourceOffset, context.errorType, context.offset],
      [null, null, 'UNKNOWN', null],
    )
  })
})
