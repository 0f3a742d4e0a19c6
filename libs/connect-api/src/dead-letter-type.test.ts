import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorTypeOf } from './dead-letter-type.ts'
import { DataError, RetriableError } from './errors.ts'

test('the class of an error comes from its code, else its cause, else its stage', () => {
  const cases: readonly (readonly [unknown, string | null, string])[] = [
    [new DataError('SCHEMA_INCOMPATIBLE', ''), 'VALUE_CONVERTER', 'SCHEMA_MISMATCH'],
    [new DataError('TRANSFORM_DATA', ''), 'TRANSFORMATION', 'TYPE_CONVERSION_ERROR'],
    [new DataError('BODY_JSON', ''), 'TASK_POLL', 'SERIALIZATION_ERROR'],
    [new DataError('SQS_FIELD_MISSING', ''), 'TASK_POLL', 'VALIDATION_ERROR'],
    [new DataError('RECORD_TOO_LARGE', ''), 'KAFKA_PRODUCE', 'POISON_PILL'],
    [new DataError('SASL_AUTHENTICATION_FAILED', ''), 'KAFKA_PRODUCE', 'AUTH_ERROR'],
    [new RetriableError('ANY', ''), 'VALUE_CONVERTER', 'NETWORK_TIMEOUT'],
    [new Error('wrapped', { cause: new DataError('PROTOBUF_DECODE', '') }), 'TASK_POLL', 'SERIALIZATION_ERROR'],
    [new DataError('OF_A_PLUGIN', ''), 'TRANSFORMATION', 'TYPE_CONVERSION_ERROR'],
    [new DataError('OF_A_PLUGIN', ''), 'VALUE_CONVERTER', 'SERIALIZATION_ERROR'],
    [new Error('?'), null, 'UNKNOWN'],
    ['text', 'TASK_POLL', 'UNKNOWN'],
  ]
  for (const [error, stage, type] of cases)
    assert.equal(errorTypeOf(error, stage), type, `${String(error)} at ${stage}`)
  const circle: { cause?: unknown } = new Error('a')
  circle.cause = circle
  assert.equal(errorTypeOf(circle, null), 'UNKNOWN')
})
