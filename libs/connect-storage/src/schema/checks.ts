import { isUtf8 } from 'node:buffer'
import { fromJson, isObject } from '../connect-json.ts'
import { LIMITS } from './limits.ts'

/**
 * The checks that every record of an internal topic passes before anything else sees it. The texts of their errors show
 * no part of a value, which may hold secrets, and little of a key.
 */

export type Fields = Readonly<Record<string, unknown>>

const SHOWN_CHARS = 40

/** Why a record is not even parsed; null for a record that may be. */
export function refusalOf(key: Uint8Array | null, value: Uint8Array | null): string | null {
  if (key === null) return 'the record has no key'
  if (key.length > LIMITS.keyBytes) return `the key has more than ${LIMITS.keyBytes} bytes`
  if (!isUtf8(key)) return 'the key is not UTF-8 text'
  if (value !== null && value.length > LIMITS.valueBytes) return `the value has more than ${LIMITS.valueBytes} bytes`
  return null
}

/** Parses JSON whose number of members and items is within bounds. Throws an Error. */
export function boundedJson(bytes: Uint8Array): unknown {
  if (bytes.length > LIMITS.members && !fewMembers(bytes))
    throw new Error(`the JSON has more than ${LIMITS.members} members and items`)
  try {
    return fromJson(bytes)
  } catch {
    // The parser's own message would quote the text.
    throw new Error('the text is not JSON')
  }
}

/** Parses a value that must be an object, or null for a tombstone. */
export function objectOrNull(bytes: Uint8Array | null): Fields | null {
  const value = bytes === null ? null : boundedJson(bytes)
  if (value !== null && !isObject(value)) throw new Error('the value is not a JSON object')
  return value
}

/** The name of a connector, a logger or the like: not empty, not endless. */
export function nameOf(text: string, what: string): string {
  if (text === '') throw new Error(`the name of the ${what} is empty`)
  if (text.length > LIMITS.nameChars) {
    throw new Error(`the name of the ${what} has more than ${LIMITS.nameChars} characters`)
  }
  return text
}

/** The number of a task in the digits of a key. */
export function taskOf(digits: string): number {
  const task = Number(digits)
  if (task >= LIMITS.tasks) throw new Error(`the number of the task is not below ${LIMITS.tasks}`)
  return task
}

export function isCount(value: unknown, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max
}

/** A part of a value in an error's text. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : typeof value
  return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text
}

/** Counts commas and brackets outside strings: no value has more members than these. */
function fewMembers(bytes: Uint8Array): boolean {
  let count = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (byte === 0x22) at = endOfString(bytes, at)
    else if ((byte === 0x2c || byte === 0x5b || byte === 0x7b) && ++count > LIMITS.members) return false
  }
  return true
}

function endOfString(bytes: Uint8Array, from: number): number {
  for (let at = from + 1; at < bytes.length; at++) {
    if (bytes[at] === 0x5c) at++
    else if (bytes[at] === 0x22) return at
  }
  return bytes.length
}
