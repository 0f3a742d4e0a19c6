import { isUtf8 } from 'node:buffer'
import { noTimeText, recordTime, type TimestampUnit } from '@tributary/push-source'
import { type PathStep, resolvePath, toScalar } from './field-path.ts'
import type { Field, MessageType } from '../model/model.ts'
import { decodeError, MAX_DEPTH, tooDeep, WireReader, wireTypeOf } from '../wire/wire.ts'
import { grpcErrors } from '../../errors.ts'

/**
 * The value of a field. 64-bit integers are bigint, an enum is its name (or its number when it has no name), null means
 * unset.
 */
export type FieldValue = bigint | number | string | boolean | Uint8Array | null

/** Reads something of the message in `bytes` from `start` to `end`, which are all of them by default. */
export type Read<T> = (bytes: Uint8Array, start?: number, end?: number) => T

/**
 * Creates a reader of one field, named by a dotted path (`event.id`, in .proto or JSON names), which does not decode
 * the rest of the message. A wrapper (`google.protobuf.Int64Value`) is read as its value. Null means that the field, or
 * a message on the way to it, is not set. A proto3 field without presence is never null but its zero value, because
 * that is not sent.
 *
 * Throws ConfigError on `configKey` when the path does not lead to a single scalar. The reader throws DataError
 * `PROTOBUF_DECODE` for malformed bytes.
 */
export function fieldReader(type: MessageType, path: string, configKey: string): Read<FieldValue> {
  return readerOf(toScalar(resolvePath(type, path, configKey), path, configKey))
}

/**
 * Creates a test of one field, named like that of `fieldReader`: whether it is `text` (a number in digits, an enum by its name, a
 * bool as `true` or `false`), or, with null, whether it is set. A message is set when it was sent; a proto3 field without presence,
 * when it is not its zero value. Throws ConfigError on `configKey`, and the test throws DataError, like `fieldReader`.
 */
export function fieldTest(type: MessageType, path: string, text: string | null, configKey: string): Read<boolean> {
  const steps = resolvePath(type, path, configKey)
  const { messageType, presence } = steps.at(-1)!.field
  if (text === null && messageType) {
    const read = readerOf(steps)
    return (...message) => read(...message) !== null
  }
  const scalar = toScalar(steps, path, configKey, ['bytes'])
  const read = readerOf(scalar)
  if (text !== null) return (...message) => String(read(...message) ?? '') === text
  const zero = presence ? null : zeroOf(scalar.at(-1)!.field)
  return (...message) => read(...message) !== zero
}

/**
 * Creates a reader of a time in ms since the epoch. The field is a google.protobuf.Timestamp or another message of
 * `seconds` and `nanos`; a number, which counts `unit`s; or a string, as `recordTime` reads it. Null means unset, or an
 * empty string. Throws ConfigError like `fieldReader`. The reader throws DataError, `PROTOBUF_TIMESTAMP` when the value
 * is no time from 1970 to 9999.
 */
export function timestampReader(
  type: MessageType,
  path: string,
  configKey: string,
  unit: TimestampUnit,
): Read<number | null> {
  const steps = resolvePath(type, path, configKey)
  const read = secondsReader(steps) ?? readerOf(toScalar(steps, path, configKey, ['bool', 'bytes', 'enum']))
  return (...message) => {
    const value = read(...message)
    if (value === null || value === '') return null
    const ms = recordTime(value, unit)
    if (!Number.isNaN(ms)) return ms
    throw grpcErrors.PROTOBUF_TIMESTAMP(noTimeText(path, value, unit))
  }
}

/** Reads a message of `seconds` and `nanos`; null when the field is none. */
function secondsReader(
  steps: readonly PathStep[],
): Read<Readonly<Record<'seconds' | 'nanos', FieldValue>> | null> | null {
  const message = steps.at(-1)!.field.messageType
  const [seconds, nanos] = ['seconds', 'nanos'].map((name) => message?.fields.find((f) => f.name === name))
  if (!message || !seconds || !nanos || ![seconds, nanos].every((f) => !f.repeated && /int|fixed/.test(f.type)))
    return null
  const [readSeconds, readNanos] = [seconds, nanos].map((field) => readerOf([...steps, { message, field }]))
  return (...message) => {
    const value = readSeconds!(...message)
    return value === null ? null : { seconds: value, nanos: readNanos!(...message) ?? 0 }
  }
}

