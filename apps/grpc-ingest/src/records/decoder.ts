import type { TimestampUnit } from '@tributary/push-source'
import type { ResumeValue } from './resume.ts'
import {
  fieldReader,
  type FieldValue,
  type JsonPut,
  jsonPut,
  type MessageType,
  type Read,
  type StructReader,
  structReader,
  timestampReader,
} from '../schema/index.ts'
import { type MessageTest, skipRule } from './skip-rule.ts'
import type { GrpcConfig } from '../config/spec.ts'

/**
 * How a message becomes the parts of a record. Each function throws DataError for bytes that are not such a message. null: no record
 * has this part.
 */
export interface Decoder {
  /** Not null: the value is JSON. */
  readonly json: JsonPut | null
  /** Not null: the value is a struct. With neither, it is the message itself. */
  readonly struct: StructReader | null
  readonly key: Read<string | Uint8Array | null> | null
  /** ms since the epoch */
  readonly timestamp: Read<number | null> | null
  readonly resume: Read<ResumeValue | null> | null
  /** Types that Any values named and the schema lacks, since the set was cleared; a few of them. */
  readonly unknownTypes: Set<string>
  /** Whether the message becomes no record. */
  readonly skips: MessageTest | null
}

/** An Any can name any type, so a server could name ever new ones. */
const MAX_UNKNOWN_TYPES = 100

/** Whether reading the messages needs their type. Raw bytes without key, timestamp and resume field do not. */
export function needsResponseType(config: GrpcConfig): boolean {
  return (
    config['grpc.value.format'] !== 'bytes' ||
    config['key.field'] !== null ||
    config['timestamp.field'] !== null ||
    config['grpc.resume.field'] !== null ||
    config['record.skip.match'] !== null
  )
}

/** `type` may be null when `needsResponseType` is false. Throws ConfigError on the key of a field that does not exist. */
export function createDecoder(config: GrpcConfig, type: MessageType | null): Decoder {
  const unknownTypes = new Set<string>()
  if (type === null)
    return { json: null, struct: null, key: null, timestamp: null, resume: null, skips: null, unknownTypes }
  const format = config['grpc.value.format']
  const keyField = config['key.field']
  const timestampField = config['timestamp.field']
  const unit = config['timestamp.unit'] as TimestampUnit
  const resumeField = config['grpc.resume.field']
  const omitUnset = config['grpc.json.presence'] === 'canonical'
  const onUnknownType = (name: string): void => {
    if (unknownTypes.size < MAX_UNKNOWN_TYPES) unknownTypes.add(name)
  }
  const rule = config['record.skip.match']
  const lossless = config['grpc.struct.lossless']
  return {
    json: format === 'json' ? jsonPut(type, { omitUnset, onUnknownType }) : null,
    struct: format === 'struct' ? structReader(type, { lossless, omitUnset, onUnknownType }) : null,
    key: keyField === null ? null : keyReader(type, keyField),
    timestamp: timestampField === null ? null : timestampReader(type, timestampField, 'timestamp.field', unit),
    resume: resumeField === null ? null : resumeReader(type, resumeField),
    unknownTypes,
    skips: rule === null ? null : skipRule(type, rule),
  }
}

function keyReader(type: MessageType, path: string): Decoder['key'] {
  const read = fieldReader(type, path, 'key.field')
  return (...message) => {
    const value = read(...message)
    if (value === null || typeof value === 'string' || value instanceof Uint8Array) return value
    return String(value)
  }
}

function resumeReader(type: MessageType, path: string): Decoder['resume'] {
  const read = fieldReader(type, path, 'grpc.resume.field')
  return (...message) => resumeValue(read(...message))
}

/** Integers are compared and counted; any other value is a token. */
function resumeValue(value: FieldValue): ResumeValue | null {
  if (value === null || typeof value === 'bigint' || typeof value === 'string') return value
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  return Number.isSafeInteger(value) ? BigInt(value) : String(value)
}
