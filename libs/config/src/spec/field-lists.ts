import { invalidValue } from '../values/config-exception.ts'

/** Lists of fields in the settings of Connect's transforms, with the words of Connect's errors. */

/** What Cast can produce. */
export const CAST_TYPES = ['int8', 'int16', 'int32', 'int64', 'float32', 'float64', 'boolean', 'string'] as const
export type CastType = (typeof CAST_TYPES)[number]

const OTHER_TYPES = ['bytes', 'array', 'map', 'struct']

/** One `field:type`. `field` is null where the type is that of the whole value. */
export interface FieldCast {
  readonly field: string | null
  readonly type: CastType
}

/** The casts of a list that `castSpecError` accepts. */
export function parseCastSpec(values: readonly string[]): FieldCast[] {
  return values.map((value) => {
    const parts = javaSplit(value)
    const type = parts[parts.length - 1]!.trim().toLowerCase() as CastType
    return { field: parts.length === 1 ? null : parts[0]!.trim(), type }
  })
}

/** The whole error text for a list that Cast cannot use; null for one that it can. */
export function castSpecError(values: readonly string[]): string | null {
  if (values.length === 0) return 'Must specify at least one field to cast.'
  let whole = false
  for (const value of values) {
    const parts = javaSplit(value)
    if (parts.length > 2) {
      return invalidValue(`[${values.join(', ')}]`, 'renames', `Invalid rename mapping: ${value}`)
    }
    whole ||= parts.length === 1
    const type = (parts.at(-1) ?? '').trim()
    const name = type.toLowerCase()
    if (OTHER_TYPES.includes(name)) {
      const types = CAST_TYPES.map((t) => t.toUpperCase()).join(', ')
      return `Cast transformation does not support casting to ${name.toUpperCase()}; supported types are [${types}]`
    }
    if (!(CAST_TYPES as readonly string[]).includes(name)) {
      const reason = `No enum constant org.apache.kafka.connect.data.Schema.Type.${type.toUpperCase()}`
      // As Kafka, which takes the message for the name of a setting.
      return `Invalid value java.lang.IllegalArgumentException: ${reason} for configuration Invalid type found in casting spec: ${type}`
    }
  }
  return whole && values.length > 1
    ? 'Cast transformations that specify a type to cast the entire value to may only specify a single cast in their spec'
    : null
}

/** Why ReplaceField cannot use a list of `old:new`; null for one that it can. */
export function renamesReason(values: readonly string[]): string | null {
  const wrong = values.find((value) => javaSplit(value).length !== 2)
  return wrong === undefined ? null : `Invalid rename mapping: ${wrong}`
}

/** The names of a list that `renamesReason` accepts. The last one wins for a name that occurs twice. */
export function parseRenames(values: readonly string[]): Map<string, string> {
  return new Map(values.map((value) => javaSplit(value) as [string, string]))
}

/** Java's `split(":")`: empty parts at the end are left out, unless there is nothing else. */
function javaSplit(text: string): string[] {
  if (text === '') return ['']
  const parts = text.split(':')
  while (parts.length > 0 && parts.at(-1) === '') parts.pop()
  return parts
}
