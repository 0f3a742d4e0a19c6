import { type Field, hasDefault, type Schema } from '@tributary/connect-api'
import { transformErrors } from '../../errors.ts'
import { setOwn } from './require.ts'

/** How a field of a struct is read and written, worked out once for a schema. */
export interface Slot {
  readonly name: string
  /** Of the field that is written. */
  readonly schema: Schema
  /** Makes the value that is written of the one that was read, where they differ. */
  readonly convert: ((value: unknown) => unknown) | null
  /** Every object has a property of this name, such as `constructor`. */
  readonly inherited: boolean
  /** null: none. */
  readonly default: unknown
}

/** `replaceNull`: of `replace.null.with.default`; whether a field without a value reads as its default. */
export function slotOf(
  { name, schema }: Field,
  replaceNull: boolean,
  target = schema,
  convert: Slot['convert'] = null,
): Slot {
  return {
    name,
    schema: target,
    convert,
    inherited: name in Object.prototype,
    default: replaceNull && hasDefault(schema) ? schema.default : null,
  }
}

/** The value of a field; null for none. */
export function read(struct: Readonly<Record<string, unknown>>, slot: Slot): unknown {
  if (slot.inherited && !Object.hasOwn(struct, slot.name)) return slot.default
  return struct[slot.name] ?? slot.default
}

/** Sets a field of a new struct. Throws DataError, in Connect's words, for null in a field that is not optional. */
export function write(struct: Record<string, unknown>, name: string, schema: Schema, value: unknown): void {
  if (value === null && schema.optional !== true) {
    throw transformErrors.TRANSFORM_DATA(
      `Invalid value: null used for required field: "${name}", schema type: ${schema.type.toUpperCase()}`,
    )
  }
  setOwn(struct, name, value)
}

/** A copy of a struct, with the fields of slots that convert converted. Throws DataError as `write`. */
export function copyStruct(struct: Readonly<Record<string, unknown>>, slots: readonly Slot[]): Record<string, unknown> {
  const copy = { ...struct }
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i]!
    const value = read(struct, slot)
    if (slot.convert !== null) write(copy, slot.name, slot.schema, slot.convert(value))
    else if (value === null || slot.default !== null) write(copy, slot.name, slot.schema, value)
  }
  return copy
}