/** The message with the leaf exists but the leaf is not set. (null: that message does not exist either.) */
const UNSET = Symbol('unset')
type Found = FieldValue | typeof UNSET

function readerOf(steps: readonly PathStep[]): Read<FieldValue> {
  const last = steps.length - 1
  const leaf = steps[last]!.field
  const siblings = steps.map(siblingsOf)
  const zero = leaf.presence ? null : zeroOf(leaf)

  const find = (r: WireReader, level: number): Found => {
    const { field } = steps[level]!
    const wireType = wireTypeOf(field.type)
    const nothing = level === last ? UNSET : null
    let found: Found = nothing
    while (r.more) {
      const tag = r.tag()
      const number = tag >>> 3
      if (number !== field.number || (tag & 7) !== wireType) {
        // The last member of a oneof wins.
        if (siblings[level]!.includes(number)) found = nothing
        r.skip(tag, level)
      } else if (level === last) {
        if (field.messageType) {
          found = true
          r.skip(tag, level)
        } else found = readScalar(r, field) ?? found
      } else {
        // A second occurrence merges with the first one: fields that it does not set stay.
        const inner = find(enter(r, field, level + 1), level + 1)
        if (found === null || (inner !== null && inner !== UNSET)) found = inner
      }
    }
    return found
  }

  return (bytes, start = 0, end = bytes.length) => {
    const found = find(new WireReader(bytes, start, end), 0)
    return found === UNSET ? zero : found
  }
}

/** A reader over the nested message at `r`; `r` moves past the message. */
function enter(r: WireReader, field: Field, depth: number): WireReader {
  if (depth > MAX_DEPTH) throw tooDeep()
  const inGroup = field.type === 'group'
  const start = r.pos
  const end = inGroup ? r.skipGroup(field.number, depth) : r.chunk()
  if (inGroup) return new WireReader(r.bytes, start, end)
  const inner = new WireReader(r.bytes, r.pos, end)
  r.pos = end
  return inner
}

function siblingsOf({ message, field }: PathStep): readonly number[] {
  if (field.oneof === null) return []
  return message.fields.filter((f) => f !== field && f.oneof === field.oneof).map((f) => f.number)
}

/** Reads one value after its tag. Null for a number that a closed enum does not have, which counts as not sent. */
function readScalar(r: WireReader, field: Field): Exclude<FieldValue, null> | null {
  switch (field.type) {
    case 'double':
      return r.double()
    case 'float':
      return r.float()
    case 'int32':
      return r.uint32() | 0
    case 'uint32':
      return r.uint32()
    case 'sint32': {
      const value = r.uint32()
      return (value >>> 1) ^ -(value & 1)
    }
    case 'int64':
      return BigInt.asIntN(64, r.uint64())
    case 'uint64':
      return r.uint64()
    case 'sint64': {
      const value = r.uint64()
      return (value >> 1n) ^ -(value & 1n)
    }
    case 'fixed32':
      return r.fixed32()
    case 'sfixed32':
      return r.fixed32() | 0
    case 'fixed64':
      return r.fixed64()
    case 'sfixed64':
      return BigInt.asIntN(64, r.fixed64())
    case 'bool':
      return r.uint64() !== 0n
    case 'enum':
      return enumValue(field, r.uint32() | 0)
    case 'bytes':
      return r.view()
    case 'string':
      return textOf(r.view(), field)
    case 'message':
    case 'group':
      throw decodeError(`${field.fullName} is not a scalar`)
  }
}

function textOf(bytes: Uint8Array, field: Field): string {
  if (field.validateUtf8 && !isUtf8(bytes)) throw decodeError(`${field.fullName} is not valid UTF-8`)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
}

function enumValue(field: Field, number: number): string | number | null {
  return field.enumType?.nameOf.get(number) ?? (field.closed ? null : number)
}

function zeroOf(field: Field): FieldValue {
  return field.type === 'enum' ? enumValue(field, field.defaultValue as number) : field.defaultValue
}
