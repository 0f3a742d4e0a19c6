import { LOGICAL, type Schema } from '@tributary/connect-api'
import { converterErrors } from '../errors.ts'
import { GENERALIZED_ENUM, GENERALIZED_UNION } from '../generalized.ts'
import { type AvroType, nameOf, NAMESPACE } from './avro-type.ts'
import type { AvroOptions } from './options.ts'

export const DEFAULT_NAME = 'ConnectDefault'
export const MAP_ENTRY = 'MapEntry'
export const AVRO_ENUM = `${NAMESPACE}.Enum`
export const AVRO_UNION = `${NAMESPACE}.Union`
export const FIXED_SIZE = 'connect.fixed.size'
export const PRECISION = 'connect.decimal.precision'
export const DEFAULT_PRECISION = 64

/** A struct that stands for a union: one field a branch, and one of them has a value. */
export function isUnion(schema: Schema): boolean {
  return schema.type === 'struct' && (schema.name === AVRO_UNION || has(schema, GENERALIZED_UNION))
}

export function isFixed(schema: Schema): boolean {
  return schema.type === 'bytes' && schema.name !== undefined && has(schema, FIXED_SIZE)
}

/** The parameter that names a text schema's enum, where it is written as one; null: it is not. */
export function enumParameter(schema: Schema, { sumTypes, enhanced }: AvroOptions): string | null {
  if (schema.type !== 'string' || (!sumTypes && !enhanced)) return null
  const name = sumTypes ? GENERALIZED_ENUM : AVRO_ENUM
  return has(schema, name) ? name : null
}

export function has({ parameters }: Schema, name: string): boolean {
  return parameters !== undefined && Object.hasOwn(parameters, name)
}

/** Whether a map is written as Avro's map, whose keys are texts, and not as an array of entries. */
export function hasTextKeys({ keySchema }: Schema, { optionalKeys }: AvroOptions): boolean {
  return keySchema?.type === 'string' && (keySchema.optional !== true || optionalKeys)
}

/** The name of the field of a union's struct that stands for a branch. `index`: that of the branch. */
export function branchField(branch: AvroType, index: number, { sumTypes, enhanced }: AvroOptions): string {
  if (sumTypes) return `connect_union_field_${index}`
  const name = nameOf(branch)
  return 'name' in branch && !enhanced ? name.slice(name.lastIndexOf('.') + 1) : name
}

/** A name as a part of a full name, or of a field, as Avro allows it. Throws DataError for one that it does not allow. */
export function avroName(name: string, { scrub }: AvroOptions): string {
  if (LEGAL.test(name)) return name
  if (scrub && name !== '') return scrubbed(name)
  const why =
    name === '' ? 'Empty name' : /^[\p{L}_]/u.test(name) ? 'Illegal character in' : 'Illegal initial character'
  throw converterErrors.CONVERTER_AVRO_SCHEMA(
    `${why}${name === '' ? '' : `: ${name}`}; rename it, or set scrub.invalid.names=true`,
  )
}

/** A full name, each part as `avroName` gives it. */
export function avroFullName(name: string, options: AvroOptions): string {
  return name
    .split('.')
    .map((part) => avroName(part, options))
    .join('.')
}

/** Avro's own rule is ASCII; its library for Java takes letters and digits of every script. */
const LEGAL = /^[\p{L}_][\p{L}\p{Nd}_]*$/u

/** As Confluent's converter: percent-encoded as a form's text, then every other character an underscore. */
function scrubbed(name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return name
  const encoded = new URLSearchParams([['', name]]).toString().slice(1)
  return (/^\d/.test(encoded) ? `x${encoded}` : encoded).replaceAll(/[^A-Za-z0-9_]/g, '_')
}

const UNDERLYING: Readonly<Record<string, Schema['type']>> = {
  [LOGICAL.Decimal]: 'bytes',
  [LOGICAL.Date]: 'int32',
  [LOGICAL.Time]: 'int32',
  [LOGICAL.Timestamp]: 'int64',
}

/** Whether a schema is that of a logical type. Throws DataError for a logical type's name on another type. */
export function isLogical({ name, type }: Schema): boolean {
  if (name === undefined || !Object.hasOwn(UNDERLYING, name)) return false
  if (UNDERLYING[name] === type) return true
  const simple = name.slice(name.lastIndexOf('.') + 1)
  throw converterErrors.CONVERTER_AVRO_SCHEMA(
    `Invalid type for ${simple}, underlying representation should be ${UNDERLYING[name]} but was ${type}`,
  )
}
