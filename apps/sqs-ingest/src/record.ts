import {
  BYTES_SCHEMA,
  errorCode,
  type Header,
  type Schema,
  type SourceDeadLetter,
  type SourceRecord,
  STRING_SCHEMA,
  traceOf,
} from '@tributary/connect-api'
import { type Logger, oncePer, redact } from '@tributary/telemetry'
import type { Converted } from './convert/content.ts'
import type { SqsMessage } from './message.ts'
import type { DeadLetterCause, Place, RecordMaker } from './task-parts.ts'
import { traceHeaders } from './trace-context.ts'

export interface RecordOptions {
  readonly topic: string
  /** The Kafka partition; null: by the key. */
  readonly partition: number | null
  /** Whether the message attributes become headers. */
  readonly attributes: boolean
  /** `dlq.topic`; null: dead letters go to the runtime's error handling. */
  readonly deadLetterTopic: string | null
  /** `max.retries`, which dead letters show. */
  readonly maxRetries: number
  readonly log?: Pick<Logger, 'warn'>
}

const NO_GROUP_LOG_MS = 60_000
const MAX_TRACE_CHARS = 8000

/** Header and system attribute, in the order of the JVM connector. A receipt handle is a secret and no header. */
export const SYSTEM_HEADERS = [
  ['sqs.sent.timestamp', 'SentTimestamp'],
  ['sqs.approximate.receive.count', 'ApproximateReceiveCount'],
  ['sqs.approximate.first.receive.timestamp', 'ApproximateFirstReceiveTimestamp'],
  ['sqs.message.group.id', 'MessageGroupId'],
  ['sqs.message.deduplication.id', 'MessageDeduplicationId'],
  ['sqs.sequence.number', 'SequenceNumber'],
] as const

/** Makes records of messages. */
export class SqsRecords implements RecordMaker {
  readonly #options: RecordOptions
  readonly #noGroup = oncePer(NO_GROUP_LOG_MS)
  /** Where bad records go; undefined: the settings of Kafka Connect decide. */
  readonly #deadLetters: SourceDeadLetter | undefined

  constructor(options: RecordOptions) {
    this.#options = options
    const { deadLetterTopic: topic, maxRetries } = options
    // A record with an error has the headers of its dead letter already. Any other one failed behind the source.
    const headersOf = (record: SourceRecord, error: unknown): readonly Header[] =>
      record.error === undefined ? lateHeaders(record, error, maxRetries) : (record.headers ?? [])
    this.#deadLetters = topic === null ? undefined : { topic, headers: headersOf }
  }

  /** The record of a converted message: its key is the message id, or the group id on a FIFO queue. */
  record(message: SqsMessage, converted: Converted, place: Place): SourceRecord {
    const { topic, partition } = this.#options
    const { value, valueSchema = schemaOf(value) } = converted
    const attributes = converted.attributes ?? message.attributes
    return {
      ...place,
      topic,
      partition: partition ?? undefined,
      key: this.#keyOf(message),
      keySchema: STRING_SCHEMA,
      value,
      valueSchema,
      headers: [
        ...(converted.headers ?? []),
        text('sqs.message.id', message.id),
        ...(message.md5OfBody === null ? [] : [text('sqs.md5.of.body', message.md5OfBody)]),
        ...this.#describing(message, attributes),
      ],
      timestamp: null,
      original: Buffer.from(message.body),
      originalIsText: value === message.body,
      ...(this.#deadLetters && { deadLetter: this.#deadLetters }),
    }
  }

