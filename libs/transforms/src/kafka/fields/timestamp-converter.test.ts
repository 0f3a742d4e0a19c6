import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LOGICAL, type Schema } from '@tributary/connect-api'
import { applied, STRING, struct } from '../support/for-tests.ts'
import { timestampConverter } from './timestamp-converter.ts'

const TIMESTAMP: Schema = { type: 'int64', name: LOGICAL.Timestamp, version: 1 }

describe('TimestampConverter', () => {
  const converted = (config: Record<string, string>, value: unknown, valueSchema: Schema | null = null): unknown =>
    applied(timestampConverter, config, { value, valueSchema }).value

  it('converts between the types, in a field or as a whole', () => {
    const date = new Date('1969-12-31T23:59:59.500Z')
    assert.deepEqual(converted({ 'target.type': 'Date' }, date, TIMESTAMP), new Date(-86_400_000))
    assert.deepEqual(converted({ 'target.type': 'Time' }, date, TIMESTAMP), new Date(86_399_500))
    assert.equal(converted({ 'target.type': 'unix' }, date, TIMESTAMP), -500n)
    assert.equal(converted({ 'target.type': 'unix', 'unix.precision': 'seconds' }, date), 0)
    const nanos = { 'target.type': 'Timestamp', 'unix.precision': 'nanoseconds' }
    assert.deepEqual(converted(nanos, 1_700_000_000_123_456_789n, { type: 'int64' }), new Date(1_700_000_000_123))
    const schema = struct({ at: { ...STRING, optional: true } })
    const config = { field: 'at', 'target.type': 'Timestamp', format: 'yyyy-MM-dd' }
    const { value, valueSchema } = applied(timestampConverter, config, {
      valueSchema: schema,
      value: { at: '2024-02-29' },
    })
    assert.deepEqual(value, { at: new Date('2024-02-29') })
    assert.deepEqual(valueSchema, struct({ at: { ...TIMESTAMP, optional: true } }))
  })

  it('fails in the words of Kafka', () => {
    const config = { 'target.type': 'unix', format: 'yyyy' }
    const parse = 'Could not parse timestamp: value (x) does not match pattern (yyyy)'
    assert.throws(() => converted(config, 'x'), { code: 'TRANSFORM_DATA', message: parse })
    const type = 'Schema Schema{n:BOOLEAN} does not correspond to a known timestamp type format'
    assert.throws(() => converted(config, null, { type: 'boolean', name: 'n' }), { message: type })
    const found = 'TimestampConverter does not support class java.lang.Double objects as timestamps'
    assert.throws(() => converted(config, 1.5), { message: found })
    const needs = 'TimestampConverter requires format option to be specified when using string timestamps'
    assert.throws(() => timestampConverter[0].create({ 'target.type': 'string' }), { message: needs })
    assert.throws(() => timestampConverter[0].create({ 'target.type': 'unix', format: 'b' }), {
      field: 'format',
      message: /Illegal pattern character 'b'/,
    })
  })

  it('refuses times that no date of JavaScript can be', () => {
    assert.throws(() => converted({ 'target.type': 'Timestamp' }, 2n ** 62n, { type: 'int64' }), /beyond the years/)
  })
})
