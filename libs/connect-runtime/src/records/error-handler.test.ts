import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DataError, readDeadLetter, type SourceRecord, traceOf } from '@tributary/connect-api'
import { ErrorHandler } from './error-handler.ts'
import type { Stage } from './failed-record.ts'
import { shownTrace } from '../model/shown-error.ts'
import { sourceTaskConfig } from '../model/source-task-config.ts'
import { hideSecrets, type LogFields } from '@tributary/telemetry'
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

const handled = (props: Record<string, string> = {}, log = silentLog): ErrorHandler =>
  new ErrorHandler(
    sourceTaskConfig({ 'errors.tolerance': 'all', 'errors.deadletterqueue.topic.name': 'dlq', ...props }),
    ...(['c', 3, log] as const),
  )

test('a dead letter of a source can be read: its bytes, key, headers, time, and what failed where', () => {
  const record: SourceRecord = {
    ...{ sourcePartition: { feed: 'a' }, sourceOffset: { sequence: 2n ** 60n }, topic: 'events', key: 'k', value: 'x' },
    ...{ original: Buffer.from([1, 2]), timestamp: 7, received: { binary: 'true' } },
    headers: [
      { name: 'h', value: 5n },
      { name: 'traceparent', value: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
    ],
  }
  const error = new DataError('BODY_JSON', 'no JSON')
  const letter = handled().tolerate({ record, stage: 'TASK_POLL', className: 'T', error, retries: 2 })!
  const read = readDeadLetter({ ...letter, headers: letter.headers ?? [] })
  assert.deepEqual([letter.topic, String(read.key), [...read.value!], read.timestamp], ['dlq', 'k', [1, 2], 7])
  assert.deepEqual(
    read.headers.map(({ name, value }) => [name, String(value)]),
    [
      ['h', '5'],
      ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
    ],
  )
  const { trace, failedAt, ...context } = read.context
  assert.match(trace!, /BODY_JSON/)
  assert.ok(Math.abs(failedAt! - Date.now()) < 60_000)
  assert.deepEqual(context, {
    ...{ connector: 'c', task: 3, topic: 'events', partition: null, offset: null, stage: 'TASK_POLL', className: 'T' },
    ...{ exceptionClass: 'DataError', message: 'no JSON', errorType: 'SERIALIZATION_ERROR', retries: 2, cut: null },
    ...{ sourcePartition: { feed: 'a' }, sourceOffset: { sequence: String(2n ** 60n) }, received: { binary: 'true' } },
    traceId: '0af7651916cd43dd8448eb211c80319c',
  })
  const bare = handled({ 'errors.deadletterqueue.context.headers.enable': 'false' })
  const names = bare.tolerate({ record, stage: 'TASK_POLL', className: 'T', error })!.headers!.map(([name]) => name)
  assert.deepEqual(names, ['h', 'traceparent'])
})

test('a dead letter of a record that a sink read holds its bytes and its place, as Kafka Connect writes it', () => {
  const consumed = {
    ...{ topic: 'orders', partition: 4, offset: 42n, key: null, value: Buffer.from([0xff]), timestamp: 9 },
    headers: [['own', null]] as const,
  }
  const failed = { consumed, stage: 'VALUE_CONVERTER', className: 'J', error: new Error('no') } as const
  const letter = handled().tolerateConsumed(failed)!
  assert.deepEqual([letter.topic, letter.key, letter.timestamp], ['dlq', null, 9])
  assert.equal(letter.value, consumed.value)
  const headers = letter.headers!.map(([name, value]) => [name, value && String(value)] as const)
  const names = ['topic', 'partition', 'offset', 'connector.name', 'task.id', 'stage', 'class.name']
  const connect = [...names, 'exception.class.name', 'exception.message', 'exception.stacktrace']
  assert.deepEqual(
    headers.slice(0, 11).map(([name]) => name),
    ['own', ...connect.map((name) => `__connect.errors.${name}`)],
  )
  const documented = new Map(headers.slice(11))
  assert.deepEqual(
    ['original_topic', 'original_partition', 'original_offset', 'error_type', 'retry_count'].map((n) =>
      documented.get(n),
    ),
    ['orders', '4', '42', 'SERIALIZATION_ERROR', '0'],
  )
})

test('the log says what Kafka Connect says, and shows a record only if asked to', () => {
  const messages: string[] = []
  const log = {
    ...silentLog,
    error: (_event: string, fields?: LogFields) => void messages.push(String(fields?.['message'])),
  }
  const place = { sourcePartition: {}, sourceOffset: { n: 1 }, topic: 'events' }
  const record: SourceRecord = { ...place, key: null, value: 'payload', timestamp: null }
  const failed = { record, stage: 'VALUE_CONVERTER', className: 'C', error: new Error('bad') } as const
  handled({}, log).tolerate(failed)
  assert.deepEqual(messages, [])
  handled({ 'errors.log.enable': 'true' }, log).tolerate(failed)
  const text = "Error encountered in task c-3. Executing stage 'VALUE_CONVERTER' with class 'C'"
  assert.equal(messages.pop(), `${text}.`)
  handled({ 'errors.log.enable': 'true', 'errors.log.include.messages': 'true' }, log).tolerate(failed)
  const message = messages.pop() ?? ''
  assert.ok(message.startsWith(`${text}, where source record is = SourceRecord{`), message)
  assert.match(message, /topic: 'events'.*value: 'payload'/)
})

test("a source's own dead-letter topic takes a bad record whatever errors.tolerance says", () => {
  const handler = new ErrorHandler(sourceTaskConfig({}), 'c', 0, silentLog)
  const deadLetter = { topic: 'own', headers: () => [{ name: 'why', value: 1 }] }
  const record = { topic: 'events', value: 'x', key: null, timestamp: 1, deadLetter } as unknown as SourceRecord
  const letter = handler.tolerate({ record, stage: 'KAFKA_PRODUCE', className: 'C', error: new Error('no') })
  assert.equal(letter?.topic, 'own')
  assert.deepEqual(letter.headers![0], ['why', Buffer.from('1')])
})
