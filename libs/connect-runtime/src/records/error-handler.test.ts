import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DataError, type SourceRecord, traceOf } from '@tributary/connect-api'
import { ErrorHandler, type Stage } from './error-handler.ts'
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
