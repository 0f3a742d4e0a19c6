import { parseJson } from '@tributary/config'
import type { MessageAttribute } from '../message.ts'
import { isObject } from '../json/json-text.ts'

/**
 * One value that conditions look at. Of a body it is one JSON scalar. Of an attribute it is the text, and also the number if the text
 * is one, whatever type the sender gave the attribute.
 */
export interface Leaf {
  readonly text?: string
  readonly number?: number | bigint
  readonly literal?: boolean | null
}

/** A binary attribute, or an empty `String.Array`: it exists, and no other condition matches it. */
export const NO_VALUE: Leaf = {}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?$/i
/** SQS allows 38 digits. More of them are compared rounded, as the exact value would take quadratic time. */
const MAX_EXACT_DIGITS = 64

/** The values of an attribute: the elements of a `String.Array` whose text is a JSON array of scalars, or else its one text. */
export function leavesOfAttribute(attribute: MessageAttribute): readonly Leaf[] {
  const { dataType, stringValue } = attribute
  if (stringValue === undefined) return [NO_VALUE]
  if (dataType === 'String.Array') {
    const elements = arrayIn(stringValue)
    if (elements !== null) return elements.length === 0 ? [NO_VALUE] : elements
  }
  return [leafOfText(stringValue)]
}

/** The scalars of a JSON value: its own, or those of an array, however arrays are nested. Objects have none. */
export function leavesOfJson(value: unknown): readonly Leaf[] {
  if (Array.isArray(value)) return value.flatMap((element) => leavesOfJson(element))
  if (value === undefined || isObject(value)) return []
  if (typeof value === 'string') return [{ text: value }]
  if (typeof value === 'number' || typeof value === 'bigint') return [{ number: value }]
  return [{ literal: value as boolean | null }]
}

function leafOfText(text: string): Leaf {
  const digits = text.trim()
  if (!NUMBER.test(digits)) return { text }
  const value = Number(digits)
  const exact = digits.length > MAX_EXACT_DIGITS || Number.isSafeInteger(value) || !/^[+-]?\d+$/.test(digits)
  return { text, number: exact ? value : BigInt(digits.replace('+', '')) }
}

function arrayIn(text: string): readonly Leaf[] | null {
  let value: unknown
  try {
    value = parseJson(text)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
  return Array.isArray(value) && !value.some((element) => typeof element === 'object' && element !== null)
    ? leavesOfJson(value)
    : null
}
