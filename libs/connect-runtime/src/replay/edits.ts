import {
  Decimal,
  fieldOf,
  type ReplayEdit,
  type Schema,
  type SourceRecord,
  validateValue,
} from '@tributary/connect-api'
import { runtimeErrors } from '../errors.ts'
import { parsePath, type Step } from './edit-path.ts'
import { jsonText, losslessJson, numberText, rawNumber } from './lossless-json.ts'

type Change = (value: unknown, schema: Schema | null) => unknown

interface Edit {
  readonly field: string
  readonly steps: readonly Step[]
  /** Whether a field that is not there gets a value. */
  readonly adds: boolean
  readonly change: Change
}

/** The changes of values that a replay was asked for, in their order. */
export class Edits {
  readonly #edits: readonly Edit[]

  /** Throws REPLAY_EDIT_REFUSED for a path that cannot be read, or an operation that does not exist. */
  constructor(edits: readonly ReplayEdit[]) {
    this.#edits = edits.map((edit) => {
      const { field, operation } = edit
      return { field, steps: parsePath(field), adds: operation === 'replace', change: changeOf(edit) }
    })
  }

  get none(): boolean {
    return this.#edits.length === 0
  }

  /** Whether the whole value is replaced, so that nothing of the present one is needed. */
  get replacesAll(): boolean {
    return this.#edits.some(({ steps, adds }) => adds && steps.length === 0)
  }

  /**
   * The bytes with their changes, if they are JSON text or all of them are replaced; null: they are something else. Numbers that are
   * not changed stay as they were written. Throws REPLAY_EDIT_REFUSED.
   */
  ofBytes(bytes: Uint8Array | null): Uint8Array | null {
    const parsed = bytes === null ? undefined : losslessJson(bytes)
    if (parsed === undefined && !this.replacesAll) return null
    let value: unknown = parsed
    for (const edit of this.#edits) value = apply(edit, value, null)
    // What was no JSON becomes the text itself.
    const asText = parsed === undefined && typeof value === 'string' ? value : jsonText(value)
    return Buffer.from(asText)
  }

  /** The record with the changes of its value, which may be JSON text too. Throws REPLAY_EDIT_REFUSED, and VALUE_INVALID if a schema forbids the new value. */
  ofRecord(record: SourceRecord): SourceRecord {
    const schema = record.valueSchema ?? null
    const { original: _, originalIsText: __, ...rest } = record
    let { value } = record
    const json = typeof value === 'string' ? this.ofBytes(Buffer.from(value)) : null
    if (json !== null) return { ...rest, value: Buffer.from(json).toString() }
    for (const edit of this.#edits) value = apply(edit, value, schema)
    if (schema !== null) validateValue(schema, value)
    return { ...rest, value }
  }
}

function apply({ field, steps, adds, change }: Edit, value: unknown, schema: Schema | null): unknown {
  try {
    return changed(value, schema, steps, 0, adds, change)
  } catch (error) {
    if (!(error instanceof EditProblem)) throw error
    throw runtimeErrors.REPLAY_EDIT_REFUSED(`The edit of ${field} is not possible: ${error.message}.`)
  }
}

class EditProblem extends Error {}

/** A copy of `value` in which what the rest of the path names is changed. */
function changed(
  value: unknown,
  schema: Schema | null,
  steps: readonly Step[],
  at: number,
  adds: boolean,
  change: Change,
): unknown {
  if (at === steps.length) return change(value, schema)
  const step = steps[at]!
  const next = (inner: unknown): unknown => changed(inner, innerSchema(schema, step), steps, at + 1, adds, change)
  const last = at === steps.length - 1
  if (typeof step === 'number') {
    if (!Array.isArray(value)) return missing(adds, `there is no array for the index ${step}`, value)
    if (step >= value.length) return missing(adds, `the array has no element ${step}`, value)
    return value.with(step, next(value[step]))
  }
  if (value instanceof Map) {
    if (!value.has(step) && !(adds && last)) return missing(adds, `there is no ${step}`, value)
    return new Map(value).set(step, next(value.get(step)))
  }
  if (!isObject(value)) return missing(adds, `there is no object with the field ${step}`, value)
  const there = Object.hasOwn(value, step)
  if (!there && !(adds && last)) return missing(adds, `there is no field ${step}`, value)
  const copy: Record<string, unknown> = { ...value }
  // A field may be called __proto__.
  const content = next(there ? (value as Record<string, unknown>)[step] : undefined)
  return Object.defineProperty(copy, step, { value: content, enumerable: true, configurable: true, writable: true })
}

/** What is not there needs no cast and no mask. */
function missing(adds: boolean, why: string, value: unknown): unknown {
  if (adds) throw new EditProblem(why)
  return value
}

function isObject(value: unknown): value is object {
  const isPlain = typeof value === 'object' && value !== null && !Array.isArray(value) && numberText(value) === null
  return isPlain && !(value instanceof Uint8Array) && !(value instanceof Date) && !(value instanceof Decimal)
}

function innerSchema(schema: Schema | null, step: Step): Schema | null {
  if (schema === null) return null
  if (schema.type === 'struct') return fieldOf(schema, String(step))?.schema ?? null
  return schema.valueSchema ?? null
}

function changeOf(edit: ReplayEdit): Change {
  switch (edit.operation) {
    case 'cast':
      return castTo(edit.value)
    case 'mask':
      return (value) => masked(value, edit.value)
    case 'replace':
      return (_, schema) => fitting(edit.value, schema)
    default:
      edit satisfies never
      throw runtimeErrors.REPLAY_EDIT_REFUSED(
        `An edit has the operation ${String((edit as { operation: unknown }).operation)}; there are cast, mask and replace.`,
      )
  }
}

/** JSON has one kind of number; a schema may want another. */
function fitting(value: unknown, schema: Schema | null): unknown {
  return schema?.type === 'int64' && typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value
}

const LIMITS: Readonly<Record<string, bigint>> = { int: 2n ** 31n, long: 2n ** 63n }

function castTo(type: string): Change {
  switch (type) {
    case 'int':
    case 'long':
      return (value, schema) => whole(value, type, schema)
    case 'double':
      return (value) => (value === null || value === undefined ? value : double(value))
    case 'boolean':
      return boolean
    case 'string':
      return (value) => (value === null || value === undefined ? value : text(value))
    default:
      throw runtimeErrors.REPLAY_EDIT_REFUSED(
        `An edit casts to ${String(type).slice(0, 100)}; there are int, long, double, boolean and string.`,
      )
  }
}

function whole(value: unknown, type: string, schema: Schema | null): unknown {
  if (value === null || value === undefined) return value
  const cast = wholeOf(value)
  const limit = LIMITS[type]!
  if (cast === null || cast >= limit || cast < -limit) throw cannot(value, type)
  if (schema !== null) return schema.type === 'int64' ? cast : Number(cast)
  const number = Number(cast)
  return Number.isSafeInteger(number) ? number : rawNumber(String(cast))
}

/** Towards zero, as Connect's Cast. */
function wholeOf(value: unknown): bigint | null {
  if (typeof value === 'bigint') return value
  if (typeof value === 'boolean') return value ? 1n : 0n
  const text: unknown = numberText(value) ?? (value instanceof Decimal ? value.toString() : value)
  if (typeof text === 'string' && /^[+-]?\d{1,40}$/.test(text.trim())) return BigInt(text.trim().replace('+', ''))
  const number = typeof text === 'number' ? text : typeof text === 'string' && text.trim() !== '' ? Number(text) : NaN
  return Number.isFinite(number) ? BigInt(Math.trunc(number)) : null
}

function double(value: unknown): number {
  const text = numberText(value) ?? (value instanceof Decimal ? value.toString() : value)
  const isNumber = ['number', 'bigint', 'boolean'].includes(typeof text)
  const number = isNumber || (typeof text === 'string' && text.trim() !== '') ? Number(text) : NaN
  if (!Number.isFinite(number)) throw cannot(value, 'double')
  return number
}

function boolean(value: unknown): unknown {
  if (value === null || value === undefined || typeof value === 'boolean') return value
  const number = typeof value === 'number' || typeof value === 'bigint' ? value : numberText(value)
  if (number !== null) return Number(number) !== 0
  const word = typeof value === 'string' ? value.trim().toLowerCase() : ''
  if (word === 'true' || word === '1') return true
  if (word === 'false' || word === '0') return false
  throw cannot(value, 'boolean')
}

function text(value: unknown): string {
  if (typeof value === 'string') return value
  const number = numberText(value)
  if (number !== null) return number
  if (value instanceof Uint8Array) throw cannot(value, 'string')
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Decimal) return value.toString()
  return jsonText(value)
}

function cannot(value: unknown, type: string): EditProblem {
  const kind = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`
  return new EditProblem(`its value, ${kind}, is no ${type}`)
}

/** Without a replacement, the empty value of the type, as Connect's MaskField. */
function masked(value: unknown, replacement: string | undefined): unknown {
  if (value === null || value === undefined) return value
  const number = typeof value === 'number' || typeof value === 'bigint' || numberText(value) !== null
  if (number) {
    const masked = replacement === undefined ? 0 : Number(replacement)
    if (!Number.isFinite(masked)) throw new EditProblem('a number can be masked by a number only')
    return typeof value === 'bigint' ? BigInt(Math.trunc(masked)) : masked
  }
  if (typeof value === 'string') return replacement ?? ''
  if (replacement !== undefined) throw new EditProblem('only texts and numbers have a mask of their own')
  if (typeof value === 'boolean') return false
  if (Array.isArray(value)) return []
  if (value instanceof Map) return new Map()
  if (value instanceof Uint8Array) return new Uint8Array(0)
  if (value instanceof Date) return new Date(0)
  if (value instanceof Decimal) throw new EditProblem('a decimal number has no mask')
  return {}
}