  /**
   * The record of a bad message, with an `error`. For `dlq.topic` it has the JVM connector's headers in its order, then all that the
   * message had besides.
   */
  deadLetter(message: SqsMessage, failure: DeadLetterCause, place: Place): SourceRecord {
    const failed = this.#failed(message, failure, place)
    if (this.#deadLetters === undefined) return failed
    return {
      ...failed,
      key: message.id,
      headers: [
        text('sqs.message.id', message.id),
        text('sqs.queue.url', message.queue.url),
        ...failureHeaders(failure, this.#options.maxRetries),
        ...(message.md5OfBody === null ? [] : [text('sqs.md5.of.body', message.md5OfBody)]),
        ...describing(message, message.attributes),
      ],
    }
  }

  #failed(message: SqsMessage, { error }: DeadLetterCause, place: Place): SourceRecord {
    return { ...this.record(message, { value: null, valueSchema: STRING_SCHEMA }, place), error }
  }

  #keyOf({ queue, id, system }: SqsMessage): string {
    if (!queue.fifo) return id
    const group = system['MessageGroupId']
    if (group !== undefined) return group
    const suppressed = this.#noGroup(queue.url)
    if (suppressed !== null) {
      this.#options.log?.warn('message_without_group', { queue_url: queue.url, message_id: id, suppressed })
    }
    return id
  }

  #describing(message: SqsMessage, attributes: SqsMessage['attributes']): Header[] {
    return describing(message, attributes, this.#options.attributes)
  }
}

/** System attributes, message attributes, and the trace context. */
function describing(message: SqsMessage, attributes: SqsMessage['attributes'], named = true): Header[] {
  const headers: Header[] = []
  for (const [name, attribute] of SYSTEM_HEADERS) {
    const value = message.system[attribute]
    if (value !== undefined) headers.push(text(name, value))
  }
  if (named) {
    for (const [name, { dataType, stringValue, binaryValue }] of Object.entries(attributes)) {
      const header = `sqs.message.attribute.${name}`
      if (stringValue !== undefined) headers.push(text(header, stringValue))
      else if (binaryValue !== undefined) headers.push({ name: header, value: binaryValue, schema: BYTES_SCHEMA })
      headers.push(text(`${header}.type`, dataType))
    }
  }
  headers.push(...traceHeaders({ system: message.system, attributes }))
  return headers
}

/**
 * `error.class` is the class that a bad message has in Kafka Connect, so that rules on this header go on working. As in the JVM
 * connector, `retry.count` counts the failures, of which the first was no retry.
 */
function failureHeaders({ error, retries, maxRetries }: Failure, shownMax: number): Header[] {
  // An error may quote a configuration.
  const trace = redact(traceOf(error))
  const shown = trace.length > MAX_TRACE_CHARS ? `${trace.slice(0, MAX_TRACE_CHARS)}... (truncated)` : trace
  const failed = errorCode(error) !== 'SQS_UNMATCHED'
  return [
    text('error.class', 'org.apache.kafka.connect.errors.DataException'),
    text('error.message', redact(error.message)),
    text('error.stacktrace', shown),
    { name: 'error.timestamp', value: BigInt(Date.now()), schema: INT64 },
    { name: 'retry.count', value: failed ? retries + 1 : 0, schema: INT32 },
    { name: 'retry.max', value: shownMax, schema: INT32 },
    { name: 'retry.exhausted', value: failed && retries >= maxRetries, schema: BOOLEAN },
  ]
}

type Failure = Omit<DeadLetterCause, 'error'> & { readonly error: Error }

/** Of a record that a transform, a converter or Kafka refused, which is not tried again. */
function lateHeaders({ headers = [], sourcePartition }: SourceRecord, cause: unknown, shownMax: number): Header[] {
  const error = cause instanceof Error ? cause : new Error(String(cause))
  const ids = headers.filter(({ name }) => name === 'sqs.message.id')
  return [
    ...ids,
    text('sqs.queue.url', String(sourcePartition['queue_url'])),
    ...failureHeaders({ error, retries: 0, maxRetries: 0 }, shownMax),
    ...headers.filter(({ name }) => name !== 'sqs.message.id'),
  ]
}

const INT64: Schema = { type: 'int64' }
const INT32: Schema = { type: 'int32' }
const BOOLEAN: Schema = { type: 'boolean' }

const text = (name: string, value: string): Header => ({ name, value, schema: STRING_SCHEMA })

function schemaOf(value: unknown): Schema | null {
  return typeof value === 'string' ? STRING_SCHEMA : value instanceof Uint8Array ? BYTES_SCHEMA : null
}
