import { stringifyJson } from '@tributary/config'
import type { Readable } from '../frame.ts'
import { compilePath, isOfMessage } from './json-path.ts'

/** Reads a field of a record: of the message, or of the element of it that becomes the record. */
export type Field = (part: Readable, message: Readable) => unknown

/** A path is read from the element, one that begins with `$` from the whole message. */
export function compileField(path: string): Field {
  const read = compilePath(path)
  return isOfMessage(path) ? (_part, message) => read(message.json) : (part) => read(part.json)
}

/** A field's value as text: a string as it is, all else as JSON writes it; null for one that is absent or null. */
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
