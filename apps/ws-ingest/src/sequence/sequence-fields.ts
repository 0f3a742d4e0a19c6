import type { WebSocketConfig } from '../config/config.ts'
import { compilePath, isOfMessage, type JsonPath } from '../expressions/json-path.ts'
import { digestOf } from './hand-over-state.ts'

/** Where a field is read: from the whole message before it is split, or from the part that becomes a record. */
export type FieldPlace = 'message' | 'element'

/** How the numbers, stream keys and ids of messages are read. */
export interface SequenceFields {
  /** null: messages have no numbers. */
  readonly numbersOf: FieldPlace | null
  readonly readNumber: JsonPath
  /** The key is read together with the number: from the same place, or with `$.` from the whole message. */
  readonly keyOf: FieldPlace
  readonly readKey: JsonPath | null
  /** null: messages have no ids. */
  readonly idsOf: FieldPlace | null
  readonly readId: JsonPath
}

/** Compiles the fields. In split messages, fields read from the whole message count once per message. */
export function sequenceFields(config: WebSocketConfig): SequenceFields {
  const splits = config['split.field'] !== null
  const placeOf = (path: string | null): FieldPlace => (splits && isOfMessage(path ?? '') ? 'message' : 'element')
  const { 'sequence.field': number, 'sequence.key.field': key, 'dedupe.field': id } = config
  return {
    numbersOf: number === null ? null : placeOf(number),
    readNumber: compilePath(number ?? '$'),
    keyOf: placeOf(key),
    readKey: key === null ? null : compilePath(key),
    idsOf: id === null ? null : placeOf(id),
    readId: compilePath(id ?? '$'),
  }
}

/** Characters of a stream's key. The key is part of an offset, and every process of the cluster holds all offsets. */
const MAX_KEY = 200
const KEPT_OF_LONG_KEY = 150

/** The key of a stream; a number counts as its text. `defaultKey`: key of a message that names no stream. */
export function keyText(value: unknown, defaultKey: string | null): string | null {
  if (typeof value === 'string') return value.length > MAX_KEY ? shortened(value) : value
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean'
    ? String(value)
    : defaultKey
}

/** The beginning of a long key and its digest, so that two long keys differ. */
function shortened(key: string): string {
  return `${key.slice(0, KEPT_OF_LONG_KEY)}#${digestOf([key])}`
}
