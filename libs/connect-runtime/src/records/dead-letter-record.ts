import { createHash } from 'node:crypto'
import { CONNECT_ERRORS as CONNECT, errorTypeOf, type Header, TRIBUTARY_ERRORS } from '@tributary/connect-api'
import type { ProducerRecord } from '@tributary/kafka-producer'
import { redact } from '@tributary/telemetry'
import { shownError, shownTrace } from '../model/shown-error.ts'
import type { FailedConsumed, FailedRecord } from './failed-record.ts'

/** The value of a record over the broker's limit is cut to this many bytes in the dead-letter queue. */
const CUT_BYTES = 64 * 1024

type Headers = (readonly [string, Uint8Array | null])[]

/** Who writes a dead letter, and where. */
export interface Sender {
  readonly connector: string
  readonly task: number
  readonly topic: string
  /** `errors.deadletterqueue.context.headers.enable` */
  readonly withContext: boolean
  /** When the record failed, in ms since the epoch. */
  readonly now: number
}

/** The dead letter of a source's record: the bytes that the source received, and the record's own headers. */
export function deadLetterOfSource(failed: FailedRecord, sender: Sender): ProducerRecord {
  const { record, encoded, error } = failed
  const { topic, withContext, now } = sender
  const own = record.deadLetter?.headers(record, error) ?? record.headers ?? []
  const headers: Headers = own.map(({ name, value }) => [name, asBytes(value)])
  if (withContext) {
    const partition = encoded?.partition ?? record.partition
    headers.push(...contextOf(failed, sender, { topic: record.topic, partition, offset: undefined }))
    headers.push([`${TRIBUTARY_ERRORS}source.partition`, jsonBytes(record.sourcePartition)])
    headers.push([`${TRIBUTARY_ERRORS}source.offset`, jsonBytes(record.sourceOffset)])
    if (record.received) headers.push([`${TRIBUTARY_ERRORS}received`, jsonBytes(record.received)])
  }
  const letter: ProducerRecord = {
    topic,
    partition: -1,
    key: asReceived(record.key, encoded?.key),
    value: record.original ?? asReceived(record.value, encoded?.value),
    headers,
    timestamp: record.timestamp ?? now,
  }
  const isTooLarge = (error as { code?: unknown } | null)?.code === 'RECORD_TOO_LARGE'
  return traced(isTooLarge ? cutDeadLetter(letter) : letter, traceparentOf(encoded))
}

/** The dead letter of a record that a sink read, as Kafka Connect writes it (DeadLetterQueueReporter): the very bytes, and all headers. */
export function deadLetterOfConsumed(failed: FailedConsumed, sender: Sender): ProducerRecord {
  const { topic, partition, offset, key, value, headers, timestamp } = failed.consumed
  const context = sender.withContext ? contextOf(failed, sender, { topic, partition, offset }) : []
  return {
    topic: sender.topic,
    partition: -1,
    key,
    value,
    headers: [...headers, ...context],
    timestamp: timestamp ?? sender.now,
  }
}

/** Adds the trace of the batch to a dead letter whose record carries none. */
export function traced(letter: ProducerRecord, traceparent: string | null): ProducerRecord {
  const { headers = [] } = letter
  if (traceparent === null || headers.some(([name]) => name === TRACEPARENT)) return letter
  return { ...letter, headers: [...headers, [TRACEPARENT, Buffer.from(traceparent)]] }
}

/** Cuts a dead letter over the broker's limit. Its headers give the size and the SHA-256 of the whole value. */
export function cutDeadLetter(record: ProducerRecord): ProducerRecord {
  const { value } = record
  if (value === null) return record
  const cut: [string, Uint8Array][] = [
    [`${TRIBUTARY_ERRORS}value.cut`, Buffer.from('true')],
    [`${TRIBUTARY_ERRORS}value.size`, Buffer.from(String(value.length))],
    [`${TRIBUTARY_ERRORS}value.sha256`, Buffer.from(createHash('sha256').update(value).digest('hex'))],
  ]
  return { ...record, value: value.subarray(0, CUT_BYTES), headers: [...(record.headers ?? []), ...cut] }
}

const TRACEPARENT = 'traceparent'

function traceparentOf(encoded: ProducerRecord | undefined): string | null {
  const bytes = encoded?.headers?.find(([name]) => name === TRACEPARENT)?.[1]
  return bytes ? Buffer.from(bytes).toString() : null
}

interface Origin {
  readonly topic: string
  readonly partition: number | undefined
  readonly offset: bigint | undefined
}

/** Kafka Connect's headers in its order, then the documented ones, then ours. */
function contextOf(failed: FailedRecord | FailedConsumed, sender: Sender, origin: Origin): Headers {
  const { stage, className, error, retries = 0 } = failed
  const cause = error instanceof Error ? error : new Error(String(error))
  const partition = origin.partition === undefined ? null : String(origin.partition)
  const offset = origin.offset === undefined ? null : String(origin.offset)
  const rows: readonly (readonly [string, string | null])[] = [
    [`${CONNECT}topic`, origin.topic],
    [`${CONNECT}partition`, partition],
    [`${CONNECT}offset`, offset],
    [`${CONNECT}connector.name`, sender.connector],
    [`${CONNECT}task.id`, String(sender.task)],
    [`${CONNECT}stage`, stage],
    [`${CONNECT}class.name`, className],
    [`${CONNECT}exception.class.name`, cause.name],
    [`${CONNECT}exception.message`, shownError(cause.message)],
    [`${CONNECT}exception.stacktrace`, shownTrace(cause)],
    ['original_topic', origin.topic],
    ['original_partition', partition],
    ['original_offset', offset],
    ['error_type', errorTypeOf(error, stage)],
    ['retry_count', String(retries)],
    [`${TRIBUTARY_ERRORS}timestamp`, String(sender.now)],
  ]
  return rows.flatMap(([name, text]) => (text === null ? [] : [[name, Buffer.from(text)] as const]))
}

/** Of a position or the like, which everyone may read; a secret of the configuration is hidden nevertheless. */
function jsonBytes(value: object): Buffer {
  return Buffer.from(redact(jsonOf(value)))
}

function jsonOf(value: unknown): string {
  return JSON.stringify(value, (_key, v: unknown) => (typeof v === 'bigint' ? String(v) : v)) ?? ''
}

/** The bytes of text and bytes themselves. `encoded`: what the transforms and the converter have made of the value, for an object. */
function asReceived(value: unknown, encoded: Uint8Array | null | undefined): Uint8Array | null {
  const isObject = typeof value === 'object' && value !== null && !(value instanceof Uint8Array)
  return isObject && encoded !== undefined ? encoded : asBytes(value)
}

/** As SimpleHeaderConverter writes them. */
function asBytes(value: Header['value']): Uint8Array | null {
  if (value === null || value === undefined) return null
  if (value instanceof Uint8Array) return value
  if (typeof value === 'object') return Buffer.from(jsonOf(value))
  return Buffer.from(String(value as string | number | bigint | boolean))
}
