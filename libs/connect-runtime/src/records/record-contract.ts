import { inspect } from 'node:util'
import { checkTopicName } from '@tributary/config'
import {
  END_OF_INPUT,
  type FatalError,
  PackedRecords,
  type Polled,
  type SourcePartition,
  type SourceRecord,
} from '@tributary/connect-api'
import { runtimeErrors } from '../errors.ts'
import { BadRecordError } from './stage-failure.ts'

/** An error's text shows at most this many characters of the value that a plugin returned. */
const SHOWN_CHARS = 100

const MUST_BE_MS = 'null, or whole ms since the epoch, as a number'

export interface RecordCheck {
  /** Names the code that returned the records. */
  readonly by: string
  /** Topics that exist. */
  readonly known: ReadonlyMap<string, unknown>
  /** Whether null stands for a record that a transformation filtered out. */
  readonly filtered: boolean
}

/** Checks the answer of `poll`, not the records in it. `by` names the plugin. Throws RECORD_CONTRACT. */
export function checkPolled(polled: unknown, by: string): Polled[] | typeof END_OF_INPUT {
  if (polled === END_OF_INPUT || Array.isArray(polled)) return polled as Polled[] | typeof END_OF_INPUT
  throw broken(`poll of ${by} returned ${shown(polled)}; it must return an array of records, or END_OF_INPUT`)
}

/** Throws for a task that ended its input without `drain`, since the run would then stop without a failure. */
export function unexpectedEnd(): never {
  const remedy = 'the task must throw NotConnectedError when its stream ends'
  throw runtimeErrors.END_OF_INPUT_UNEXPECTED(`poll answered END_OF_INPUT although drain was not called: ${remedy}`)
}

/**
 * Checks what the runtime itself reads of each record, since a plugin may be plain JavaScript, and Kafka's clients would wait for a
 * topic `undefined` for ever. Throws BadRecordError with the index of the record, and RECORD_CONTRACT as its cause.
 */
export function checkRecords(records: readonly (Polled | null)[], { by, known, filtered }: RecordCheck): void {
  let topic: string | undefined
  let partition: SourcePartition | undefined
  for (let i = 0; i < records.length; i++) {
    const record = records[i]
    if (record === null && filtered) continue
    if (record === null || !isObject(record)) throw badRecord(i, by, 'record', record, 'a SourceRecord')
    if (record.topic !== topic) {
      checkTopic(record, i, by, known)
      topic = record.topic
    }
    if (record.sourcePartition !== partition || partition === undefined) {
      partition = record.sourcePartition
      if (!isObject(partition)) throw badRecord(i, by, 'sourcePartition', partition, 'an object')
    }
    if (record instanceof PackedRecords) {
      checkPack(record, i, by)
      continue
    }
    if (!isObject(record.sourceOffset)) throw badRecord(i, by, 'sourceOffset', record.sourceOffset, 'an object')
    checkOptional(record, i, by)
  }
}

/** The constructor of a pack has checked its sizes. What its records share is checked as theirs would be. */
function checkPack(pack: PackedRecords, index: number, by: string): void {
  const sourceOffset = pack.offsetOf(pack.count - 1)
  if (!isObject(sourceOffset)) throw badRecord(index, by, 'sourceOffset', sourceOffset, 'an object')
  checkHeaders(pack.headers, index, by)
  const wrong = pack.timestamps?.find((timestamp) => !Number.isSafeInteger(timestamp))
  if (wrong !== undefined) throw badRecord(index, by, 'timestamp', wrong, MUST_BE_MS)
}

function checkTopic(record: Polled, index: number, by: string, known: ReadonlyMap<string, unknown>): void {
  const { topic } = record
  if (known.has(topic)) return
  if (typeof topic !== 'string') throw badRecord(index, by, 'topic', topic, 'a string')
  const problem = checkTopicName(topic)
  if (problem !== null) throw badRecord(index, by, 'topic', topic, `a legal name of a topic (${problem})`)
}

function checkOptional(record: SourceRecord, index: number, by: string): void {
  const { partition, timestamp, headers, original, error } = record
  if (given(partition) && !(Number.isInteger(partition) && partition >= 0 && partition < 2 ** 31)) {
    throw badRecord(index, by, 'partition', partition, 'undefined, or an integer from 0 on')
  }
  if (given(timestamp) && !Number.isSafeInteger(timestamp)) {
    throw badRecord(index, by, 'timestamp', timestamp, MUST_BE_MS)
  }
  checkHeaders(headers, index, by)
  if (given(original) && !(original instanceof Uint8Array)) {
    throw badRecord(index, by, 'original', original, 'undefined, or a Uint8Array')
  }
  if (error !== undefined && !((error as unknown) instanceof Error)) {
    throw badRecord(index, by, 'error', error, 'undefined, or a DataError')
  }
}

function checkHeaders(headers: Polled['headers'], index: number, by: string): void {
  if (!given(headers) || (Array.isArray(headers) && headers.every(isHeader))) return
  throw badRecord(index, by, 'headers', headers, 'undefined, or an array of {name, value} whose names are strings')
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isHeader(header: unknown): boolean {
  return isObject(header) && typeof (header as { name?: unknown }).name === 'string'
}

/** The encoder reads a null like a missing field, and so do plugins that were written for Kafka Connect. */
function given<T>(value: T): value is NonNullable<T> {
  return value !== undefined && value !== null
}

function badRecord(index: number, by: string, field: string, value: unknown, must: string): BadRecordError {
  const what = field === 'record' ? 'a record that' : `a record whose ${field}`
  return new BadRecordError(index, broken(`${by} returned ${what} is ${shown(value)}; it must be ${must}`))
}

function broken(text: string): FatalError {
  return runtimeErrors.RECORD_CONTRACT(`${text}. This is a bug of the plugin`)
}

function shown(value: unknown): string {
  const text = inspect(value, { depth: 1, breakLength: Infinity, maxStringLength: SHOWN_CHARS })
  return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)} …` : text
}
