import { stringifyJson } from '@tributary/config'
import type { Field, Schema } from '@tributary/connect-api'
import { converterErrors } from '../errors.ts'
import { isObject } from './fit.ts'
import { legalName } from './legal-names.ts'

/**
 * What is known of the values at a place. A shape only widens: `none` (nothing but null so far) to all others, `int64` to `float64`,
 * and two that differ otherwise to `text`, in which what is no string stands as JSON.
 */
type Shape = ScalarShape | ArrayShape | ObjectShape
interface ScalarShape {
  readonly kind: 'none' | 'boolean' | 'int64' | 'float64' | 'string' | 'text'
}
interface ArrayShape {
  readonly kind: 'array'
  readonly items: Shape
}
interface ObjectShape {
  readonly kind: 'object'
  /** In the order of their names, so that the order of arrival does not matter. */
  readonly fields: ReadonlyMap<string, Shape>
}

const NONE: Shape = { kind: 'none' }
const BOOLEAN: Shape = { kind: 'boolean' }
const INT64: Shape = { kind: 'int64' }
const FLOAT64: Shape = { kind: 'float64' }
const STRING: Shape = { kind: 'string' }
const TEXT: Shape = { kind: 'text' }
const EMPTY: ObjectShape = { kind: 'object', fields: new Map() }
const NO_ITEMS: ArrayShape = { kind: 'array', items: NONE }

/** Objects and arrays below this many levels are text. */
const MAX_LEVELS = 32
/** Fields of a schema, those of nested objects included. */
const MAX_FIELDS = 1000

/** Infers one schema from the values of a topic. */
export class Inference {
  readonly #name: string
  readonly #maxSchemas: number
  readonly #numbered: boolean
  #shape: Shape = NONE
  #schema: Schema | null = null
  #schemaText = 'null'
  #schemas = 0

  /** `name`: of the outermost struct. `numbered`: fields have Protobuf numbers that follow from their names. */
  constructor(name: string, maxSchemas: number, numbered = false) {
    this.#name = name
    this.#maxSchemas = maxSchemas
    this.#numbered = numbered
  }

