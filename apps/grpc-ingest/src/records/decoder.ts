import { BYTES_SCHEMA, type Schema, STRING_SCHEMA } from '@tributary/connect-api'
import type { TimestampUnit } from '@tributary/push-source'
import type { ResumeValue } from './resume.ts'
import { fieldReader, type FieldValue, jsonWriter, type MessageType, timestampReader } from '../schema/index.ts'
import { type MessageTest, skipRule } from './skip-rule.ts'
import type { GrpcConfig } from '../config/spec.ts'

/**
 * How a message becomes the parts of a record. Each function throws DataError for bytes that are not such a message.
 */
export interface Decoder {
  readonly valueSchema: Schema
  readonly value: (message: Uint8Array) => string | Uint8Array
  readonly key: (message: Uint8Array) => string | Uint8Array | null
  /** ms since the epoch */
  readonly timestamp: (message: Uint8Array) => number | null
  readonly resume: (message: Uint8Array) => ResumeValue | null
  /** Types that Any values named and the schema lacks, since the set was cleared; a few of them. */
  readonly unknownTypes: Set<string>
  /** Whether the message becomes no record; null: every message does. */
  readonly skips: MessageTest | null
}

/** An Any can name any type, so a server could name ever new ones. */
const MAX_UNKNOWN_TYPES = 100

const none = (): null => null
const rawBytes = (message: Uint8Array): Uint8Array => message

/** Whether reading the messages needs their type. Raw bytes without key, timestamp and resume field do not. */
export function needsResponseType(config: GrpcConfig): boolean {
  return (
    config['grpc.value.format'] === 'json' ||
    config['key.field'] !== null ||
    config['timestamp.field'] !== null ||
    config['grpc.resume.field'] !== null ||
    config['record.skip.match'] !== null
  )
}

/** `type` may be null when `needsResponseType` is false. Throws ConfigError on the key of a field that does not exist. */
export function createDecoder(config: GrpcConfig, type: MessageType | null): Decoder {
  const unknownTypes = new Set<string>()
  if (type === null) {
    return {
      valueSchema: BYTES_SCHEMA,
      value: rawBytes,
      key: none,
      timestamp: none,
      resume: none,
      skips: null,
      unknownTypes,
    }
  }
  const json = config['grpc.value.format'] === 'json'
  const keyField = config['key.field']
  const timestampField = config['timestamp.field']
  const unit = config['timestamp.unit'] as TimestampUnit
  const resumeField = config['grpc.resume.field']
  const omitUnset = config['grpc.json.presence'] === 'canonical'
  const onUnknownType = (name: string): void => {
    if (unknownTypes.size < MAX_UNKNOWN_TYPES) unknownTypes.add(name)
  }
  const rule = config['record.skip.match']
  return {
    valueSchema: json ? STRING_SCHEMA : BYTES_SCHEMA,
    value: json ? jsonWriter(type, { omitUnset, onUnknownType }) : rawBytes,
    key: keyField === null ? none : keyReader(type, keyField),
    timestamp: timestampField === null ? none : timestampReader(type, timestampField, 'timestamp.field', unit),
    resume: resumeField === null ? none : resumeReader(type, resumeField),
    unknownTypes,
    skips: rule === null ? null : skipRule(type, rule),
  }
}

function keyReader(type: MessageType, path: string): Decoder['key'] {
  const read = fieldReader(type, path, 'key.field')
  return (message) => {
    const value = read(message)
    if (value === null || typeof value === 'string' || value instanceof Uint8Array) return value
    return String(value)
  }
}

function resumeReader(type: MessageType, path: string): Decoder['resume'] {
  const read = fieldReader(type, path, 'grpc.resume.field')
  return (message) => resumeValue(read(message))
}

/** Integers are compared and counted; any other value is a token. */
function resumeValue(value: FieldValue): ResumeValue | null {
  if (value === null || typeof value === 'bigint' || typeof value === 'string') return value
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  return Number.isSafeInteger(value) ? BigInt(value) : String(value)
}
