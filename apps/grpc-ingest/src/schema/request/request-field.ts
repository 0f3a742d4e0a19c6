import type { ConfigError } from '@tributary/connect-api'
import { pathError, resolvePath, toScalar, type PathStep } from '../field/field-path.ts'
import type { Field, MessageType } from '../model/model.ts'
import { fitsInteger, integerKind } from './request-scalar.ts'
import { END_GROUP, LEN, START_GROUP, wireTypeOf } from '../wire/wire.ts'
import { WireWriter, writeScalar, type ScalarValue } from '../wire/wire-writer.ts'

/** A value of a resume field, as `fieldReader` returned it or as an offset stored it. */
export type RequestValue = bigint | number | string | boolean | Uint8Array

/**
 * Returns the request with the field set; the given bytes are not changed. Throws ConfigError when the value does not
 * fit.
 */
export type FieldSetter = (request: Uint8Array, value: RequestValue) => Buffer

/**
 * Creates a setter of one field of an encoded request, named by a dotted path. The field is appended: by the rules of
 * protobuf a later occurrence of a scalar wins and a message merges with the earlier one, so nothing has to be decoded.
 * Integers may be written to strings and decimal strings to integers, so that a stored offset of either form fits.
 * Throws ConfigError on `configKey` when the path does not lead to a single scalar.
 */
export function requestField(type: MessageType, path: string, configKey: string): FieldSetter {
  const steps = toScalar(resolvePath(type, path, configKey), path, configKey)
  const leaf = steps.at(-1)!.field
  return (request, value) => {
    const fitting = fit(leaf, value)
    if (fitting === null) throw doesNotFit(leaf, value, path, configKey)
    let bytes = new WireWriter().tag(leaf.number, wireTypeOf(leaf.type))
    writeScalar(bytes, leaf.type, fitting)
    for (const { field } of steps.slice(0, -1).reverse()) bytes = wrap(field, bytes.finish())
    return Buffer.concat([request, bytes.finish()])
  }
}

function wrap(field: PathStep['field'], content: Buffer): WireWriter {
  const out = new WireWriter()
  if (field.type !== 'group') return out.tag(field.number, LEN).chunk(content)
  return out.tag(field.number, START_GROUP).raw(content).tag(field.number, END_GROUP)
}

/** The value in the form of the type of the field; null when it has none. */
function fit(field: Field, value: RequestValue): ScalarValue | null {
  const kind = integerKind(field)
  if (kind) {
    const integer = toInteger(value)
    return integer !== null && fitsInteger(integer, kind) ? integer : null
  }
  switch (field.type) {
    case 'string':
      return value instanceof Uint8Array || typeof value === 'boolean' ? null : String(value)
    case 'bytes':
      return typeof value === 'string' ? Buffer.from(value, 'base64') : value instanceof Uint8Array ? value : null
    case 'bool':
      return typeof value === 'boolean' ? value : null
    case 'float':
    case 'double':
      return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : null
    case 'enum':
      return toEnum(field, value)
    default:
      return null
  }
}

function toInteger(value: RequestValue): bigint | null {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : null
  return typeof value === 'string' && /^-?\d{1,20}$/.test(value) ? BigInt(value) : null
}

function toEnum(field: Field, value: RequestValue): bigint | null {
  const number = typeof value === 'string' ? field.enumType?.numberOf.get(value) : Number(value)
  return number !== undefined && Number.isInteger(number) ? BigInt(number) : null
}

function doesNotFit(field: Field, value: RequestValue, path: string, configKey: string): ConfigError {
  const shown = value instanceof Uint8Array ? `${value.length} bytes` : `"${String(value).slice(0, 60)}"`
  return pathError(configKey, path, `the value ${shown} does not fit its type ${field.type}.`)
}
