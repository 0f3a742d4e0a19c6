import { javaClass, type Schema } from '@tributary/connect-api'
import { converterErrors } from '../errors.ts'

/** Throws DataError for null. */
export function needed(value: unknown): unknown {
  if (value === null || value === undefined) throw unfit('Found null value for non-optional schema')
  return value
}

/** The type has no place for the values of a schema. */
export function misfit(schema: Schema, type: { readonly type: string }, reason?: string): Error {
  const why = reason === undefined ? '' : `: ${reason}`
  return unfit(`values of ${schema.name ?? schema.type} cannot be written as ${type.type}${why}`)
}

/** A value has another class than its schema. */
export function wrongClass(schema: Schema, value: unknown): Error {
  return value === null || value === undefined
    ? unfit('Found null value for non-optional schema')
    : unfit(`Invalid type for ${schema.type.toUpperCase()}: ${javaClass(value)}`)
}

export function unfit(reason: string): Error {
  return converterErrors.CONVERTER_UNSUPPORTED_VALUE(`AvroConverter: ${reason}`)
}
