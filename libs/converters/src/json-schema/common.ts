import type { Schema } from '@tributary/connect-api'
import { converterErrors } from '../errors.ts'
import * as names from './names.ts'

export function isUnion(schema: Schema): boolean {
  return (
    schema.type === 'struct' &&
    (schema.name === names.ONE_OF || schema.parameters?.[names.GENERALIZED_UNION] !== undefined)
  )
}

/** Only such maps are JSON objects; others are arrays of objects with `key` and `value`. */
export function isStringKey(schema: Schema): boolean {
  return schema.type === 'string' && schema.optional !== true
}

export function badSchema(why: string, cause?: unknown): Error {
  const text = why.length > 500 ? `${why.slice(0, 500)}…` : why
  return converterErrors.CONVERTER_BAD_SCHEMA(text, cause === undefined ? {} : { cause })
}
