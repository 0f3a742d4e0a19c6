import { stringifyJson } from '@tributary/config'
import { noTimeText, recordTime, type TimestampUnit } from '@tributary/push-source'
import { compilePath, elementTexts, isOfMessage, namesOfPath } from '../expressions/json-path.ts'
import type { Readable } from '../expressions/rule.ts'
import { wsErrors } from '../errors.ts'

/** Reads a field for a record. `part` is what becomes the record: the message itself, or one of its elements. */
export type Field = (part: Readable, message: Readable) => unknown

/** Compiles a path. A path that begins with `$` is read from the message, any other path from the part. */
export function compileField(path: string): Field {
  const read = compilePath(path)
  return isOfMessage(path) ? (_part, message) => read(message.json) : (part) => read(part.json)
}

/** A field's value as text: a string unchanged, any other value as JSON; null if the value is absent or null. */
export function textOf(value: unknown): string | null {
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value)
    default:
      return value === undefined || value === null ? null : stringifyJson(value)
  }
}

/**
 * A field's value as ms since the epoch, as `recordTime` reads it; null if the value is absent or null. Throws DataError
 * for a value that is no time.
 */
export function timestampOf(value: unknown, unit: TimestampUnit): number | null {
  if (value === undefined || value === null) return null
  const ms = recordTime(value, unit)
  if (!Number.isNaN(ms)) return ms
  throw wsErrors.WEBSOCKET_TIMESTAMP(noTimeText('timestamp.field', value, unit))
}

/** An element of a message: its text, and its value from the JSON of the message, which is parsed only once. */
export interface Element extends Readable {
  readonly text: string
}

/** The elements of a message; null if the message has no array at the path. */
export type Split = (message: Readable) => Element[] | null

export function compileSplit(path: string): Split {
  const read = compilePath(path)
  const names = namesOfPath(path)
  return (message) => {
    const values = read(message.json)
    if (!Array.isArray(values) || message.text === null) return null
    const texts = elementTexts(message.text, names)
    return texts?.map((text, i) => ({ text, json: values[i] as unknown })) ?? null
  }
}
