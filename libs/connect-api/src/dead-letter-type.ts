import type { ErrorType } from './dead-letter.ts'
import { typeOfException, typeOfStage } from './dead-letter-headers.ts'
import { errorCode, errorKind } from './errors.ts'

/** The class of each code of a DataError in this repository. A code of a plugin of others gets its class by the stage. */
const TYPES: Readonly<Partial<Record<ErrorType, readonly string[]>>> = {
  SCHEMA_MISMATCH: [
    ...['VALUE_INVALID', 'BODY_MISFIT', 'CONVERTER_AVRO_SCHEMA', 'CONVERTER_BAD_SCHEMA', 'PROTOBUF_STRUCT'],
    ...['SCHEMA_REFUSED', 'SCHEMA_NOT_FOUND', 'SCHEMA_INCOMPATIBLE', 'SCHEMA_SUBJECT', 'SQS_SCHEMA_REFUSED'],
  ],
  TYPE_CONVERSION_ERROR: [
    ...['TRANSFORM_DATA', 'EXPRESSION_FAILED', 'CONVERTER_UNSUPPORTED_VALUE', 'PROTOBUF_TIMESTAMP'],
    'WEBSOCKET_TIMESTAMP',
  ],
  SERIALIZATION_ERROR: [
    ...['BODY_JSON', 'SCHEMA_FRAME', 'CONVERTER_AVRO_BYTES', 'CONVERTER_BAD_JSON', 'CONVERTER_BAD_BYTES'],
    ...['CONVERTER_PROTOBUF', 'CONVERTER_CLOUD_EVENT', 'PROTOBUF_DECODE', 'PROTOBUF_JSON', 'SQS_BODY'],
    ...['SQS_DECOMPRESS', 'WEBSOCKET_TEXT', 'WEBSOCKET_INFLATE'],
  ],
  VALIDATION_ERROR: [
    ...[
      'DEAD_LETTER_WITHOUT_TOPIC',
      'REPLAY_EDIT_REFUSED',
      'CONVERTER_JSON_SCHEMA',
      'RECORD_TOPIC_ILLEGAL',
      'RECORD_FOR_INTERNAL_TOPIC',
      'SQS_FIELD_MISSING',
    ],
    ...[
      'SQS_UNMATCHED',
      'INVALID_RECORD',
      'INVALID_TIMESTAMP',
      'WEBSOCKET_DEAD_LETTER',
      'WEBSOCKET_TOPIC',
      'WEBSOCKET_TOPIC_LIMIT',
    ],
  ],
  POISON_PILL: [
    'RECORD_TOO_LARGE',
    'MESSAGE_TOO_LARGE',
    'RECORD_LIST_TOO_LARGE',
    'DEAD_LETTER_CUT',
    'SQS_CLAIM_CHECK',
    'SQS_OBJECT',
  ],
}

const typeByCode = new Map(
  Object.entries(TYPES).flatMap(([type, codes]) => codes.map((code) => [code, type as ErrorType] as const)),
)

/** Codes of Kafka and of servers that do not let us in. */
const REFUSES = /AUTHENTICATION|AUTHORIZATION|DENIED|CREDENTIALS|REGISTRY_REFUSED/

/** Errors of JavaScript itself, by their names. */
const NATIVE: Readonly<Record<string, ErrorType>> = {
  SyntaxError: 'SERIALIZATION_ERROR',
  TypeError: 'TYPE_CONVERSION_ERROR',
  RangeError: 'TYPE_CONVERSION_ERROR',
}

/**
 * The class of an error by which operators filter dead letters. The first error of the chain of causes decides that has one.
 * `stage`: Kafka Connect's name of what failed, such as VALUE_CONVERTER; null: not known.
 */
export function errorTypeOf(error: unknown, stage: string | null): ErrorType {
  const seen = new Set<unknown>()
  for (let e = error; e instanceof Error && !seen.has(e); e = e.cause) {
    seen.add(e)
    const type = typeOf(e)
    if (type !== null) return type
  }
  return typeOfStage(stage)
}

function typeOf(error: Error): ErrorType | null {
  const code = errorCode(error)
  const known = code === undefined ? undefined : typeByCode.get(code)
  if (known !== undefined) return known
  if (code !== undefined && REFUSES.test(code)) return 'AUTH_ERROR'
  if (errorKind(error) === 'retriable') return 'NETWORK_TIMEOUT'
  const named = NATIVE[error.name] ?? typeOfException(error.name, null)
  return named === 'UNKNOWN' ? null : named
}

/** Whether the code of a DataError has a class. */
export function hasErrorType(code: string): boolean {
  return typeByCode.has(code)
}
