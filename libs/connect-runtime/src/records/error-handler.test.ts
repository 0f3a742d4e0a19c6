import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SourceRecord } from '@tributary/connect-api'
import { ErrorHandler } from './error-handler.ts'
import { sourceTaskConfig } from '../model/source-task-config.ts'
import { silentLog } from '../testing/run-scripted.ts'

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

test('a dead letter names the error without the secrets of the configuration', () => {
  const config = sourceTaskConfig({ 'errors.tolerance': 'all', 'errors.deadletterqueue.topic.name': 'dlq' })
  const redact = (text: string): string => text.replaceAll('hunter2', '[hidden]')
  const handler = new ErrorHandler(config, 'c', 0, silentLog, redact)
  const record = { topic: 'events', key: null, value: 'x' } as unknown as SourceRecord
  const error = new Error('the password hunter2 is refused')
  const letter = handler.tolerate({ record, stage: 'VALUE_CONVERTER', className: 'C', error })
  const headers = new Map(letter?.headers?.map(([name, value]) => [name, String(value)]))
  assert.equal(headers.get('__connect.errors.exception.message'), 'the password [hidden] is refused')
  assert.ok(![...headers.values()].join('\n').includes('hunter2'))
})
