import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DataError, type SourceRecord, traceOf } from '@tributary/connect-api'
import { ErrorHandler, type Stage } from './error-handler.ts'
import { shownTrace } from '../model/shown-error.ts'
import { sourceTaskConfig } from '../model/source-task-config.ts'
import { hideSecrets } from '@tributary/telemetry'
import { silentLog } from '@tributary/telemetry/testing'

test('errors.tolerance=all without a dead-letter queue: skipped records are counted and logged', () => {
  const lines: string[] = []
  const log = { ...silentLog, warn: (event: string) => void lines.push(event) }
  const handler = new ErrorHandler(sourceTaskConfig({ 'errors.tolerance': 'all' }), 'c', 0, log)
  const record = { topic: 'events', value: 'x' } as unknown as SourceRecord
  for (let i = 0; i < 100; i++) {
    const failed = { record, stage: 'VALUE_CONVERTER', className: 'C', error: new Error('bad') } as const
    assert.equal(handler.tolerate(failed), null)
  }
  assert.equal(handler.skipped, 100)
  assert.deepEqual(lines, ['record_skipped'])
})

test('errors.tolerance=none: the first line of the trace says what is wrong, and at which stage', () => {
  const handler = new ErrorHandler(sourceTaskConfig({}), 'c', 0, silentLog)
  const record = { topic: 'events', value: 'x' } as unknown as SourceRecord
  const refused = new DataError('RECORD_TOO_LARGE', "record of about 2 bytes is above the topic's max.message.bytes")
  const thrown = (error: unknown, stage: Stage): string => {
    try {
      handler.tolerate({ record, stage, className: 'C', error })
    } catch (failure) {
      return traceOf(failure).split('\n')[0]!
    }
    return 'nothing'
  }
  const start = 'DataError [TOLERANCE_EXCEEDED]: Tolerance exceeded in error handler: '
  const end = 'errors.tolerance=all with errors.deadletterqueue.topic.name sends such records to a dead-letter queue'
  assert.equal(
    thrown(refused, 'KAFKA_PRODUCE'),
    `${start}RECORD_TOO_LARGE: ${refused.message} (stage KAFKA_PRODUCE, C, topic events). ${end}`,
  )
  assert.equal(
    thrown(new Error('two\nlines'), 'VALUE_CONVERTER'),
    `${start}Error: two lines (stage VALUE_CONVERTER, C, topic events). ${end}`,
  )
})

test('a dead letter and a status quote the beginning of a long error, so that Kafka takes them', () => {
  const config = sourceTaskConfig({ 'errors.tolerance': 'all', 'errors.deadletterqueue.topic.name': 'dlq' })
  const handler = new ErrorHandler(config, 'c', 0, silentLog)
  const record = { topic: 'events', key: null, value: 'x' } as unknown as SourceRecord
  for (const quoted of ['9'.repeat(600_000), '9\n'.repeat(300_000)]) {
    const error = new Error(`Could not parse timestamp: value (${quoted})`)
    const headers = handler.tolerate({ record, stage: 'TRANSFORMATION', className: 'C', error })!.headers!
    const size = headers.reduce((sum, [, value]) => sum + (value?.length ?? 0), 0)
    assert.ok(size < 200_000, `${size} bytes`)
    assert.match(
      String(new Map(headers).get('__connect.errors.exception.message')),
      /^Could not parse timestamp: value \(9/,
    )
  }
  const twice = new DataError('TOLERANCE_EXCEEDED', '9'.repeat(600_000), { cause: new Error('the cause') })
  const trace = shownTrace(twice)
  assert.ok(trace.length < 20_000 && trace.includes('Caused by: Error: the cause'), trace.slice(-500))
})

test('a dead letter of a record that Kafka refused holds what the source gave, not what transforms made of it', () => {
  const config = sourceTaskConfig({ 'errors.tolerance': 'all', 'errors.deadletterqueue.topic.name': 'dlq' })
  const handler = new ErrorHandler(config, 'c', 0, silentLog)
  const encoded = { topic: 't', partition: 0, key: Buffer.from('new'), value: Buffer.from('masked'), timestamp: 0 }
  const letter = (key: unknown, value: unknown): (string | null)[] => {
    const record = { topic: 'events', key, value } as unknown as SourceRecord
    const failed = {
      record,
      stage: 'KAFKA_PRODUCE',
      className: 'KafkaProducer',
      error: new Error('no'),
      encoded,
    } as const
    const made = handler.tolerate(failed)!
    return [made.key, made.value].map((bytes) => bytes && Buffer.from(bytes).toString())
  }
  assert.deepEqual(letter('k', 'text'), ['k', 'text'])
  assert.deepEqual(letter(null, Buffer.from('bytes')), [null, 'bytes'])
  // An object has no bytes but those of the converter.
  assert.deepEqual(letter({ id: 1 }, { a: 1 }), ['new', 'masked'])
})

test('a dead letter names the error without the secrets of the configuration', () => {
  const config = sourceTaskConfig({ 'errors.tolerance': 'all', 'errors.deadletterqueue.topic.name': 'dlq' })
  const end = hideSecrets(['hunter2'])
  const handler = new ErrorHandler(config, 'c', 0, silentLog)
  const record = { topic: 'events', key: null, value: 'x' } as unknown as SourceRecord
  const error = new Error('the password hunter2 is refused')
  const letter = handler.tolerate({ record, stage: 'VALUE_CONVERTER', className: 'C', error })
  const headers = new Map(letter?.headers?.map(([name, value]) => [name, String(value)]))
  assert.equal(headers.get('__connect.errors.exception.message'), 'the password [hidden] is refused')
  assert.ok(![...headers.values()].join('\n').includes('hunter2'))
  end()
})