  /** The value with the schema of all values so far. Throws DataError BODY_MISFIT, and then the value leaves no trace. */
  read(value: unknown): { schema: Schema | null; value: unknown } {
    const shape = widen(this.#shape, value, 1)
    if (shape !== this.#shape) this.#adopt(shape)
    return { schema: this.#schema, value: this.#schema === null ? null : valueOf(this.#shape, value) }
  }

  #adopt(shape: Shape): void {
    const fields = countFields(shape)
    if (fields > MAX_FIELDS) throw tooManyFields(fields)
    const schema = schemaOf(shape, this.#name, this.#numbered, true)
    const text = JSON.stringify(schema)
    if (text !== this.#schemaText) {
      if (this.#schemas === this.#maxSchemas) {
        throw converterErrors.BODY_MISFIT(
          `the body needs another schema after ${this.#maxSchemas} (value.schema.infer.max.schemas)`,
        )
      }
      this.#schemas++
      this.#schemaText = text
      this.#schema = schema
    }
    this.#shape = shape
  }
}

const MAX_INT64 = 2n ** 63n - 1n

/** The shape that holds what `shape` holds and the value: `shape` itself if that is all the same. */
function widen(shape: Shape, value: unknown, level: number): Shape {
  if (shape.kind === 'text' || value === null || value === undefined) return shape
  if (Array.isArray(value)) {
    if (level > MAX_LEVELS || (shape.kind !== 'array' && shape.kind !== 'none')) return TEXT
    return widenArray(shape.kind === 'array' ? shape : NO_ITEMS, value, level, shape)
  }
  if (isObject(value)) {
    if (level > MAX_LEVELS || (shape.kind !== 'object' && shape.kind !== 'none')) return TEXT
    return widenObject(shape.kind === 'object' ? shape : EMPTY, value, level)
  }
  // A double would lose digits of it.
  if (typeof value === 'bigint' && shape.kind === 'float64') return TEXT
  return join(shape, scalarOf(value))
}

function widenArray(shape: ArrayShape, values: readonly unknown[], level: number, before: Shape): Shape {
  let { items } = shape
  for (const value of values) items = widen(items, value, level + 1)
  return items === shape.items ? (before.kind === 'none' ? NO_ITEMS : shape) : { kind: 'array', items }
}

function widenObject(shape: ObjectShape, value: Readonly<Record<string, unknown>>, level: number): Shape {
  let changed: Map<string, Shape> | null = null
  for (const name of Object.keys(value)) {
    const field = shape.fields.get(name)
    const wider = widen(field ?? NONE, value[name], level + 1)
    if (wider === field || wider.kind === 'none') continue
    changed ??= new Map(shape.fields)
    changed.set(name, wider)
    // Before the sorting of what may be a million.
    if (changed.size > MAX_FIELDS) throw tooManyFields(changed.size)
  }
  return changed === null
    ? shape
    : { kind: 'object', fields: new Map([...changed].sort(([a], [b]) => (a < b ? -1 : 1))) }
}

function tooManyFields(count: number): Error {
  return converterErrors.BODY_MISFIT(`the inferred schema would have ${count} fields, more than ${MAX_FIELDS}`)
}

function scalarOf(value: unknown): Shape {
  switch (typeof value) {
    case 'boolean':
      return BOOLEAN
    case 'string':
      return STRING
    case 'bigint':
      return value > MAX_INT64 || value < -MAX_INT64 - 1n ? TEXT : INT64
    default:
      return Number.isSafeInteger(value) ? INT64 : FLOAT64
  }
}

function join(a: Shape, b: Shape): Shape {
  if (a.kind === b.kind || b.kind === 'none') return a
  if (a.kind === 'none') return b
  if (a.kind === 'float64' && b.kind === 'int64') return a
  if (a.kind === 'int64' && b.kind === 'float64') return b
  return TEXT
}

/** Null: nothing is known but null. An array of which nothing is known has no schema either. */
function schemaOf(shape: Shape, name: string, numbered: boolean, required = false): Schema | null {
  const optional = required ? {} : { optional: true }
  switch (shape.kind) {
    case 'none':
      return null
    case 'text':
      return { type: 'string', ...optional }
    case 'array': {
      const items = schemaOf(shape.items, name, numbered)
      return items === null ? null : { type: 'array', valueSchema: items, ...optional }
    }
    case 'object': {
      const fields = [...shape.fields].flatMap(([field, of]) => {
        const schema = schemaOf(of, `${name}.${legalName(field)}`, numbered)
        return schema === null ? [] : [{ name: field, schema }]
      })
      return { type: 'struct', name, fields: numbered ? withNumbers(fields) : fields, ...optional }
    }
    default:
      return { type: shape.kind, ...optional }
  }
}

const TAG = 'io.confluent.connect.protobuf.Tag'
/** Numbers whose tag has three bytes at most. */
const MAX_NUMBER = 2 ** 18 - 1
/** Protobuf keeps these for itself. */
const RESERVED = { from: 19_000, to: 19_999 }

/** The number of a field follows from its name, so that a further field, or another order of arrival, moves no other one. */
function withNumbers(fields: readonly Field[]): Field[] {
  const taken = new Set<number>()
  return fields.map(({ name, schema }) => {
    let number = (hashOf(name) % MAX_NUMBER) + 1
    while (taken.has(number) || (number >= RESERVED.from && number <= RESERVED.to)) number = (number % MAX_NUMBER) + 1
    taken.add(number)
    return { name, schema: { ...schema, parameters: { [TAG]: String(number) } } }
  })
}

/** FNV-1a of 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

function countFields(shape: Shape): number {
  if (shape.kind === 'array') return countFields(shape.items)
  if (shape.kind !== 'object') return 0
  let count = shape.fields.size
  for (const field of shape.fields.values()) count += countFields(field)
  return count
}

/** The value as its schema wants it. */
function valueOf(shape: Shape, value: unknown): unknown {
  if (value === null || value === undefined) return null
  switch (shape.kind) {
    case 'none':
      return null
    case 'boolean':
    case 'string':
      return value
    case 'int64':
      return BigInt(value as number | bigint)
    case 'float64':
      return Number(value)
    case 'text':
      return typeof value === 'string' ? value : stringifyJson(value)
    case 'array':
      return (value as readonly unknown[]).map((item) => valueOf(shape.items, item))
    case 'object': {
      const object = value as Readonly<Record<string, unknown>>
      const out: Record<string, unknown> = {}
      for (const [name, of] of shape.fields) {
        const member = Object.hasOwn(object, name) ? valueOf(of, object[name]) : null
        if (name !== '__proto__') out[name] = member
        else Object.defineProperty(out, name, { value: member, enumerable: true, configurable: true, writable: true })
      }
      return out
    }
  }
}
