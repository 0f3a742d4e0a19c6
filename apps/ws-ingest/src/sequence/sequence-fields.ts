import { compilePath, isOfMessage, type JsonPath } from '../record/json-path.ts'
import type { WebSocketConfig } from '../spec.ts'

/** Where a field is read: from the whole message before it is split, or from what becomes a record. */
export type FieldPlace = 'message' | 'element'

/** How the fields that tell messages apart are read. */
export interface SequenceFields {
  /** null: there are no numbers. */
  readonly numbersOf: FieldPlace | null
  readonly readNumber: JsonPath
  /** The key is read with the number, from the same place or, by `$.`, from the message around it. */
  readonly keyOf: FieldPlace
  readonly readKey: JsonPath | null
  /** null: there are no ids. */
  readonly idsOf: FieldPlace | null
  readonly readId: JsonPath
}

/** What the settings say. Numbers and ids of messages that are split count once a message, not once an element. */
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
