import { type DeadLetter, type DeadLetterContext, ERROR_TYPES, type ErrorType } from './dead-letter.ts'
import type { Header, SourceOffset, SourcePartition, SourceRecord } from './record.ts'

/** Kafka Connect's headers of a dead letter (KIP-298), without their prefix. */
export const CONNECT_ERRORS = '__connect.errors.'
/** Ours beside them. */
export const TRIBUTARY_ERRORS = '__tributary.errors.'
/** The headers that the documents of change data capture promise. */
export const DOCUMENTED_ERRORS = [
  'original_topic',
  'original_partition',
  'original_offset',
  'error_type',
  'retry_count',
]

/** A record as Kafka has it. */
export interface LetterRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly (readonly [string, Uint8Array | null])[]
  /** In ms since the epoch. */
  readonly timestamp: number
}

/** Reads any record of a dead-letter topic, whoever wrote it. What its headers do not say is null, and never an error. */
export function readDeadLetter({ key, value, headers, timestamp }: LetterRecord): DeadLetter {
  const own: Header[] = []
  const context = new Map<string, string>()
  for (const [name, bytes] of headers) {
    const about =
      name.startsWith(CONNECT_ERRORS) || name.startsWith(TRIBUTARY_ERRORS) || DOCUMENTED_ERRORS.includes(name)
    if (about) context.set(name, bytes === null ? '' : Buffer.from(bytes).toString())
    else own.push({ name, value: bytes })
  }
  return { key, value, headers: own, timestamp, context: contextOf(context, own) }
}

/** The text of a header of the record in a dead letter; null: the letter has none of the name. */
export function letterHeader({ headers }: Pick<DeadLetter, 'headers'>, name: string): string | null {
  const value = headers.find((header) => header.name === name)?.value
  if (value === undefined || value === null) return null
  if (value instanceof Uint8Array) return Buffer.from(value).toString()
  const isNumber = typeof value === 'number' || typeof value === 'bigint'
  return typeof value === 'string' ? value : isNumber ? String(value) : JSON.stringify(value)
}

/**
 * A record that `redeliver` has made, at the place and in the trace of its letter. The letter's headers `traceparent` and `tracestate`
 * are added unless the source has given the record a trace.
 */
export function redelivered(record: SourceRecord, letter: DeadLetter): SourceRecord {
  const { sourcePartition, sourceOffset } = letter.context
  const { headers = [] } = record
  const isTraced = headers.some(({ name }) => name === 'traceparent')
  const trace = isTraced ? [] : letter.headers.filter(({ name }) => /^trace(parent|state)$/.test(name))
  return {
    ...record,
    sourcePartition: sourcePartition ?? record.sourcePartition,
    sourceOffset: sourceOffset ?? record.sourceOffset,
    headers: trace.length > 0 ? [...headers, ...trace] : record.headers,
  }
}

function contextOf(headers: ReadonlyMap<string, string>, own: readonly Header[]): DeadLetterContext {
  const text = (name: string): string | null => headers.get(name) || null
  const connect = (name: string): string | null => text(CONNECT_ERRORS + name)
  const ours = (name: string): string | null => text(TRIBUTARY_ERRORS + name)
  const size = wholeNumber(ours('value.size'))
  const sha256 = ours('value.sha256')
  const offset = connect('offset') ?? text('original_offset')
  const type = text('error_type')
  return {
    connector: connect('connector.name'),
    task: wholeNumber(connect('task.id')),
    topic: connect('topic') ?? text('original_topic'),
    partition: wholeNumber(connect('partition') ?? text('original_partition')),
    offset: offset !== null && /^\d{1,18}$/.test(offset) ? BigInt(offset) : null,
    stage: connect('stage'),
    className: connect('class.name'),
    exceptionClass: connect('exception.class.name'),
    message: connect('exception.message'),
    trace: connect('exception.stacktrace'),
    errorType: isErrorType(type) ? type : typeOfException(connect('exception.class.name'), connect('stage')),
    retries: wholeNumber(text('retry_count')),
    failedAt: wholeNumber(ours('timestamp')),
    sourcePartition: jsonObject(ours('source.partition')) as SourcePartition | null,
    sourceOffset: jsonObject(ours('source.offset')) as SourceOffset | null,
    received: texts(jsonObject(ours('received'))),
    cut: size !== null && sha256 !== null ? { size, sha256 } : null,
    traceId: traceIdOf(own),
  }
}

/** Kafka Connect's own exceptions, and those of the drivers behind its sinks, as classes of the taxonomy. */
const EXCEPTIONS: readonly (readonly [RegExp, ErrorType])[] = [
  [
    /SchemaBuilder|SchemaProjector|Schema(Registry)?Exception|IncompatibleSchema|RestClientException/,
    'SCHEMA_MISMATCH',
  ],
  [/Serialization|JsonParse|JsonProcessing|AvroRuntime|InvalidProtocolBuffer|MalformedInput/, 'SERIALIZATION_ERROR'],
  [/Timeout|Connect(ion)?Exception|SocketException|UnknownHost/, 'NETWORK_TIMEOUT'],
  [/Auth(entication|orization)|AccessDenied|Security/, 'AUTH_ERROR'],
  [/Constraint|DuplicateKey|IntegrityViolation/, 'CONSTRAINT_VIOLATION'],
  [/NumberFormat|ClassCast|Arithmetic|DateTimeParse/, 'TYPE_CONVERSION_ERROR'],
  [/RecordTooLarge|CorruptRecord/, 'POISON_PILL'],
]

/** The class of an error of which only the name of its exception is known, such as one in a letter of Kafka Connect's. */
export function typeOfException(name: string | null, stage: string | null): ErrorType {
  const simple = name?.slice(name.lastIndexOf('.') + 1) ?? ''
  for (const [pattern, type] of EXCEPTIONS) if (simple !== 'ConnectException' && pattern.test(simple)) return type
  // It says that a record does not fit; the stage says at what.
  if (/^Data(Exception|Error)$/.test(simple)) return typeOfStage(stage)
  return 'UNKNOWN'
}

/** The class of a bad record of which only the step is known that failed. */
export function typeOfStage(stage: string | null): ErrorType {
  if (stage === 'TRANSFORMATION') return 'TYPE_CONVERSION_ERROR'
  if (stage !== null && stage.endsWith('_CONVERTER')) return 'SERIALIZATION_ERROR'
  return 'UNKNOWN'
}

function isErrorType(text: string | null): text is ErrorType {
  return (ERROR_TYPES as readonly (string | null)[]).includes(text)
}

function wholeNumber(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null
}

function jsonObject(text: string | null): Record<string, unknown> | null {
  if (text === null) return null
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null
  } catch {
    return null
  }
}

function texts(object: Record<string, unknown> | null): Readonly<Record<string, string>> | null {
  return object === null
    ? null
    : Object.fromEntries(Object.entries(object).map(([name, value]) => [name, String(value)]))
}

/** The trace id of a `traceparent` (W3C Trace Context). */
function traceIdOf(headers: readonly Header[]): string | null {
  const value = headers.find(({ name }) => name.toLowerCase() === 'traceparent')?.value
  const text = value instanceof Uint8Array ? Buffer.from(value).toString() : typeof value === 'string' ? value : ''
  return /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}/.exec(text)?.[1] ?? null
}
